"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: long short-term memory whose products are convolutions (Shi et al. 2015)."""

from typing import Any

from .. import ops, random
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..errors import ShapeError
from ..saving.registry import register
from .input_spec import InputSpec
from .recurrent_cells import LSTMCell, Masks, StepMasks
from .recurrent_layers import OneCell
from .windowed import ImageSpec, check_image_shape, check_reach, checked_window

_WINDOW = ("kernel_size", "strides", "dilation_rate")


class ConvLSTMCell(LSTMCell):
    """One step: the gates of an LSTM, from convolutions of the inputs and of the last output.

    rank: number of spatial axes. The other arguments are those of ConvLSTM2D.
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        **kwargs: Any,
    ) -> None:
        layout = standardize_data_format(data_format)
        super().__init__(filters, **kwargs)
        self.rank, self.filters, self.data_format = rank, self.units, layout
        self._window = checked_window(self.name, rank, kernel_size, strides, padding, dilation_rate)
        self.kernel_size, self.strides, self.dilation_rate = self._window[:3]
        self.padding = self._window.padding
        self._channel_axis = -1 if layout == "channels_last" else -rank - 1

    def build(self, input_shape: Any) -> None:
        channels = check_image_shape(input_shape, ImageSpec(self.rank, self.data_format), self.name)
        check_reach(self.name, self._window, input_shape, self.data_format, "kernel_size")
        last = self.data_format == "channels_last"
        sizes = input_shape[1:-1] if last else input_shape[2:]
        if None in sizes:
            raise ShapeError(
                f"layer {self.name!r} needs to know the spatial sizes of its input, got {tuple(input_shape)}; "
                "give them in Input(shape=...)"
            )
        outs = self._window.outs(sizes)
        self._state_shape = (*outs, self.filters) if last else (self.filters, *outs)
        self._input_shape = tuple(input_shape[1:])
        columns = self.gates * self.filters
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, columns), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (*self.kernel_size, self.filters, columns), self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (columns,), self._first_bias, regularizer=self.bias_regularizer, constraint=self.bias_constraint,
                name="bias",
            )  # fmt: skip

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros for both states."""
        return [ops.zeros((batch_size, *self._state_shape), dtype=self.compute_dtype) for _ in range(2)]

    def draw_masks(self, batch_size: Any) -> StepMasks:
        """New random masks for one batch, one per gate, the same for all of its time steps."""
        shapes = ((self.dropout, self._input_shape), (self.recurrent_dropout, self._state_shape))
        return StepMasks(*(self._draw_like(rate, (batch_size, *shape)) for rate, shape in shapes))

    def _draw_like(self, rate: float, shape: tuple[Any, ...]) -> Masks:
        if not rate:
            return None
        ones = ops.ones(shape, dtype=self.compute_dtype)
        return [random.dropout(ones, rate, seed=self.seed_generator) for _ in range(self.gates)]

    def _convolved(self, x: Tensor, kernel: Any, masks: Masks, **options: Any) -> Tensor:
        """The convolutions for all gates; each gate with its own mask where there are masks."""
        if masks is None:
            return self._each_step(x, kernel, options)
        parts = zip(masks, ops.split(kernel, self.gates, axis=-1))
        return ops.concatenate(
            [self._each_step(x * mask, part, options) for mask, part in parts], axis=self._channel_axis
        )

    def project(self, inputs: Tensor, masks: Masks = None) -> Tensor:
        """What the inputs contribute to the gates, for one step or for all, time first."""
        options = {"strides": self.strides, "padding": self.padding, "dilation_rate": self.dilation_rate}
        y = self._convolved(inputs, self.kernel, masks, **options)
        if self.bias is None:
            return y
        return y + ops.reshape(self.bias, (-1, *(1,) * (-1 - self._channel_axis)))

    def _each_step(self, x: Tensor, kernel: Any, options: dict[str, Any]) -> Tensor:
        """The convolution of one step, or of every step at once, time being part of the batch."""
        if x.ndim == self.rank + 2:
            return ops.conv(x, kernel, data_format=self.data_format, **options)
        time, batch, *sizes = ops.shape(x)
        y = ops.conv(ops.reshape(x, (time * batch, *sizes)), kernel, data_format=self.data_format, **options)
        return ops.reshape(y, (time, batch, *ops.shape(y)[1:]))

    def step(self, projected: Tensor, states: list[Tensor], masks: Masks = None) -> tuple[Tensor, list[Tensor]]:
        hidden, memory = states
        z = projected + self._convolved(hidden, self.recurrent_kernel, masks, padding="same")
        z_in, z_forget, z_new, z_out = ops.split(z, 4, axis=self._channel_axis)
        kept = self.recurrent_activation(z_forget) * memory
        memory = kept + self.recurrent_activation(z_in) * self.activation(z_new)
        output = self.recurrent_activation(z_out) * self.activation(memory)
        return output, [output, memory]


class ConvLSTM(OneCell):
    """What ConvLSTM1D, ConvLSTM2D and ConvLSTM3D share."""

    rank = 0

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed,
            name="conv_lstm_cell", dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell,
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
            stateful=stateful, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"], config["units"]
        # Plain tuples, as in Keras.
        return {**config, **{name: getattr(self.cell, name) for name in _WINDOW}}


@register()
class ConvLSTM2D(ConvLSTM):
    """Long short-term memory over images: its products are convolutions (Shi et al. 2015, arXiv 1506.04214).

    filters, kernel_size, strides, padding, data_format, dilation_rate: of the convolution of the inputs, as in Conv2D;
    that of the last output has the same kernel size, strides of 1 and padding "same"
    activation, recurrent_activation, use_bias, *_initializer, *_regularizer, *_constraint, unit_forget_bias, dropout,
    recurrent_dropout, seed: as in LSTM
    return_sequences, return_state, go_backwards, stateful: as in RNN

    Input: (batch, time, height, width, channels), heights and widths known; output: (batch, new height, new width,
    filters), or (batch, time, ...) for return_sequences. Errors as in Conv2D and LSTM.

    >>> import autograd_nn as ag
    >>> ag.layers.ConvLSTM2D(4, 3)(ag.ops.ones((2, 5, 8, 8, 3))).shape
    (2, 6, 6, 4)
    """

    rank = 2


@register()
class ConvLSTM1D(ConvLSTM):
    """Long short-term memory over rows of elements. Arguments as in ConvLSTM2D.

    Input: (batch, time, steps, channels); output: (batch, new steps, filters), or (batch, time, ...).

    >>> import autograd_nn as ag
    >>> ag.layers.ConvLSTM1D(4, 3, return_sequences=True)(ag.ops.ones((2, 5, 8, 3))).shape
    (2, 5, 6, 4)
    """

    rank = 1


@register()
class ConvLSTM3D(ConvLSTM):
    """Long short-term memory over volumes. Arguments as in ConvLSTM2D.

    Input: (batch, time, depth, height, width, channels); output: (batch, *new sizes, filters), or (batch, time, ...).

    >>> import autograd_nn as ag
    >>> ag.layers.ConvLSTM3D(2, 2)(ag.ops.ones((1, 2, 3, 3, 3, 1))).shape
    (1, 2, 2, 2, 2)
    """

    rank = 3
