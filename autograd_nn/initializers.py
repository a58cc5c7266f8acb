"""Initializers: the first values of weights, from a shape and a dtype."""

import math
from typing import Any

import numpy as np

from . import random
from .engine.convert import as_tensor
from .engine.signatures import Checked, suggest_calls
from .engine.spec import as_dtype, default_float
from .engine.tensor import Tensor
from .errors import ArgumentTypeError, InvalidArgument, ShapeError, did_you_mean, short
from .saving.registry import (
    custom_object_scope,
    deserialize_keras_object,
    register,
    resolve,
    serialize_keras_object,
)

Shape = tuple[int, ...]

# The standard deviation of a normal distribution cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


@register()
class Initializer(metaclass=Checked):
    """Base of initializers: `initializer(shape, dtype=None)` gives a tensor; the default float where dtype is None.

    >>> import autograd_nn as ag
    >>> class Sevens(ag.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return ag.ops.full(shape, 7.0, dtype=dtype)
    >>> Sevens()((2,)).tolist()
    [7.0, 7.0]
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        return cls(**config)

    def clone(self) -> "Initializer":
        """A new initializer with the same settings."""
        return type(self).from_config(self.get_config())


# --- constants


@register()
class Constant(Initializer):
    """Every element is `value`, a number or an array that broadcasts to the shape.

    >>> import autograd_nn as ag
    >>> ag.initializers.Constant(0.5)((2,)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        value = np.asarray(self.value, _dtype(dtype))
        try:
            return as_tensor(np.broadcast_to(value, tuple(shape)))
        except ValueError:
            raise ShapeError(f"Constant: a value of shape {value.shape} does not broadcast to {tuple(shape)}") from None

    def get_config(self) -> dict[str, Any]:
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constant":
        return cls(deserialize_keras_object(config["value"]))


@register()
class Zeros(Initializer):
    """Zeros.

    >>> import autograd_nn as ag
    >>> ag.initializers.Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return as_tensor(np.zeros(shape, _dtype(dtype)))


@register()
class Ones(Initializer):
    """Ones.

    >>> import autograd_nn as ag
    >>> ag.initializers.Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return as_tensor(np.ones(shape, _dtype(dtype)))


@register()
class Identity(Initializer):
    """`gain` times the identity matrix. Raises ShapeError for a shape that is no matrix.

    >>> import autograd_nn as ag
    >>> ag.initializers.Identity(2.0)((2, 2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        if len(shape) != 2:
            raise ShapeError(f"Identity: expects a shape (rows, columns), got {tuple(shape)}")
        return as_tensor((self.gain * np.eye(*shape)).astype(_dtype(dtype)))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


# --- random values

register()(random.SeedGenerator)


@register()
class RandomInitializer(Initializer):
    """Base of initializers that draw numbers.

    seed: an int, or None for one drawn from the process' own seed: the same values at every call;
          a SeedGenerator: new values at every call
    """

    def __init__(self, seed: Any = None) -> None:
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if isinstance(seed, bool) or not (seed is None or isinstance(seed, (int, np.integer, random.SeedGenerator))):
            raise ArgumentTypeError(
                f"{type(self).__name__}: seed must be an int, a SeedGenerator or None, got {short(seed)}"
            )
        self._init_seed = int(seed) if isinstance(seed, np.integer) else seed
        self.seed = random.make_seed() if seed is None else self._init_seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": serialize_keras_object(self._init_seed)}


@register()
class RandomNormal(RandomInitializer):
    """Normal distribution of mean `mean` and standard deviation `stddev`. `seed`: see RandomInitializer.

    >>> import autograd_nn as ag
    >>> ag.initializers.RandomNormal(seed=0)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return random.normal(shape, self.mean, self.stddev, dtype=_dtype(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@register()
class TruncatedNormal(RandomInitializer):
    """As RandomNormal, values further than two standard deviations from the mean drawn again.

    >>> import autograd_nn as ag
    >>> bool(ag.ops.max(ag.ops.abs(ag.initializers.TruncatedNormal(seed=0)((100,)))) <= 0.1)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype=_dtype(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@register()
class RandomUniform(RandomInitializer):
    """Uniform distribution on minval..maxval. `seed`: see RandomInitializer.

    >>> import autograd_nn as ag
    >>> bool(ag.ops.max(ag.ops.abs(ag.initializers.RandomUniform(seed=0)((100,)))) <= 0.05)
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return random.uniform(shape, self.minval, self.maxval, dtype=_dtype(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


@register()
class VarianceScaling(RandomInitializer):
    """Mean 0 and variance `scale / n`, where n counts the connections of a unit.

    mode:         n is the number of inputs ("fan_in"), outputs ("fan_out"), or their mean ("fan_avg")
    distribution: "truncated_normal", "untruncated_normal" or "uniform"
    input_axes, output_axes: the axes of the weights that count inputs and outputs; as for Dense and Conv if None

    Raises InvalidArgument for another mode or distribution, or a scale that is not positive.

    >>> import autograd_nn as ag
    >>> ag.initializers.VarianceScaling(2.0, "fan_in", seed=0)((4, 8)).shape
    (4, 8)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        if not 0 < scale < math.inf:
            raise InvalidArgument(f"VarianceScaling: scale must be a positive number, got {short(scale)}")
        self.scale = scale
        self.mode = _choice(mode, _MODES, "mode")
        chosen = "truncated_normal" if str(distribution).lower() == "normal" else distribution
        self.distribution = _choice(chosen, _DISTRIBUTIONS, "distribution")
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return random.uniform(shape, -limit, limit, dtype=_dtype(dtype), seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, stddev, dtype=_dtype(dtype), seed=self.seed)
        return random.truncated_normal(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype=_dtype(dtype), seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config(),
            **self._axes(),
        }  # fmt: skip

    def _axes(self) -> dict[str, Any]:
        return {"input_axes": self.input_axes, "output_axes": self.output_axes}


class _Scaled(VarianceScaling):
    """A VarianceScaling whose only settings left are the seed and the axes."""

    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self.settings, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return {**RandomInitializer.get_config(self), **self._axes()}


@register()
class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, AISTATS).

    >>> import autograd_nn as ag
    >>> bool(ag.ops.max(ag.ops.abs(ag.initializers.GlorotUniform(seed=0)((3, 3)))) <= 1.0)
    True
    """

    settings = (1.0, "fan_avg", "uniform")


@register()
class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, AISTATS).

    >>> import autograd_nn as ag
    >>> ag.initializers.GlorotNormal(seed=0)((3, 3)).shape
    (3, 3)
    """

    settings = (1.0, "fan_avg", "truncated_normal")


@register()
class HeUniform(_Scaled):
    """Uniform with variance 2 / inputs (He et al. 2015, arXiv 1502.01852).

    >>> import autograd_nn as ag
    >>> bool(ag.ops.max(ag.ops.abs(ag.initializers.HeUniform(seed=0)((6, 3)))) <= 1.0)
    True
    """

    settings = (2.0, "fan_in", "uniform")


@register()
class HeNormal(_Scaled):
    """Truncated normal with variance 2 / inputs (He et al. 2015, arXiv 1502.01852).

    >>> import autograd_nn as ag
    >>> ag.initializers.HeNormal(seed=0)((3, 3)).shape
    (3, 3)
    """

    settings = (2.0, "fan_in", "truncated_normal")


@register()
class LecunUniform(_Scaled):
    """Uniform with variance 1 / inputs (LeCun et al. 1998, "Efficient BackProp").

    >>> import autograd_nn as ag
    >>> bool(ag.ops.max(ag.ops.abs(ag.initializers.LecunUniform(seed=0)((3, 3)))) <= 1.0)
    True
    """

    settings = (1.0, "fan_in", "uniform")


@register()
class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / inputs (LeCun et al. 1998, "Efficient BackProp").

    >>> import autograd_nn as ag
    >>> ag.initializers.LecunNormal(seed=0)((3, 3)).shape
    (3, 3)
    """

    settings = (1.0, "fan_in", "truncated_normal")


@register()
class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, times `gain` (Saxe et al. 2014, arXiv 1312.6120).

    All axes but the last count as rows. Raises ShapeError for fewer than two axes.

    >>> import autograd_nn as ag
    >>> q = ag.initializers.Orthogonal(seed=0)((3, 3))
    >>> bool(ag.ops.max(ag.ops.abs(q @ q.transpose() - ag.ops.eye(3))) < 1e-5)
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: expects at least two axes, got shape {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = random.normal((max(rows, columns), min(rows, columns)), dtype=_dtype(dtype), seed=self.seed)
        q, r = np.linalg.qr(drawn.numpy().astype("float64"))
        # The signs make the distribution uniform over all orthogonal matrices (Mezzadri 2007, math-ph/0609050).
        q = q * np.sign(np.diag(r))
        q = q.T if rows < columns else q
        return as_tensor((self.gain * q).reshape(shape).astype(_dtype(dtype)))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """The number of inputs and outputs of a unit whose weights have this shape: (inputs, outputs).

    >>> compute_fans((3, 3, 16, 32)), compute_fans((16, 4, 8), input_axes=[0], output_axes=[1, 2])
    ((144, 288), (16, 32))
    """
    sizes = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(sizes[k] for k in input_axes), math.prod(sizes[k] for k in output_axes)
    if len(sizes) < 2:
        size = sizes[0] if sizes else 1
        return size, size
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field


def _dtype(dtype: Any) -> Any:
    return default_float() if dtype is None else as_dtype(dtype)


def _choice(value: Any, known: tuple[str, ...], what: str) -> str:
    name = str(value).lower()
    if name not in known:
        hint = did_you_mean(name, known) or f"; known: {', '.join(known)}"
        raise InvalidArgument(f"VarianceScaling: unknown {what} {short(value)}{hint}")
    return name


@register()
class STFT(Initializer):
    """Kernels of a convolution that is a short-time Fourier transform: cosines or sines, weighed by a window.

    side:     "real" for cosines, "imag" for sines
    window:   "hann", "hamming", "blackman", "bartlett", an array of weights, or None for none
    scaling:  what the weights are divided by: "density" (the root of the sum of their squares), "spectrum" (the sum of
              their sizes), or None
    periodic: a window that begins anew after its last element

    The shape is (length of a window, 1, frequencies), where frequencies are half the length of the transform and one.

    >>> import autograd_nn as ag
    >>> ag.initializers.STFT("real", None)((4, 1, 3)).numpy()[:3, 0, 2].round(6).tolist()
    [1.0, -1.0, 1.0]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise InvalidArgument(f"STFT: side must be 'real' or 'imag', got {short(side)}")
        if isinstance(window, str) and window not in _WINDOWS:
            raise InvalidArgument(f"STFT: window must be one of {tuple(_WINDOWS)}, weights or None, got {window!r}")
        weights = np.asarray(window)
        if (
            not isinstance(window, str)
            and window is not None
            and (weights.ndim != 1 or weights.dtype.kind not in "iuf")
        ):
            raise ArgumentTypeError(f"STFT: window must be a name, an array of weights or None, got {short(window)}")
        if scaling not in (None, "density", "spectrum"):
            raise InvalidArgument(f"STFT: scaling must be 'density', 'spectrum' or None, got {short(scaling)}")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        if len(shape) != 3:
            raise ShapeError(f"STFT: shape must be (length, 1, frequencies), got {tuple(shape)}")
        length, _, count = shape
        angle = -np.pi * np.arange(length)[:, None, None] * np.arange(count) / max(count - 1, 1)
        kernel = np.cos(angle) if self.side == "real" else np.sin(angle)
        return as_tensor(kernel * self._weights(length)[:, None, None], _dtype(dtype))

    def _weights(self, length: int) -> Any:
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, str):
            weights = _WINDOWS[self.window](length + 1)[:-1] if self.periodic else _WINDOWS[self.window](length)
        else:
            weights = np.asarray(self.window, np.float64)
        if weights.shape != (length,):
            raise ShapeError(f"STFT: window must have shape {(length,)}, got {weights.shape}")
        scale = {None: 1.0, "density": np.sqrt(np.square(weights).sum()), "spectrum": np.abs(weights).sum()}
        return weights / scale[self.scaling]

    def get_config(self) -> dict[str, Any]:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}


_WINDOWS = {"hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman, "bartlett": np.bartlett}
stft = STFTInitializer = STFT
constant, zeros, ones, identity, orthogonal = Constant, Zeros, Ones, Identity, Orthogonal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
random_normal, random_uniform, truncated_normal, variance_scaling = (
    RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
)  # fmt: skip
glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_normal, lecun_uniform = (
    GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform,
)  # fmt: skip
_CLASSES: dict[str, type[Initializer]] = {
    "constant": Constant, "zeros": Zeros, "ones": Ones, "identity": Identity, "orthogonal": Orthogonal,
    "random_normal": RandomNormal, "random_uniform": RandomUniform, "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling, "glorot_normal": GlorotNormal, "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal, "he_uniform": HeUniform, "lecun_normal": LecunNormal, "lecun_uniform": LecunUniform,
    "stft": STFT,
}  # fmt: skip
KNOWN: dict[str, Any] = {
    **_CLASSES,
    **{cls.__name__: cls for cls in _CLASSES.values()},
    "zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The initializer of that name or config; functions and Initializer objects as they are; None for None.

    An array becomes the Constant of its values.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.initializers.get("ones")((2,)).tolist()
    [1.0, 1.0]
    """
    if isinstance(identifier, (np.ndarray, np.generic, Tensor)):
        return Constant(identifier)
    return resolve(identifier, KNOWN, "initializer")


def serialize(initializer: Any) -> Any:
    """An initializer as a config.

    >>> import autograd_nn as ag
    >>> ag.initializers.serialize(ag.initializers.GlorotUniform(seed=3))["config"]["seed"]
    3
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a config or name; `custom_objects` are names that may be used beside the known ones.

    >>> import autograd_nn as ag
    >>> ag.initializers.deserialize(ag.initializers.serialize(ag.initializers.Constant(3.0))).value
    3.0
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


suggest_calls(globals())
