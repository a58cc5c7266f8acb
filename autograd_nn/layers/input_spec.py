"""What inputs a layer takes, and the error that names layer, expectation and the input it got."""

from typing import Any

from ..engine.signatures import Checked
from ..engine.spec import Spec, as_dtype, public_shape, show_shape
from ..engine.tensor import Site, Tensor, line_of
from ..engine.tree import flatten
from ..errors import ArgumentTypeError, DTypeError, ShapeError, short


class InputSpec(metaclass=Checked):
    """Shape and dtype that an input must have; None for what does not matter.

    dtype:                   name or type
    shape:                   sizes, None for any
    ndim, min_ndim, max_ndim: number of axes
    axes:                    sizes of single axes, `{-1: 784}`
    allow_last_axis_squeeze: whether a last axis of size 1 may be missing or too many
    name:                    key of the input where inputs come as a dict
    optional:                whether the input may be None

    >>> import autograd_nn as ag
    >>> ag.layers.InputSpec(min_ndim=2, axes={-1: 4})
    InputSpec(min_ndim=2, axes={-1: 4})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {} if axes is None else {int(axis): size for axis, size in axes.items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        shown = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{key}={getattr(self, key)!r}" for key in shown if getattr(self, key)]
        return f"InputSpec({', '.join(given)})"

    def get_config(self) -> dict[str, Any]:
        return {
            "dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim, "axes": self.axes, "optional": self.optional,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        return cls(**config)

    def violation(self, spec: Spec) -> str:
        """What is expected and not met by a tensor of that spec, "" if nothing."""
        count = spec.ndim
        if self.ndim is not None and count != self.ndim and not self.allow_last_axis_squeeze:
            return f"{self.ndim} axes"
        if self.max_ndim is not None and count > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        if self.min_ndim is not None and count < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        for axis, size in self.axes.items():
            if not -count <= axis < count or _differ(spec.shape[axis], size):
                return f"last axis {size}" if axis == -1 else f"axis {axis} of size {size}"
        if self.shape is not None and not self._fits(spec.shape):
            return f"shape {self.shape}"
        if self.dtype is not None and spec.dtype.name != self.dtype:
            return f"dtype {self.dtype}"
        return ""

    def hint(self, t: Tensor) -> str:
        """What to type where one axis is missing in front, as the end of a message; "" where nothing helps."""
        needed = self.min_ndim or self.ndim
        if needed is None or t.ndim != needed - 1 or t.ndim == 0:
            return ""
        batched = (1, *t.spec.shape)
        fits = not self.violation(Spec(batched, t.dtype))
        return f"; for one sample pass x[None], shape {public_shape(batched)}" if fits else ""

    def _fits(self, shape: tuple[Any, ...]) -> bool:
        assert self.shape is not None
        expected = self.shape
        if self.allow_last_axis_squeeze:
            expected, shape = _squeezed(expected), _squeezed(shape)
        return len(expected) == len(shape) and not any(map(_differ, shape, expected))


def _squeezed(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    return shape[:-1] if shape and shape[-1] == 1 else shape


def _differ(size: Any, expected: int | None) -> bool:
    return expected is not None and isinstance(size, int) and size != expected


def check_inputs(expected: Any, inputs: Any, layer: str, built_at: Site | None = None) -> None:
    """ShapeError or DTypeError unless `inputs` are what the specs of a layer ask for.

    built_at: the line where the layer's sizes were fixed, for the message
    """
    specs = flatten(expected)[0]
    if inputs is None:
        raise ArgumentTypeError(f"layer {layer!r} expects a tensor, got None")
    if isinstance(inputs, dict) and all(spec.name for spec in specs):
        inputs = [_named(inputs, spec.name, layer) for spec in specs]
    tensors = [inputs] if isinstance(inputs, Tensor) else list(flatten(inputs)[0])
    if len(tensors) != len(specs):
        raise ShapeError(f"layer {layer!r} expects {len(specs)} inputs, got {len(tensors)}")
    for spec, t in zip(specs, tensors):
        if not isinstance(t, Tensor):
            raise ArgumentTypeError(f"layer {layer!r} expects tensors as inputs, got {short(t)}")
        violation = spec.violation(t.spec)
        if violation:
            kind = DTypeError if violation.startswith("dtype") else ShapeError
            line = f" (built at {line_of(built_at)})" if built_at else ""
            raise kind(f"layer {layer!r} expects {violation}{line}, got {_source(t, spec)}{spec.hint(t)}")


def _named(inputs: dict[str, Any], name: str, layer: str) -> Any:
    if name not in inputs:
        raise ShapeError(f"layer {layer!r} misses input {name!r}; got a dict with the keys {sorted(inputs)}")
    return inputs[name]


def _source(t: Tensor, spec: InputSpec) -> str:
    """The tensor as the message shows it: `input (None, 3) from 'dense_1'`."""
    if spec.dtype is not None and t.dtype.name != spec.dtype:
        return f"{t.dtype.name} input {show_shape(t.spec.shape)}"
    shown = f"input {show_shape(t.spec.shape)}"
    if t.name:
        return f"{shown} from {t.name!r}"
    return shown if t.op is None else f"{shown}, the result of {t.op.name}"
