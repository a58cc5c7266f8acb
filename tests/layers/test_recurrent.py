"""Recurrent layers through the layer suite, and what is particular to a loop over time."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, layers, models, ops
from autograd_nn.testing import layer_suite

RNG = np.random.default_rng(0)
THREE = ("kernel", "recurrent_kernel", "bias")
MOST = {
    "activation": "sigmoid",
    "kernel_regularizer": "l2",
    "recurrent_regularizer": "l1",
    "bias_constraint": "non_neg",
}


class Holding:
    """A layer class whose instances get a fresh layer inside, of their own dtype."""

    def __init__(self, layer_class: Any, name: str, inner: Any) -> None:
        self.layer_class, self.argument, self.inner = layer_class, name, inner
        self.__name__, self.from_config = layer_class.__name__, layer_class.from_config

    def __call__(self, **kwargs: Any) -> Any:
        return self.layer_class(**{self.argument: self.inner(kwargs.get("dtype"))}, **kwargs)


CASES: dict[str, tuple[Any, dict[str, Any], Any, dict[str, Any]]] = {
    "simple_rnn": (layers.SimpleRNN, {"units": 3}, (4, 2), {"output_shape": (3,), "weights": THREE, "mask": True}),
    "simple_rnn_rich": (layers.SimpleRNN, {"units": 3, **MOST, "return_sequences": True}, (4, 2), {"mask": True}),
    "lstm": (layers.LSTM, {"units": 3}, (4, 2), {"output_shape": (3,), "weights": THREE, "mask": True}),
    "lstm_states": (layers.LSTM, {"units": 2, "return_state": True}, (4, 2), {"output_shape": (2,)}),
    "lstm_plain": (
        layers.LSTM, {"units": 2, "use_bias": False, "go_backwards": True, "return_sequences": True}, (3, 2),
        {"output_shape": (3, 2), "weights": ("kernel", "recurrent_kernel")},
    ),
    "lstm_unrolled": (layers.LSTM, {"units": 2, "unroll": True, "unit_forget_bias": False}, (3, 2), {}),
    "lstm_dropout": (
        layers.LSTM, {"units": 3, "dropout": 0.4, "recurrent_dropout": 0.3, "seed": 1}, (4, 2),
        {"random_in_training": True},
    ),
    "gru": (layers.GRU, {"units": 3}, (4, 2), {"output_shape": (3,), "weights": THREE, "mask": True}),
    "gru_before": (layers.GRU, {"units": 3, "reset_after": False}, (4, 2), {"output_shape": (3,), "weights": THREE}),
    "gru_dropout": (layers.GRU, {"units": 2, "dropout": 0.4}, (4, 2), {"random_in_training": True}),
    "gru_before_dropout": (
        layers.GRU, {"units": 2, "recurrent_dropout": 0.4, "reset_after": False}, (4, 2), {"random_in_training": True},
    ),
    "rnn": (Holding(layers.RNN, "cell", lambda d: layers.LSTMCell(2, dtype=d)), {}, (3, 2), {"output_shape": (2,)}),
    "rnn_stacked": (
        Holding(layers.RNN, "cell", lambda d: [layers.GRUCell(2, dtype=d), layers.LSTMCell(2, dtype=d)]), {}, (3, 2),
        {"output_shape": (2,), "weights": THREE * 2},
    ),
    "bidirectional": (
        Holding(layers.Bidirectional, "layer", lambda d: layers.LSTM(2, return_sequences=True, dtype=d)), {}, (3, 2),
        {"output_shape": (3, 4), "weights": THREE * 2, "mask": True},
    ),
    "bidirectional_average": (
        Holding(layers.Bidirectional, "layer", lambda d: layers.GRU(2, dtype=d)), {"merge_mode": "ave"}, (3, 2),
        {"output_shape": (2,)},
    ),
    "time_distributed": (
        Holding(layers.TimeDistributed, "layer", lambda d: layers.Dense(2, dtype=d)), {}, (3, 2),
        {"output_shape": (3, 2), "weights": ("kernel", "bias")},
    ),
    "time_distributed_dropout": (
        Holding(layers.TimeDistributed, "layer", lambda d: layers.Dropout(0.5, dtype=d)), {}, (3, 2),
        {"random_in_training": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layer_suite(name: str) -> None:
    layer_class, init_kwargs, input_shape, expected = CASES[name]
    layer_suite(layer_class, init_kwargs, input_shape, **expected)


def test_embedding_suite() -> None:
    rows = RNG.integers(0, 5, (8, 3))
    layer_suite(
        layers.Embedding, {"input_dim": 5, "output_dim": 2}, input_data=lambda batch: rows[:batch],
        output_shape=(3, 2), weights=("embeddings",),
    )  # fmt: skip


def same(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


KINDS = [(layers.SimpleRNN, layers.SimpleRNNCell), (layers.LSTM, layers.LSTMCell), (layers.GRU, layers.GRUCell)]


def sequences(*shape: int) -> Any:
    return RNG.normal(size=shape or (2, 4, 3))


@pytest.mark.parametrize(("kind", "cell"), KINDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_layer_is_its_cell_in_a_python_loop(kind: Any, cell: Any, backwards: bool) -> None:
    layer = kind(3, return_sequences=True, return_state=True, go_backwards=backwards, dtype="float64")
    x = sequences()
    y, *states = layer(x)
    one = cell(3, dtype="float64")
    one.build((None, 3))
    one.set_weights(layer.get_weights())
    state, rows = one.get_initial_state(2), []
    for k in reversed(range(4)) if backwards else range(4):
        output, state = one(x[:, k], state)
        rows.append(output)
    same(y, ops.stack(rows, 1))
    for a, b in zip(states, state):
        same(a, b)


@pytest.mark.parametrize(("kind", "cell"), KINDS)
@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_general_loop_equals_that_of_known_cells(kind: Any, cell: Any, zero: bool, whole: bool) -> None:
    settings = {"return_sequences": whole, "return_state": True, "zero_output_for_mask": zero, "dtype": "float64"}
    layer = kind(3, **settings)
    x, mask = sequences(), np.array([[True, False, True, False], [False, False, True, True]])
    y = layer(x, mask=mask)
    one = cell(3, dtype="float64")
    stacked = layers.RNN([one], **settings)
    stacked(x)
    stacked.set_weights(layer.get_weights())
    again = stacked(x, mask=mask)
    same(y[0], again[0])
    for a, b in zip(y[1:], again[1] if isinstance(again[1], (list, tuple)) else again[1:]):
        same(a, b)


@pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_a_masked_end_is_a_shorter_sequence(kind: Any) -> None:
    layer = kind(3, dtype="float64", return_state=True)
    x, mask = sequences(), np.ones((2, 4), bool)
    mask[:, 2:] = False
    for a, b in zip(layer(x, mask=mask), layer(x[:, :2])):
        same(a, b)


def test_mask_of_an_embedding_reaches_the_loop_in_a_model() -> None:
    parts = [layers.Embedding(6, 3, mask_zero=True), layers.LSTM(4, return_sequences=True), layers.GRU(2)]
    model = models.Sequential([layers.Input((None,)), *parts, layers.Dense(1)])
    padded, cut = np.array([[1, 2, 3, 0, 0], [4, 5, 1, 0, 0]]), np.array([[1, 2, 3], [4, 5, 1]])
    np.testing.assert_allclose(model(padded), model(cut), rtol=1e-6)
    np.testing.assert_allclose(model.predict(padded, verbose=0), model(cut), rtol=1e-5, atol=1e-7)


def test_initial_state_and_returned_states_join_two_halves() -> None:
    layer = layers.LSTM(3, return_state=True, dtype="float64")
    x = sequences()
    _, *states = layer(x[:, :2])
    same(layer(x[:, 2:], initial_state=states)[0], layer(x)[0])
    with pytest.raises(errors.ShapeError, match="2 states, got initial_state with 1"):
        layer(x, initial_state=states[:1])


def test_initial_state_in_a_functional_model() -> None:
    inputs, state = ag.Input((4, 3)), ag.Input((2,))
    layer = layers.GRU(2)
    model = ag.Model([inputs, state], layer(inputs, initial_state=state))
    x, h = sequences().astype("float32"), RNG.normal(size=(2, 2)).astype("float32")
    np.testing.assert_allclose(model([x, h]), layer(x, initial_state=h), rtol=1e-6)


def test_stateful_layer_goes_on_where_it_was() -> None:
    x = sequences()
    layer, whole = (layers.GRU(3, stateful=s, dtype="float64") for s in (True, False))
    layer(x[:, :2])
    whole.build((2, 4, 3))
    whole.set_weights(layer.get_weights())
    same(layer(x[:, 2:]), whole(x))
    layer.reset_state()
    program = ag.jit(lambda v: layer(v))
    program(x[:, :2])
    same(program(x[:, 2:]), whole(x))
    with pytest.raises(errors.ShapeError, match="stateful with batches of 2"):
        layer(sequences(3, 4, 3))
    assert len(layer.weights) == 3


def test_kept_states_are_variables_but_no_weights() -> None:
    x = RNG.normal(size=(2, 4, 3))
    layer = layers.LSTM(3, stateful=True, dtype="float64")
    layer(x)
    assert len(layer.weights) == 3 and len(layer.variables) == 5 and len(layer.non_trainable_variables) == 2
    layer.reset_state()
    trained, zeros = layer.trainable_variables, [np.zeros((2, 3))] * 2
    y, states = layer.stateless_call(trained, zeros, x)
    assert np.array_equal(layer.states[0], zeros[0])
    assert np.allclose(layer.stateless_call(trained, states, x)[0], [layer(x), layer(x)][1], rtol=1e-12)
    assert np.allclose(y, states[0], rtol=1e-12)


def test_stateful_needs_a_batch_size() -> None:
    with pytest.raises(errors.ShapeError, match="known batch size"):
        layers.LSTM(3, stateful=True)(ag.Input((4, 3)))


def test_unknown_number_of_steps() -> None:
    inputs = ag.Input((None, 3))
    model = ag.Model(inputs, layers.Bidirectional(layers.LSTM(2, return_sequences=True))(inputs))
    assert model.output_shape == (None, None, 4)
    for steps in (1, 5):
        assert model(np.ones((2, steps, 3))).shape == (2, steps, 4)


def test_dropout_masks_are_the_same_at_every_step() -> None:
    layer = layers.SimpleRNN(
        6, activation=None, dropout=0.5, seed=3, return_sequences=True, recurrent_initializer="zeros"
    )
    y = layer(np.ones((1, 5, 4)), training=True).numpy()
    assert (y == y[:, :1]).all()
    assert not np.array_equal(y, layer(np.ones((1, 5, 4)), training=True).numpy())


def test_cell_of_a_user() -> None:
    class Decay(layers.Layer):
        state_size = 3

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")

        def call(self, inputs: Any, states: Any) -> Any:
            state = states[0] * 0.5 + inputs @ self.kernel
            return ops.concatenate([state, state], -1), [state]

    layer = layers.RNN(Decay(dtype="float64"), return_sequences=True, return_state=True, dtype="float64")
    x = sequences()
    mask = np.array([[True, False, True, True], [False, True, True, False]])
    y, state = layer(x, mask=mask)
    expected, h, last = [], np.zeros((2, 3)), np.zeros((2, 6))
    for k in range(4):
        new = h * 0.5 + x[:, k] @ layer.cell.kernel.numpy()
        h = np.where(mask[:, k, None], new, h)
        last = np.where(mask[:, k, None], np.concatenate([new, new], -1), last)
        expected.append(last)
    same(y, np.stack(expected, 1))
    same(state, h)


def test_a_state_may_be_a_matrix() -> None:
    class Tape(layers.Layer):
        state_size, output_size = [(5, 3), 5], 3

        def get_initial_state(self, batch_size: Any = None) -> Any:
            start = ops.broadcast_to(ops.one_hot(0, 5, dtype="float64"), (batch_size, 5))
            return [ops.zeros((batch_size, 5, 3), dtype="float64"), start]

        def call(self, inputs: Any, states: Any) -> Any:
            tape, place = states
            tape = tape + place[:, :, None] * inputs[:, None, :]
            return ops.sum(tape, axis=1), [tape, ops.roll(place, 1, axis=1)]

    layer = layers.RNN(Tape(dtype="float64"), return_sequences=True, return_state=True, dtype="float64")
    x = sequences()
    y, tape, place = layer(x)
    same(y, np.cumsum(x, 1))
    same(tape[:, :4], x)
    same(place, np.eye(5)[[4, 4]])


def test_bidirectional_is_both_directions() -> None:
    both = layers.Bidirectional(
        layers.GRU(2, return_sequences=True, return_state=True), merge_mode=None, dtype="float64"
    )
    x = sequences().astype("float32")
    forward, backward, *states = both(x)
    one = layers.GRU(2, return_sequences=True)
    one.build((None, 4, 3))
    one.set_weights(both.get_weights()[:3])
    np.testing.assert_allclose(forward, one(x), rtol=1e-5, atol=1e-6)
    one.set_weights(both.get_weights()[3:])
    np.testing.assert_allclose(backward[:, ::-1], one(x[:, ::-1]), rtol=1e-5, atol=1e-6)
    assert len(states) == 2


def test_time_distributed_with_a_mask_and_an_unknown_number_of_steps() -> None:
    inputs = ag.Input((None, 4, 3))
    outputs = layers.TimeDistributed(layers.LSTM(2))(inputs)
    assert outputs.shape == (None, None, 2)
    model = ag.Model(inputs, outputs)
    x = RNG.normal(size=(2, 5, 4, 3)).astype("float32")
    inner = model.layers[-1].layer
    np.testing.assert_allclose(model(x)[:, 3], inner(x[:, 3]), rtol=1e-5, atol=1e-6)


def test_one_trained_step_is_one_program_with_two_loops() -> None:
    layer = layers.LSTM(3)
    layer.build((None, 4, 2))
    step = ag.jit(lambda x: ag.gradients(ops.sum(layer(x)), layer.trainable_variables))
    x = np.ones((2, 4, 2), "float32")
    step(x)
    assert [t.op.name for t in step.graph.operations].count("scan") == 2


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: layers.LSTM(0), errors.InvalidArgument, "LSTMCell: units"),
        (lambda: layers.GRU(2, dropout=1.5), errors.InvalidArgument, "dropout"),
        (lambda: layers.LSTM(2, use_cudnn="no"), errors.InvalidArgument, "use_cudnn"),
        (lambda: layers.LSTM(2, retrun_state=True), errors.ArgumentTypeError, "did you mean 'return_state'"),
        (lambda: layers.RNN(layers.LSTMCell), errors.ArgumentTypeError, r"write LSTMCell\(units\)"),
        (lambda: layers.RNN(layers.Dense(2)), errors.ArgumentTypeError, "state_size"),
        (lambda: layers.LSTM(2)(np.ones((2, 3))), errors.ShapeError, "expects 3 axes"),
        (lambda: layers.LSTM(2, unroll=True)(ag.Input((None, 3))), errors.ShapeError, "unroll"),
        (lambda: layers.Bidirectional(layers.Dense(2)), errors.ArgumentTypeError, "recurrent layer"),
        (lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="cat"), errors.InvalidArgument, "merge_mode"),
        (
            lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)),
            errors.InvalidArgument,
            "differ in 'go_backwards'",
        ),
        (lambda: layers.TimeDistributed(layers.Dense(2))(np.ones((2, 3))), errors.ShapeError, "at least 3 axes"),
        (lambda: layers.TimeDistributed(layers.Dense), errors.ArgumentTypeError, r"write Dense\(...\)"),
        (lambda: layers.Embedding(0, 2), errors.InvalidArgument, "input_dim"),
        (lambda: layers.Embedding(5, 2)(np.array([[1, 5]])), errors.DataError, "from 0 to 4, got 5"),
        (lambda: layers.Embedding(5, 2)(np.array([[-1]])), errors.DataError, "got -1"),
    ],
)
def test_errors(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
