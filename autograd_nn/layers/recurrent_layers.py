"""SimpleRNN, LSTM and GRU: a cell and its loop over time in one layer."""

from typing import Any

from ..errors import InvalidArgument, short
from ..saving.registry import register
from .arguments import init_names
from .input_spec import InputSpec
from .recurrent import RNN
from .recurrent_cells import GatedCell, GRUCell, LSTMCell, SimpleRNNCell


class OneCell(RNN):
    """An RNN whose arguments are those of its cell and of the loop."""

    cell: GatedCell

    def __init__(self, cell: GatedCell, use_cudnn: Any = "auto", **kwargs: Any) -> None:
        if use_cudnn not in ("auto", True, False):
            raise InvalidArgument(
                f"{type(self).__name__}: use_cudnn must be 'auto', True or False, got {short(use_cudnn)}"
            )
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        # Settings of the cell read as the layer's own, as in Keras.
        cell = self.__dict__.get("cell")
        if cell is not None and name in init_names(type(cell)):
            return getattr(cell, name)
        return super().__getattr__(name)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        own = ("name", "trainable", "dtype")
        return {**config, **{key: value for key, value in self.cell.get_config().items() if key not in own}}


@register()
class SimpleRNN(OneCell):
    """A recurrent layer whose state is its last output: `activation(x @ kernel + state @ recurrent_kernel + bias)`.

    units, activation, use_bias, *_initializer, *_regularizer, *_constraint, dropout,
    recurrent_dropout, seed: as in SimpleRNNCell
    activity_regularizer: penalty on the outputs
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: as in RNN

    Input: (batch, time, features); output: (batch, units), or (batch, time, units) for return_sequences.
    Raises ArgumentTypeError or InvalidArgument unless units is an int >= 1 and rates are in 0 <= rate < 1.

    >>> import autograd_nn as ag
    >>> ag.layers.SimpleRNN(4, return_sequences=True)(ag.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units, activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed, name="simple_rnn_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True), implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        super().__init__(
            cell,
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
            stateful=stateful, unroll=unroll, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip


@register()
class LSTM(OneCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997).

    units, activation, recurrent_activation, use_bias, *_initializer, *_regularizer, *_constraint, dropout,
    recurrent_dropout, seed, unit_forget_bias: as in LSTMCell
    activity_regularizer: penalty on the outputs
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: as in RNN
    use_cudnn: accepted as in Keras; there is one implementation

    Input: (batch, time, features); output: (batch, units), or (batch, time, units) for return_sequences.
    Raises ArgumentTypeError or InvalidArgument unless units is an int >= 1 and rates are in 0 <= rate < 1.

    >>> import autograd_nn as ag
    >>> ag.layers.LSTM(4, return_sequences=True)(ag.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed, name="lstm_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True), implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        super().__init__(
            cell,
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
            stateful=stateful, unroll=unroll, activity_regularizer=activity_regularizer, use_cudnn=use_cudnn,
            **kwargs,
        )  # fmt: skip


@register()
class GRU(OneCell):
    """Gated recurrent units (Cho et al. 2014, arXiv 1406.1078).

    units, activation, recurrent_activation, use_bias, *_initializer, *_regularizer, *_constraint, dropout,
    recurrent_dropout, seed, reset_after: as in GRUCell
    activity_regularizer: penalty on the outputs
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: as in RNN
    use_cudnn: accepted as in Keras; there is one implementation

    Input: (batch, time, features); output: (batch, units), or (batch, time, units) for return_sequences.
    Raises ArgumentTypeError or InvalidArgument unless units is an int >= 1 and rates are in 0 <= rate < 1.

    >>> import autograd_nn as ag
    >>> ag.layers.GRU(4, return_sequences=True)(ag.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed,
            reset_after=reset_after, name="gru_cell", dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True), implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        super().__init__(
            cell,
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
            stateful=stateful, unroll=unroll, activity_regularizer=activity_regularizer, use_cudnn=use_cudnn,
            **kwargs,
        )  # fmt: skip
