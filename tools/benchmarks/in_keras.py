"""The workloads as Keras models, built by one text: for Keras, and for autograd_nn, which has Keras' face."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .contender import Contender
from .workloads import (
    ADAM_EPSILON,
    BETA_1,
    BETA_2,
    CLASSES,
    IMAGE,
    RATE,
    RHO,
    RMSPROP_EPSILON_OF_MEAN,
    Array,
    Workload,
    one_hot,
    widths,
)


def mlp(k: Any, w: Workload) -> Any:
    """Dense layers with relu between them, softmax at the end."""
    inner = [k.layers.Dense(width, activation="relu") for width in widths(w.sizes)[1:-1]]
    return k.Sequential([k.Input((IMAGE**2,)), *inner, k.layers.Dense(CLASSES, activation="softmax")])


def convnet(k: Any, w: Workload) -> Any:
    """Two convolutions with pooling, dropout, a dense layer."""
    return k.Sequential([
        k.Input((IMAGE, IMAGE, 1)),
        k.layers.Conv2D(w.sizes["first"], 3, activation="relu"),
        k.layers.MaxPooling2D(2),
        k.layers.Conv2D(w.sizes["second"], 3, activation="relu"),
        k.layers.MaxPooling2D(2),
        k.layers.Flatten(),
        k.layers.Dropout(w.dropout),
        k.layers.Dense(CLASSES, activation="softmax"),
    ])  # fmt: skip


def lstm(k: Any, w: Workload) -> Any:
    """An embedding, an LSTM of which the last state counts, a dense layer."""
    return k.Sequential([
        k.Input((w.sizes["time"],), dtype="int32"),
        k.layers.Embedding(w.sizes["words"], w.sizes["width"]),
        k.layers.LSTM(w.sizes["width"]),
        k.layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def gpt(k: Any, w: Workload) -> Any:
    """A small language model: causal attention and a wide dense layer per block, normalised before each."""
    width, heads, time = w.sizes["width"], w.sizes["heads"], w.sizes["time"]

    class Places(k.layers.Layer):
        """Adds a trained row to each place."""

        def build(self, input_shape: Any) -> None:
            self.rows = self.add_weight(shape=(time, width), initializer="zeros", name="rows")

        def call(self, x: Any) -> Any:
            return x + self.rows

    x = k.Input((time,), dtype="int32")
    h = Places()(k.layers.Embedding(w.sizes["words"], width)(x))
    for _ in range(w.sizes["blocks"]):
        n = k.layers.LayerNormalization(epsilon=1e-5)(h)
        h = h + k.layers.MultiHeadAttention(heads, width // heads)(n, n, use_causal_mask=True)
        n = k.layers.LayerNormalization(epsilon=1e-5)(h)
        h = h + k.layers.Dense(width)(k.layers.Dense(4 * width, activation="gelu")(n))
    h = k.layers.LayerNormalization(epsilon=1e-5)(h)
    return k.Model(x, k.layers.Dense(w.sizes["words"], use_bias=False)(h))


MODELS: dict[str, Callable[[Any, Workload], Any]] = {"mlp": mlp, "convnet": convnet, "lstm": lstm, "gpt": gpt}


def compiled(k: Any, w: Workload) -> Any:
    """The model with the workload's weights, ready to train."""
    model = MODELS[w.model](k, w)
    model.set_weights(list(w.weights().values()))
    losses = {
        "lstm": "binary_crossentropy",
        "gpt": k.losses.SparseCategoricalCrossentropy(from_logits=True),
    }
    if w.optimizer == "adam":
        optimizer = k.optimizers.Adam(RATE, beta_1=BETA_1, beta_2=BETA_2, epsilon=ADAM_EPSILON)
    else:
        optimizer = k.optimizers.RMSprop(RATE, rho=RHO, epsilon=RMSPROP_EPSILON_OF_MEAN)
    model.compile(optimizer=optimizer, loss=losses.get(w.model, "categorical_crossentropy"))
    return model


def _data(w: Workload) -> list[tuple[Array, Array]]:
    classes = w.model in ("mlp", "convnet")
    return [(x, one_hot(y) if classes else y) for x, y in w.batches()]


def framework(name: str, threads: int) -> Any:
    """The module that has Keras' face."""
    k = importlib.import_module(name)
    if name == "autograd_nn":
        k.set_backend("numba")
        k.config.set_num_threads(threads)
    return k


def make(w: Workload, threads: int, variant: str) -> Contender:
    """The training step; variant "MODULE" by train_on_batch, "MODULE.fit" by fit over many batches."""
    name, _, way = variant.partition(".")
    k = framework(name, threads)
    if w.model == "chain":
        return Contender(_chain(k, w))
    model = compiled(k, w)
    data = _data(w)
    if way == "fit":
        return _fitting(model, w, data)
    return Contender(lambda i: model.train_on_batch(*data[i % len(data)]), model.reset_metrics)


def _fitting(model: Any, w: Workload, data: list[tuple[Array, Array]]) -> Contender:
    def fit(x: Array, y: Array) -> float:
        history = model.fit(x, y, batch_size=w.batch, epochs=1, verbose=0, shuffle=False)
        return float(history.history["loss"][0])

    def many(count: int) -> Callable[[], object]:
        x, y = (np.concatenate([data[i % len(data)][side] for i in range(count)]) for side in (0, 1))
        return lambda: fit(x, y)

    return Contender(lambda i: fit(*data[i % len(data)]), many=many)


def _chain(k: Any, w: Workload) -> Callable[[int], float]:
    ((x, _),) = w.batches(1)
    start = k.tensor(x, requires_grad=True)
    weight = k.tensor(w.weights()["weight"], requires_grad=True)

    def step(i: int) -> float:
        y = start
        for _ in range(w.sizes["length"] // 2):
            y = k.ops.tanh(y * weight)
        y.sum().backward()
        gradient, start.grad, weight.grad = weight.grad, None, None
        return float(gradient.value[-1])

    return step


def predictor(name: str, w: Workload, threads: int) -> dict[str, Callable[[], object]]:
    """Ways to get the output for one sample."""
    model = compiled(framework(name, threads), w)
    x = w.batches(1)[0][0][:1]
    return {
        "model(x)": lambda: np.asarray(model(x)),
        "model.predict(x)": lambda: model.predict(x, verbose=0),
        "model.predict_on_batch(x)": lambda: model.predict_on_batch(x),
    }
