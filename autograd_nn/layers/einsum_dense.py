"""EinsumDense: a Dense whose axes are named in an equation."""

import math
import re
from typing import Any, NamedTuple

from .. import activations, constraints, initializers, ops, regularizers
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..ops.einsum import einsum
from ..saving.registry import register
from .core import as_float
from .input_spec import InputSpec
from .lora import Adaptable
from .weights import check_positive_int

_DOTS = r"(\.\.\.)?"
_FORM = re.compile(rf"{_DOTS}([a-zA-Z]+){_DOTS},([a-zA-Z]+)->{_DOTS}([a-zA-Z]+){_DOTS}")


class _Equation(NamedTuple):
    """The letters of input, kernel and output, and the side of the ellipsis, "" for none."""

    input: str
    kernel: str
    output: str
    dots: str


def _read(equation: Any, what: str) -> _Equation:
    """The parts of an equation; InvalidArgument for one that no kernel fits."""
    found = _FORM.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
    sides = None if found is None else (found[1], found[3], found[5], found[7])
    if found is None or sides not in ((None,) * 4, ("...", None, "...", None), (None, "...", None, "...")):
        raise InvalidArgument(
            f"{what}: equation must have the form 'ab,bc->ac', '...a,ab->...b' or 'ab...,bc->ac...', got "
            f"{short(equation)}"
        )
    parts = _Equation(found[2], found[4], found[6], "left" if found[1] else "right" if found[3] else "")
    for letters, known, of in (
        (parts.output, parts.input + parts.kernel, "the output"),
        (parts.kernel, parts.input + parts.output, "the kernel"),
    ):
        alone = [letter for letter in letters if letter not in known]
        if alone:
            raise InvalidArgument(
                f"{what}: {alone[0]!r} stands only in {of} of equation {equation!r}; its size is unknown"
            )
    return parts


class _Sizes(NamedTuple):
    """The shapes of the weights, and which axes of the kernel count inputs and outputs."""

    kernel: tuple[int, ...]
    bias: tuple[int, ...]
    input_axes: list[int]
    output_axes: list[int]


@register()
class EinsumDense(Adaptable):
    """`activation(einsum(equation, inputs, kernel) + bias)`: a Dense over any axes.

    equation:     such as "abc,cd->abd": input, kernel, output; an ellipsis stands for axes that stay as they are
    output_shape: sizes of the output without the batch and without the axes of an ellipsis, None for those of the input
    activation:   name or function; none if None
    bias_axes:    letters of the output along which there is a bias; no bias if None
    kernel_initializer, bias_initializer, *_regularizer, *_constraint: of the weights
    lora_rank, lora_alpha: as in `enable_lora`, which is called as soon as there is a kernel; no LoRA if None

    Raises InvalidArgument for an equation that cannot be meant, ShapeError for an input that does not fit it.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de")
    >>> layer(ag.ops.ones((1, 3, 4))).shape, layer.kernel.shape, layer.bias.shape
    ((1, 3, 2, 5), (4, 2, 5), (2, 5))
    """

    _general_config = True

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        **kwargs: Any,
    ) -> None:
        parts = _read(equation, "EinsumDense")
        partial = _checked_shape(output_shape)
        _check_bias(bias_axes, parts.output)
        super().__init__(**kwargs)
        self.equation = equation
        self.partial_output_shape = partial
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._init_lora(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        sizes = self._sizes(tuple(input_shape))
        self._kernel = self.add_weight(
            sizes.kernel, self._counting(sizes), regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                sizes.bias, self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape))
        self._adapt_if_asked()

    @property
    def kernel(self) -> Tensor:
        """The weights, those of LoRA included; a Variable without it."""
        return self._adapted_weight()

    @kernel.setter
    def kernel(self, weight: Any) -> None:
        self._kernel = weight

    def _counting(self, sizes: _Sizes) -> Any:
        """The kernel's initializer, which counts inputs and outputs by the axes of the equation."""
        given = self.kernel_initializer
        if not isinstance(given, initializers.VarianceScaling) or None not in (given.input_axes, given.output_axes):
            return given
        config = {**given.get_config(), "input_axes": sizes.input_axes, "output_axes": sizes.output_axes}
        # With the very seed of the given one, which may have been drawn.
        return type(given)(**{**config, "seed": given.seed})

    def _sizes(self, shape: tuple[Any, ...]) -> _Sizes:
        parts = _read(self.equation, f"layer {self.name!r}")
        hidden = len(shape) - len(parts.input)
        if hidden < 0 or hidden and not parts.dots:
            raise ShapeError(f"layer {self.name!r}: equation {self.equation!r} does not name the axes of input {shape}")
        full = _full_shape(self.partial_output_shape, shape, hidden, parts.dots)
        if len(full) != len(parts.output) + hidden:
            raise ShapeError(
                f"layer {self.name!r}: output_shape {self.partial_output_shape} does not fit the output "
                f"{parts.output!r} of {self.equation!r} without its batch axis"
            )
        front = hidden if parts.dots == "left" else 0
        given = dict(zip(parts.input, shape[front:]))
        made = dict(zip(parts.output, full[front:]))
        for letter in given.keys() & made.keys():
            if None not in (given[letter], made[letter]) and given[letter] != made[letter]:
                raise ShapeError(
                    f"layer {self.name!r}: {letter!r} has size {given[letter]} in input {shape}, and {made[letter]} in "
                    f"output_shape {self.partial_output_shape}"
                )
        known = {**given, **{letter: size for letter, size in made.items() if size is not None}}
        kernel = tuple(self._known(known[letter], letter, shape) for letter in parts.kernel)
        sides: list[list[int]] = [[], []]
        for k, letter in enumerate(parts.kernel):
            sides[letter in made].append(k)
        return _Sizes(kernel, self._bias_shape(parts, known, hidden, shape), *sides)

    def _bias_shape(self, parts: _Equation, known: dict[str, Any], hidden: int, shape: Any) -> tuple[int, ...]:
        if self.bias_axes is None:
            return ()
        first = min(parts.output.index(letter) for letter in self.bias_axes)
        sizes = [
            self._known(known[letter], letter, shape) if letter in self.bias_axes else 1
            for letter in parts.output[first:]
        ]
        return (*sizes, *[1] * (hidden if parts.dots == "right" else 0))

    def _known(self, size: Any, letter: str, shape: Any) -> int:
        if size is None:
            raise ShapeError(
                f"layer {self.name!r} needs to know the size of {letter!r} of {self.equation!r}, got input {shape}; "
                "give it in output_shape, or all sizes in Input(shape=...)"
            )
        return int(size)

    def call(self, inputs: Any) -> Any:
        x = as_float(inputs, self.compute_dtype)
        parts = _read(self.equation, self.name)
        if _is_product(parts, self.bias_axes):
            return self._product(x, parts)
        y = einsum(self.equation, x, self.kernel)
        return self.activation(y if self.bias is None else y + self.bias)

    def _product(self, x: Tensor, parts: _Equation) -> Tensor:
        """The call as one matrix product, in whose loop the bias can lie."""
        summed = _summed(parts)
        sizes = self._kernel.value.shape
        kept, new = ops.shape(x)[: x.ndim - summed], sizes[summed:]
        rows = math.prod(sizes[:summed])
        flat = x if summed == 1 else ops.reshape(x, _sizes_with_one_left(kept, (rows,)))
        y = ops.matmul(flat, ops.reshape(self.kernel, (rows, math.prod(new))))
        y = y if self.bias is None else y + ops.reshape(self.bias, (-1,))
        # Activations such as softmax must see the last axis as it is.
        return self.activation(y if len(new) == 1 else ops.reshape(y, _sizes_with_one_left(kept, new)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_shape": self.partial_output_shape}


def _summed(parts: _Equation) -> int:
    """How many axes of the kernel are summed over, if those come first."""
    return len(parts.kernel) - sum(letter in parts.output for letter in parts.kernel)


def _is_product(parts: _Equation, bias_axes: str | None) -> bool:
    """Whether the last axes of the input are summed over, and those of the kernel take their place."""
    summed = _summed(parts)
    inner, new = parts.kernel[:summed], parts.kernel[summed:]
    kept = parts.input.removesuffix(inner)
    whole = parts.input == kept + inner and parts.output == kept + new
    return parts.dots != "right" and bool(inner and new) and whole and bias_axes in (None, new)


def _sizes_with_one_left(kept: tuple[Any, ...], rest: tuple[Any, ...]) -> list[Any]:
    """A shape for `reshape`, whose only unknown size need not be computed."""
    unknown = [k for k, size in enumerate(kept) if not isinstance(size, int)]
    return [-1 if unknown == [k] else size for k, size in enumerate((*kept, *rest))]


def _full_shape(partial: tuple[Any, ...], shape: tuple[Any, ...], hidden: int, dots: str) -> tuple[Any, ...]:
    """The output's shape, with the batch and the axes that the ellipsis stands for."""
    if dots == "left":
        return (shape[0], *shape[1:hidden], *partial)
    return (shape[0], *partial, *shape[len(shape) - hidden :])


def _checked_shape(output_shape: Any) -> tuple[Any, ...]:
    several = isinstance(output_shape, (list, tuple))
    what = "EinsumDense: each size of output_shape" if several else "EinsumDense: output_shape"
    sizes = output_shape if several else (output_shape,)
    return tuple(None if size is None and several else check_positive_int(size, what) for size in sizes)


def _check_bias(bias_axes: Any, output: str) -> None:
    if bias_axes is None:
        return
    if not isinstance(bias_axes, str) or not bias_axes:
        raise ArgumentTypeError(f"EinsumDense: bias_axes must be letters of the output or None, got {short(bias_axes)}")
    strange = [letter for letter in bias_axes if letter not in output]
    if strange:
        raise InvalidArgument(
            f"EinsumDense: bias_axes {bias_axes!r} names {strange[0]!r}, which output {output!r} lacks"
        )
