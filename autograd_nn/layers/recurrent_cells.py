"""One step of a recurrent network: SimpleRNNCell, LSTMCell, GRUCell."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from .. import activations, constraints, initializers, ops, random, regularizers
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, short
from ..saving.registry import register
from .core import as_float, known_last_size
from .layer import Layer
from .weights import check_positive_int

Masks = Sequence[Tensor] | None


class StepMasks(NamedTuple):
    """Dropout masks of a cell: one for all gates, or one per gate; None where nothing is dropped."""

    inputs: Masks = None
    states: Masks = None


class GatedCell(Layer):
    """What the cells share: weights of a number of gates side by side, and dropout.

    A step is `step(project(inputs), states)`. The projection needs no state, so that a layer computes it for all time
    steps at once, before its loop. The output of a step is its first state.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        count = check_positive_int(units, f"{kind}: units")
        rates = [
            _rate(rate, f"{kind}: {what}")
            for rate, what in ((dropout, "dropout"), (recurrent_dropout, "recurrent_dropout"))
        ]
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.units = count
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout, self.recurrent_dropout = rates
        self.implementation = 1 if self.recurrent_dropout else implementation
        self.seed = seed
        if any(rates):
            self.seed_generator = seed if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)
        self.state_size: Any = count
        self.output_size = count
        self._held: StepMasks | None = None

    def build(self, input_shape: Any) -> None:
        width, columns = known_last_size(input_shape, self.name), self.gates * self.units
        self.kernel = self.add_weight(
            (width, columns), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (self.units, columns), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(), self._first_bias, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _first_bias(self, shape: Any, dtype: Any = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros for each state."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    # --- dropout

    def draw_masks(self, batch_size: Any) -> StepMasks:
        """New random masks for one batch, the same for all of its time steps."""
        count = self.gates if self.implementation == 1 else 1
        widths = ((self.dropout, self.kernel.shape[0]), (self.recurrent_dropout, self.units))
        return StepMasks(*(self._draw(count, rate, batch_size, width) for rate, width in widths))

    def _draw(self, count: int, rate: float, batch_size: Any, width: Any) -> Masks:
        if not rate:
            return None
        ones = ops.ones((batch_size, width), dtype=self.compute_dtype)
        return [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(count)]

    @contextmanager
    def holding_masks(self, batch_size: Any) -> Iterator[StepMasks]:
        """Inside, all training steps use the same masks; on its own each step draws new ones."""
        self._held = self.draw_masks(batch_size)
        try:
            yield self._held
        finally:
            self._held = None

    def held_masks(self) -> StepMasks:
        """The masks that all steps use now; none outside of `holding_masks`."""
        return StepMasks() if self._held is None else self._held

    def _masks(self, inputs: Tensor, training: Any) -> StepMasks:
        if not training:
            return StepMasks()
        return self.draw_masks(ops.shape(inputs)[0]) if self._held is None else self._held

    # --- a step

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        inputs = as_float(inputs, self.compute_dtype)
        masks = self._masks(inputs, training)
        nested = isinstance(states, (list, tuple))
        output, new = self.step(self.project(inputs, masks.inputs), list(states) if nested else [states], masks.states)
        return output, new if nested else new[0]

    def project(self, inputs: Tensor, masks: Masks = None) -> Tensor:
        """What the inputs contribute to the gates: (..., features) to (..., gates * units)."""
        y = _gated(inputs, self.kernel, masks, self.gates)
        bias = self._input_bias()
        return y if bias is None else y + bias

    def _input_bias(self) -> Any:
        return self.bias

    def step(self, projected: Tensor, states: list[Tensor], masks: Masks = None) -> tuple[Tensor, list[Tensor]]:
        """The output and the next states, from the projected inputs and the states."""
        raise NotImplementedError


def _rate(rate: Any, what: str) -> float:
    if isinstance(rate, (bool, str)) or not hasattr(rate, "__float__"):
        raise ArgumentTypeError(f"{what} must be a number with 0 <= rate < 1, got {short(rate)}")
    if not 0 <= rate < 1:
        raise InvalidArgument(f"{what} must be a number with 0 <= rate < 1, got {short(rate)}")
    return float(rate)


def _gated(x: Tensor, kernel: Any, masks: Masks, gates: int) -> Tensor:
    """x, masked, times the kernels of all gates; each gate with its own mask where there are several."""
    if masks is None:
        return ops.matmul(x, kernel)
    if len(masks) == 1:
        return ops.matmul(x * masks[0], kernel)
    parts = ops.split(kernel, gates, axis=1)
    return ops.concatenate([ops.matmul(x * mask, part) for mask, part in zip(masks, parts)], axis=-1)


@register()
class SimpleRNNCell(GatedCell):
    """One step of a simple recurrent network: `activation(inputs @ kernel + state @ recurrent_kernel + bias)`.

    units:      number of outputs, and size of the state
    activation: name or function
    use_bias:   whether a bias is added
    *_initializer, *_regularizer, *_constraint: of kernel, recurrent kernel and bias
    dropout, recurrent_dropout: parts of the inputs and of the state that are dropped while training, 0 <= rate < 1
    seed:       an int for the same masks in every run

    Call: inputs (batch, features), states [(batch, units)]; returns the output and the new states.

    >>> import autograd_nn as ag
    >>> output, states = ag.layers.SimpleRNNCell(4)(ag.ops.ones((2, 3)), [ag.ops.zeros((2, 4))])
    >>> output.shape
    (2, 4)
    """

    def step(self, projected: Tensor, states: list[Tensor], masks: Masks = None) -> tuple[Tensor, list[Tensor]]:
        output = self.activation(projected + _gated(states[0], self.recurrent_kernel, masks, 1))
        return output, [output]


@register()
class LSTMCell(GatedCell):
    """One step of a long short-term memory (Hochreiter and Schmidhuber 1997). Gates: input, forget, candidate, output.

    units:      number of outputs, and size of both states
    activation, recurrent_activation: of candidate and output, and of the gates
    use_bias, *_initializer, *_regularizer, *_constraint: as in SimpleRNNCell
    unit_forget_bias: start the forget gate's bias at 1 (Jozefowicz et al. 2015)
    dropout, recurrent_dropout, seed: as in SimpleRNNCell

    Call: inputs (batch, features), states [hidden, cell], each (batch, units); returns the output and the new states.

    >>> import autograd_nn as ag
    >>> zeros = ag.ops.zeros((2, 4))
    >>> output, states = ag.layers.LSTMCell(4)(ag.ops.ones((2, 3)), [zeros, zeros])
    >>> output.shape, len(states)
    ((2, 4), 2)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _first_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        first, last = (self.bias_initializer((n,), dtype=dtype) for n in (self.units, 2 * self.units))
        return ops.concatenate([first, ops.ones((self.units,), dtype=dtype), last])

    def step(self, projected: Tensor, states: list[Tensor], masks: Masks = None) -> tuple[Tensor, list[Tensor]]:
        hidden, memory = states
        z = projected + _gated(hidden, self.recurrent_kernel, masks, self.gates)
        z_in, z_forget, z_new, z_out = ops.split(z, 4, axis=-1)
        kept = self.recurrent_activation(z_forget) * memory
        memory = kept + self.recurrent_activation(z_in) * self.activation(z_new)
        output = self.recurrent_activation(z_out) * self.activation(memory)
        return output, [output, memory]


@register()
class GRUCell(GatedCell):
    """One step of a gated recurrent unit (Cho et al. 2014, arXiv 1406.1078). Gates: update, reset, candidate.

    units:       number of outputs, and size of the state
    activation, recurrent_activation: of the candidate, and of the gates
    use_bias, *_initializer, *_regularizer, *_constraint, dropout, recurrent_dropout, seed: as in SimpleRNNCell
    reset_after: apply the reset gate after the product with the recurrent kernel, which then has a bias of its own:
                 bias (2, 3 * units); else before it, bias (3 * units,)

    Call: inputs (batch, features), states [(batch, units)]; returns the output and the new states.

    >>> import autograd_nn as ag
    >>> output, states = ag.layers.GRUCell(4)(ag.ops.ones((2, 3)), [ag.ops.zeros((2, 4))])
    >>> output.shape
    (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        columns = 3 * self.units
        return (2, columns) if self.reset_after else (columns,)

    def _input_bias(self) -> Any:
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    def step(self, projected: Tensor, states: list[Tensor], masks: Masks = None) -> tuple[Tensor, list[Tensor]]:
        hidden = states[0]
        x_update, x_reset, x_new = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            inner = _gated(hidden, self.recurrent_kernel, masks, 3)
            inner = inner if self.bias is None else inner + self.bias[1]
            h_update, h_reset, h_new = ops.split(inner, 3, axis=-1)
            update, reset = self._gates(x_update + h_update, x_reset + h_reset)
            candidate = self.activation(x_new + reset * h_new)
        else:
            gates_kernel, new_kernel = ops.split(self.recurrent_kernel, [2 * self.units], axis=1)
            inner = _gated(hidden, gates_kernel, None if masks is None else masks[:2], 2)
            h_update, h_reset = ops.split(inner, 2, axis=-1)
            update, reset = self._gates(x_update + h_update, x_reset + h_reset)
            masked = hidden if masks is None else hidden * masks[2]
            candidate = self.activation(x_new + ops.matmul(reset * masked, new_kernel))
        output = update * hidden + (1 - update) * candidate
        return output, [output]

    def _gates(self, update: Tensor, reset: Tensor) -> tuple[Tensor, Tensor]:
        return self.recurrent_activation(update), self.recurrent_activation(reset)
