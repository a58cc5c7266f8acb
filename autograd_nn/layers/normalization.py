"""LayerNormalization, GroupNormalization, RMSNormalization, UnitNormalization: sample by sample."""

import warnings
from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..engine.spec import normal_axes
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .core import as_float
from .input_spec import InputSpec
from .layer import Layer


def check_axis(axis: Any, what: str) -> Any:
    """An int, or ints as a list; ArgumentTypeError for anything else."""
    several = isinstance(axis, (list, tuple))
    given = list(axis) if several else [axis]
    if not given or any(isinstance(k, bool) or not hasattr(k, "__index__") for k in given):
        raise ArgumentTypeError(f"{what}: axis must be an int or a list of ints, got {short(axis)}")
    return given if several else axis.__index__()


def check_share(value: Any, what: str, most: float = float("inf")) -> float:
    """A number from 0 to `most` as a float."""
    wanted = f"{what} must be a number >= 0" if most == float("inf") else f"{what} must be a number from 0 to {most:g}"
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise ArgumentTypeError(f"{wanted}, got {short(value)}")
    if not 0 <= value <= most:
        raise InvalidArgument(f"{wanted}, got {short(value)}")
    return float(value)


def sizes_along(axis: Any, shape: Any, layer: str) -> dict[int, int]:
    """The axes, in order and counted from the front, and their sizes; ShapeError where one is not known."""
    axes = normal_axes(axis, len(shape), f"layer {layer!r}: axis")
    for k in axes:
        if shape[k] is None:
            raise ShapeError(
                f"layer {layer!r} needs to know the size of axis {k} of its input, got {tuple(shape)}; "
                "give all sizes: Input(shape=...) or input_shape=..."
            )
    return {k: int(shape[k]) for k in axes}


class Affine(Layer):
    """Base of layers with a trained factor `gamma` and a trained offset `beta`."""

    center: Any
    scale: Any

    def _keep_affine(self, given: dict[str, Any]) -> None:
        """Take the arguments that these layers share out of those of `__init__`."""
        self.center = given["center"]
        self.scale = given["scale"]
        for name in ("beta", "gamma"):
            for kind, room in (
                ("initializer", initializers),
                ("regularizer", regularizers),
                ("constraint", constraints),
            ):
                setattr(self, f"{name}_{kind}", room.get(given[f"{name}_{kind}"]))
        self.gamma: Any = None
        self.beta: Any = None

    def _add_affine(self, shape: tuple[int, ...], gamma: bool, beta: bool) -> None:
        if gamma:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, name="gamma",
            )  # fmt: skip
        if beta:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, name="beta",
            )  # fmt: skip


@register()
class LayerNormalization(Affine):
    """Brings each sample to mean 0 and variance 1 along `axis`, then multiplies by `gamma` and adds `beta`.

    axis:    one or several; gamma and beta have their sizes
    epsilon: added to the variance
    center, scale: whether there is a beta, and a gamma
    beta_initializer, gamma_initializer, *_regularizer, *_constraint: of the two

    Input and output: any shape with known sizes along `axis`. Raises AxisError for an axis out of range.
    Ba et al. 2016, arXiv 1607.06450.

    >>> import autograd_nn as ag
    >>> ag.layers.LayerNormalization(epsilon=0.0)([[1.0, 3.0]]).tolist()
    [[-1.0, 1.0]]
    """

    _general_config = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        given = locals()
        rms_scaling = bool(kwargs.pop("rms_scaling", False))
        if rms_scaling:
            warnings.warn("LayerNormalization(rms_scaling=True) divides by the deviation; use RMSNormalization")
        checked = check_axis(axis, "LayerNormalization"), check_share(epsilon, "LayerNormalization: epsilon")
        super().__init__(**kwargs)
        self.axis, self.epsilon = checked
        self.rms_scaling = rms_scaling
        self._keep_affine(given)
        self.supports_masking = True
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        sizes = sizes_along(self.axis, input_shape, self.name)
        self._add_affine(tuple(sizes.values()), self.scale or self.rms_scaling, self.center and not self.rms_scaling)
        self.input_spec = InputSpec(axes=_as_given(self.axis, input_shape))

    def call(self, inputs: Any) -> Any:
        y = ops.layer_normalization(
            as_float(inputs, self.compute_dtype), self.gamma, self.beta, self.axis, self.epsilon,
            rms_scaling=self.rms_scaling,
        )  # fmt: skip
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


def _as_given(axis: Any, shape: Any) -> dict[int, int | None]:
    """The sizes by axis, negative ones as they are: the layer takes inputs with more axes in front."""
    return {k: int(shape[k]) for k in (axis if isinstance(axis, list) else [axis])}


@register()
class RMSNormalization(Layer):
    """Divides each sample by the root of its mean square along `axis`, then multiplies by a trained `scale`.

    axis:    one or several; scale has their sizes
    epsilon: added to the mean square

    Input and output: any shape with known sizes along `axis`. Raises AxisError for an axis out of range.
    Zhang and Sennrich 2019, arXiv 1910.07467.

    >>> import autograd_nn as ag
    >>> ag.layers.RMSNormalization()([[3.0, -3.0]]).numpy().round(3).tolist()
    [[1.0, -1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        checked = check_axis(axis, "RMSNormalization"), check_share(epsilon, "RMSNormalization: epsilon")
        super().__init__(**kwargs)
        self.axis, self.epsilon = checked

    def build(self, input_shape: Any) -> None:
        sizes = sizes_along(self.axis, input_shape, self.name)
        self.scale = self.add_weight(tuple(sizes.values()), "ones", name="scale")
        self.input_spec = InputSpec(axes=_as_given(self.axis, input_shape))

    def call(self, x: Any) -> Any:
        return ops.rms_normalization(as_float(x, self.compute_dtype), self.scale, self.axis, self.epsilon)


@register()
class UnitNormalization(Layer):
    """Divides each sample by its length along `axis`; a sample of zeros stays as it is.

    axis: one or several

    Input and output: any shape. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.layers.UnitNormalization()([[0.0, 2.0]]).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        axis = check_axis(axis, "UnitNormalization")
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.normalize(as_float(inputs, self.compute_dtype), self.axis, 2, 1e-12)


@register()
class GroupNormalization(Affine):
    """Brings each group of channels of each sample to mean 0 and variance 1, then multiplies by `gamma`, adds `beta`.

    groups:  number of groups; it must divide the number of channels. -1 for one channel per group
    axis:    the axis of channels
    epsilon: added to the variance
    center, scale: whether there is a beta, and a gamma, both (channels,)
    beta_initializer, gamma_initializer, *_regularizer, *_constraint: of the two

    Input and output: any shape with a known number of channels. Raises InvalidArgument where the groups do not fit.
    Wu and He 2018, arXiv 1803.08494.

    >>> import autograd_nn as ag
    >>> ag.layers.GroupNormalization(groups=2, epsilon=0.0)([[1.0, 3.0, 5.0, 9.0]]).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        given = locals()
        _check_groups(groups)
        epsilon = check_share(epsilon, "GroupNormalization: epsilon")
        super().__init__(**kwargs)
        self.groups = int(groups)
        self.axis = check_one_axis(axis, "GroupNormalization")
        self.epsilon = epsilon
        self._keep_affine(given)
        self.supports_masking = True
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        ((at, channels),) = sizes_along(self.axis, input_shape, self.name).items()
        count = channels if self.groups == -1 else self.groups
        if at == 0:
            raise InvalidArgument(f"layer {self.name!r}: axis {self.axis} is the batch axis; give that of the channels")
        if channels % count:
            raise InvalidArgument(
                f"layer {self.name!r}: {count} groups do not divide {channels} channels of axis {at} of input "
                f"{tuple(input_shape)}; groups must be a divisor"
            )
        self._place, self._count = at, count
        self._add_affine((channels,), self.scale, self.center)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        x = as_float(inputs, self.compute_dtype)
        at, count = self._place, self._count
        sizes = list(ops.shape(x))
        x_in_groups = ops.reshape(x, [*sizes[:at], count, sizes[at] // count, *sizes[at + 1 :]])
        axes = [k for k in range(1, x.ndim + 1) if k != at]
        y = ops.reshape_like(ops.layer_normalization(x_in_groups, axis=axes, epsilon=self.epsilon), x)
        y = y if self.gamma is None else y * self._along(self.gamma, y)
        y = y if self.beta is None else y + self._along(self.beta, y)
        return ops.cast(y, self.compute_dtype)

    def _along(self, values: Tensor, y: Tensor) -> Tensor:
        wide = ops.reshape(values, [-1, *[1] * (y.ndim - 1 - self._place)])
        return ops.cast(wide, y.dtype)


def check_one_axis(axis: Any, what: str) -> int:
    """One axis as an int."""
    if isinstance(axis, (bool, str, list, tuple)) or not hasattr(axis, "__index__"):
        raise ArgumentTypeError(f"{what}: axis must be an int, got {short(axis)}")
    return axis.__index__()


def _check_groups(groups: Any) -> None:
    wanted = "GroupNormalization: groups must be an int >= 1, or -1 for one channel per group"
    if isinstance(groups, (bool, str)) or not hasattr(groups, "__index__"):
        raise ArgumentTypeError(f"{wanted}, got {short(groups)}")
    if groups < 1 and groups != -1:
        raise InvalidArgument(f"{wanted}, got {groups}")
