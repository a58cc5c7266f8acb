"""RNN: the loop over time around a cell; and several cells as one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..engine.tree import flatten, tree_map, unflatten
from ..engine.variable import Variable
from ..errors import ArgumentTypeError, ShapeError, short
from ..ops.family import differ
from ..saving.registry import register
from .arguments import call_spec
from .core import as_float
from .layer import Layer
from .recurrent_cells import GatedCell

Step = Callable[[Any, Any], tuple[Any, list[Any]]]


def _check_cell(cell: Any, what: str) -> None:
    """ArgumentTypeError unless `cell` can make steps."""
    if isinstance(cell, type):
        raise ArgumentTypeError(f"{what}: expected a cell, got the class {cell.__name__}; write {cell.__name__}(units)")
    for name in ("call", "state_size"):
        if not hasattr(cell, name):
            raise ArgumentTypeError(f"{what}: the cell {short(cell)} needs call(inputs, states) and state_size")


@register()
class StackedRNNCells(Layer):
    """Cells on top of each other as one cell, whose states are a list with those of each.

    cells: cells such as LSTMCell(8)

    >>> import autograd_nn as ag
    >>> cells = ag.layers.StackedRNNCells([ag.layers.LSTMCell(3), ag.layers.GRUCell(2)])
    >>> ag.layers.RNN(cells)(ag.ops.ones((1, 5, 4))).shape
    (1, 2)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ArgumentTypeError(f"StackedRNNCells: cells must be a list of cells, got {short(cells)}")
        for cell in cells:
            _check_cell(cell, "StackedRNNCells")
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The first states of each cell."""
        return [_first_state(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], _output_size(cell))

    def call(self, inputs: Any, states: Any, training: bool = False, **kwargs: Any) -> Any:
        new_states = []
        for cell, state in zip(self.cells, states):
            nested = isinstance(state, (list, tuple))
            inputs, new = call_cell(cell, inputs, list(state) if nested else [state], training, **kwargs)
            new_states.append(new if nested else new[0])
        return inputs, new_states


def call_cell(cell: Any, inputs: Any, states: list[Any], training: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
    """A cell's output and its new states as a list."""
    run = cell if callable(cell) else cell.call
    takes = call_spec(type(cell).call)
    given = {**kwargs, "training": training} if "training" in takes.names else kwargs
    output, new = run(inputs, states, **given)
    return output, list(new) if isinstance(new, (list, tuple)) else [new]


def _output_size(cell: Any) -> int:
    size = getattr(cell, "output_size", None)
    return flatten(cell.state_size)[0][0] if size is None else size


def _first_state(cell: Any, batch_size: Any, dtype: Any) -> Any:
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    zeros = tree_map(lambda size: ops.zeros((batch_size, size), dtype=dtype), cell.state_size)
    return list(zeros) if isinstance(zeros, (list, tuple)) else zeros


@register()
class RNN(Layer):
    """Steps a cell along the time axis.

    cell:             has `call(inputs, states)`, which returns (output, new states), and `state_size`, an int or a list
                      of ints; or a list of cells, which are stacked
    return_sequences: return the outputs of all steps, not the last one only
    return_state:     also return the last states
    go_backwards:     from the last step to the first, which comes out last
    stateful:         start each batch with the last states of the one before; the batch size must be known
    unroll:           record the steps one by one, for a known number of them
    zero_output_for_mask: outputs of masked steps are zero, not those of the step before

    Call: sequences (batch, time, ...), initial_state, mask (batch, time), training. Masked steps leave the states.
    Output: (batch, units), or (batch, time, units) for return_sequences; for return_state a tuple, the states after it.

    Inside, the loop is one `ops.scan`; what the inputs contribute to the gates of SimpleRNN, LSTM and GRU cells is
    computed for all steps before it.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.RNN(ag.layers.LSTMCell(4), return_sequences=True)
    >>> layer(ag.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    _untracked = Layer._untracked | {"states"}

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=kwargs.get("dtype"))
        _check_cell(cell, type(self).__name__)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.states: Any = None

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states, one per state."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
        if not self.stateful or self.states is not None:
            return
        if sequences_shape[0] is None:
            raise ShapeError(
                f"layer {self.name!r}: stateful=True needs a known batch size, got {tuple(sequences_shape)}; "
                "give it with Input(batch_shape=(batch, time, features))"
            )
        first = self.get_initial_state(sequences_shape[0])
        self.states = tree_map(
            lambda t: Variable(t, trainable=False, dtype=self.variable_dtype, name=f"{self.name}/rnn_state"), first
        )

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states before the first step, in a list."""
        state = _first_state(self.cell, batch_size, self.compute_dtype)
        return list(state) if isinstance(state, (list, tuple)) else [state]

    def _own_variables(self, seeds: bool) -> list[Variable]:
        # Kept states are variables, as in Keras, but no weights.
        kept = flatten(self.states)[0] if seeds else []
        return [*super()._own_variables(seeds), *kept]

    def reset_state(self) -> None:
        """Set the states kept by a stateful layer to zero."""
        for variable in flatten(self.states)[0]:
            variable.assign(ops.zeros_like(variable))

    reset_states = reset_state

    def compute_mask(self, _: Any, mask: Any) -> Any:
        passed = _only_mask(mask) if self.return_sequences else None
        return [passed, *[None] * len(self.state_size)] if self.return_state else passed

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        sequences = as_float(sequences, self.compute_dtype)
        batch = ops.shape(sequences)[0]
        states = self._start(sequences, initial_state, batch)
        last, outputs, states = self._walk(sequences, states, _only_mask(mask), batch, training)
        if self.stateful:
            for variable, state in zip(flatten(self.states)[0], flatten(states)[0]):
                variable.assign(state)
        output = outputs if self.return_sequences else last
        found = (output, *states) if self.return_state else output
        return tree_map(lambda t: ops.cast(t, self.compute_dtype), found)

    def _start(self, sequences: Tensor, initial_state: Any, batch: Any) -> list[Any]:
        """The states before the first step: given, kept, or zero."""
        if self.stateful and isinstance(batch, int) and batch != flatten(self.states)[0][0].shape[0]:
            raise ShapeError(
                f"layer {self.name!r} is stateful with batches of {flatten(self.states)[0][0].shape[0]}, got "
                f"{batch} samples; call it with batches of one size"
            )
        zeros = self.get_initial_state(batch)
        if initial_state is None and not self.stateful:
            return zeros
        given = self.states if initial_state is None else initial_state
        states = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(states) != len(self.state_size):
            raise ShapeError(
                f"layer {self.name!r} has {len(self.state_size)} states, got initial_state with {len(states)}; "
                "pass a list with one tensor per state"
            )
        tensors = tree_map(lambda zero, x: as_tensor(x, zero.dtype), zeros, states)
        for k, (zero, x) in enumerate(zip(flatten(zeros)[0], flatten(tensors)[0])):
            if differ(zero.spec.shape, x.spec.shape):
                raise ShapeError(
                    f"layer {self.name!r}: initial_state[{k}] has shape {show_shape(x.spec.shape)}, expected "
                    f"{show_shape(zero.spec.shape)}"
                )
        return tensors

    def _walk(
        self, sequences: Tensor, states: list[Any], mask: Tensor | None, batch: Any, training: Any
    ) -> tuple[Tensor, Any, list[Any]]:
        """The last output, all outputs (None if not asked for), and the last states."""
        gated, masked = isinstance(self.cell, GatedCell), mask is not None
        carried = masked and not self.zero_output_for_mask
        stacked = self.return_sequences or not (carried or gated and not masked)
        with _masks_held(self.cell, batch if training else None):
            step, rows = self._step_of(self._in_time_order(sequences), training)
            shown = None if mask is None else self._in_time_order(mask)
            first = self._first_output(step, rows, states) if carried else None
            stepped = _masked(step) if masked else _plain(step)
            (kept, states), outputs = self._loop(stepped, (first, states), (rows, shown), stacked)
        last = kept if carried else states[0] if not stacked or gated and not masked else outputs[-1]
        return last, ops.swapaxes(outputs, 0, 1) if self.return_sequences else None, states

    def _step_of(self, sequences: Tensor, training: Any) -> tuple[Step, Tensor]:
        """A step, and what it takes of each time step: of the library's own cells the projection of the inputs.

        sequences: time first
        """
        cell = self.cell
        if not isinstance(cell, GatedCell):
            return lambda x, states: call_cell(cell, x, states, training), sequences
        held = cell.held_masks()
        wide = None if held.inputs is None else [ops.expand_dims(m, 0) for m in held.inputs]
        return lambda x, states: cell.step(x, states, held.states), cell.project(sequences, wide)

    def _in_time_order(self, x: Tensor) -> Tensor:
        """Time first, in the order in which the steps are made."""
        x = ops.swapaxes(x, 0, 1)
        return ops.flip(x, 0) if self.go_backwards else x

    def _first_output(self, step: Step, rows: Tensor, states: list[Any]) -> Tensor:
        """The zeros that stand for the output before the first step."""
        return ops.zeros_like(states[0] if isinstance(self.cell, GatedCell) else step(rows[0], states)[0])

    def _loop(self, stepped: Callable[..., Any], carry: Any, rows: Any, stacked: bool) -> tuple[Any, Any]:
        """The carry after all steps, and the outputs stacked, time first, if they are asked for."""

        def body(carry: Any, row: Any) -> Any:
            carry, output = stepped(carry, row)
            return carry, output if stacked else None

        if not self.unroll:
            return ops.scan(body, carry, rows)
        count = rows[0].shape[0]
        if count is None:
            raise ShapeError(
                f"layer {self.name!r}: unroll=True needs a known number of time steps; give it in Input(shape=...)"
            )
        outputs = []
        for k in range(count):
            carry, output = body(carry, tree_map(lambda x, k=k: x[k], rows))
            outputs.append(output)
        return carry, ops.stack(outputs) if stacked else None


def _plain(step: Step) -> Callable[..., Any]:
    def stepped(carry: Any, row: Any) -> Any:
        output, new = step(row[0], carry[1])
        return (None, _like(new, carry[1])), output

    return stepped


def _masked(step: Step) -> Callable[..., Any]:
    """A step that leaves the states of masked samples and repeats their output, or makes it zero if none is carried."""

    def stepped(carry: Any, row: Any) -> Any:
        (before, states), (x, mask) = carry, row
        output, new = step(x, states)
        output = _choose(mask, output, ops.zeros_like(output) if before is None else before)
        new = tree_map(lambda a, b: _choose(mask, a, b), _like(new, states), states)
        return (None if before is None else output, new), output

    return stepped


def _like(new: Any, states: Any) -> Any:
    """The new states in the form of the old ones."""
    leaves, structure = flatten(new)[0], flatten(states)[1]
    return unflatten(structure, leaves)


def _choose(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    wide = ops.reshape(mask, (*ops.shape(mask), *[1] * (new.ndim - mask.ndim)))
    return ops.where(wide, new, old)


def _only_mask(mask: Any) -> Tensor | None:
    found = [m for m in flatten(mask)[0] if m is not None]
    return ops.cast(found[0], "bool") if found else None


@contextmanager
def _masks_held(cell: Any, batch: Any) -> Iterator[None]:
    """Inside, each cell with dropout uses one set of masks; nothing is drawn where `batch` is None."""
    cells = [c for c in cell._flatten_layers() if isinstance(c, GatedCell)] if isinstance(cell, Layer) else []
    with ExitStack() as stack:
        for c in cells if batch is not None else []:
            stack.enter_context(c.holding_masks(batch))
        yield
