"""The workloads: shapes, initial weights, batches and costs, the same for every framework.

Weights stand in the order of a Keras model, in Keras' layouts. All that is random comes from NumPy with one seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BATCHES = 4
SEED = 20240607
IMAGE, CLASSES = 28, 10


@dataclass(frozen=True)
class Workload:
    """A model, its data and its optimizer.

    model:     which model: "mlp", "convnet", "lstm", "gpt" or "chain"
    sizes:     of the model: widths, lengths, numbers of layers
    optimizer: "rmsprop" or "adam", "" where nothing is updated
    dropout:   the rate while it is timed; losses are compared without
    target:    the most that our step may take, as a share of the fastest peer's
    share:     the least share of the multiply-add peak
    threads:   how many, where not as many as asked for
    last:      the size of the last batch, where it is another
    """

    name: str
    what: str
    model: str
    batch: int
    sizes: dict[str, int] = field(default_factory=dict)
    optimizer: str = ""
    dropout: float = 0.0
    target: float | None = None
    share: float | None = None
    threads: int | None = None
    last: int | None = None

    def changed(self, batch: int | None = None, **sizes: int) -> Workload:
        """The same with another batch or other sizes."""
        return replace(self, batch=batch or self.batch, sizes={**self.sizes, **sizes})

    def quick(self) -> Workload:
        """The same small: to see that everything runs."""
        small = {name: min(size, _SMALL[name]) for name, size in self.sizes.items()}
        return self.changed(min(self.batch, 4), **small)

    def weights(self) -> dict[str, Array]:
        """Initial weights by name."""
        return _WEIGHTS[self.model](self, np.random.default_rng(SEED))

    def batches(self, count: int = BATCHES) -> list[tuple[Array, Array]]:
        """So many batches of inputs and targets; classes are integers."""
        rng = np.random.default_rng(SEED + 1)
        sizes = [self.batch] * (count - 1) + [self.last or self.batch]
        return [_BATCH[self.model](self.changed(size), rng) for size in sizes]

    @property
    def flops(self) -> int:
        """Floating-point operations of one training step: two per multiply-add of products and convolutions.

        A gradient costs as much as the forward, per operand that needs one. What is masked out is not counted.
        """
        return 2 * self.batch * _COSTS[self.model](self.sizes)


WORKLOADS = {
    w.name: w
    for w in (
        Workload(
            "mlp_seed", "784-32-10, batch 128, RMSprop", "mlp", 128, {"width": 32, "depth": 1}, "rmsprop",
            target=1 / 3,
        ),
        Workload(
            "mlp_wide", "784-512-10, batch 128, RMSprop", "mlp", 128, {"width": 512, "depth": 1}, "rmsprop",
            target=1 / 1.5,
        ),
        Workload(
            "convnet", "28x28x1, Conv32-3, pool, Conv64-3, pool, dropout, dense 10, batch 128, Adam", "convnet", 128,
            {"first": 32, "second": 64}, "adam", dropout=0.5, target=1 / 2, share=0.5,
        ),
        Workload(
            "lstm", "embedding 5000x128, T 80, LSTM 128, batch 32, Adam", "lstm", 32,
            {"words": 5000, "width": 128, "time": 80}, "adam", target=1 / 1.5, share=0.5,
        ),
        Workload(
            "gpt_nano", "4 blocks, width 128, 4 heads, T 64, batch 12, vocabulary 65, Adam", "gpt", 12,
            {"words": 65, "width": 128, "heads": 4, "blocks": 4, "time": 64}, "adam", target=1 / 1.5, share=0.5,
        ),
        Workload(
            "eager", "1000 multiply and tanh on 64 floats, forward and backward, one thread", "chain", 1,
            {"length": 1000, "elements": 64}, threads=1,
        ),
    )
}  # fmt: skip

_SMALL = {
    "width": 16, "depth": 1, "first": 4, "second": 4, "words": 20, "time": 8, "heads": 2, "blocks": 1, "length": 20,
    "elements": 8,
}  # fmt: skip

# The same rule in every framework, though they write it differently: Keras adds epsilon to the mean of squares, PyTorch
# to its root; Keras' Adam adds it to a root that is not yet corrected for the start at zero.
RATE, RHO, BETA_1, BETA_2 = 1e-3, 0.9, 0.9, 0.999
RMSPROP_EPSILON_OF_ROOT, RMSPROP_EPSILON_OF_MEAN, ADAM_EPSILON = 1e-7, 1e-14, 1e-8


def _dense(rng: np.random.Generator, rows: int, columns: int, shape: tuple[int, ...] | None = None) -> Array:
    """Uniform, with the variance of Glorot and Bengio 2010."""
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, shape or (rows, columns)).astype(np.float32)


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def _ones(*shape: int) -> Array:
    return np.ones(shape, np.float32)


# --- mlp: `depth` hidden layers


def widths(sizes: dict[str, int]) -> list[int]:
    """The widths of an mlp, from its input to its output."""
    return [IMAGE**2, *[sizes["width"]] * sizes["depth"], CLASSES]


def _mlp_weights(w: Workload, rng: np.random.Generator) -> dict[str, Array]:
    found = {}
    for k, (rows, columns) in enumerate(zip(widths(w.sizes), widths(w.sizes)[1:])):
        found[f"kernel{k}"] = _dense(rng, rows, columns)
        found[f"bias{k}"] = _zeros(columns)
    return found


def _pixels(w: Workload, rng: np.random.Generator) -> tuple[Array, Array]:
    shape = (w.batch, IMAGE**2) if w.model == "mlp" else (w.batch, IMAGE, IMAGE, 1)
    # Four pixels of five are dark, as in MNIST.
    x = rng.random(shape, np.float32) * (rng.random(shape, np.float32) < 0.2)
    return x, rng.integers(0, CLASSES, w.batch).astype(np.int32)


def _mlp_cost(sizes: dict[str, int]) -> int:
    forward = [rows * columns for rows, columns in zip(widths(sizes), widths(sizes)[1:])]
    return 3 * sum(forward) - forward[0]


# --- convnet


def _convnet_weights(w: Workload, rng: np.random.Generator) -> dict[str, Array]:
    first, second = w.sizes["first"], w.sizes["second"]
    return {
        "conv0": _dense(rng, 9, 9 * first, (3, 3, 1, first)),
        "conv0_bias": _zeros(first),
        "conv1": _dense(rng, 9 * first, 9 * second, (3, 3, first, second)),
        "conv1_bias": _zeros(second),
        "kernel": _dense(rng, 25 * second, CLASSES),
        "bias": _zeros(CLASSES),
    }


def _convnet_cost(sizes: dict[str, int]) -> int:
    first, second = sizes["first"], sizes["second"]
    return 2 * 26 * 26 * 9 * first + 3 * 11 * 11 * 9 * first * second + 3 * 25 * second * CLASSES


# --- lstm: gates in the order input, forget, cell, output


def _lstm_weights(w: Workload, rng: np.random.Generator) -> dict[str, Array]:
    width = w.sizes["width"]
    bias = _zeros(4 * width)
    bias[width : 2 * width] = 1
    recurrent = rng.standard_normal((width, 4 * width)) / np.sqrt(width)
    return {
        "table": rng.uniform(-0.05, 0.05, (w.sizes["words"], width)).astype(np.float32),
        "kernel": _dense(rng, width, 4 * width),
        "recurrent": recurrent.astype(np.float32),
        "bias": bias,
        "out": _dense(rng, width, 1),
        "out_bias": _zeros(1),
    }


def _reviews(w: Workload, rng: np.random.Generator) -> tuple[Array, Array]:
    x = rng.integers(0, w.sizes["words"], (w.batch, w.sizes["time"])).astype(np.int32)
    return x, rng.integers(0, 2, (w.batch, 1)).astype(np.float32)


def _lstm_cost(sizes: dict[str, int]) -> int:
    width, time = sizes["width"], sizes["time"]
    return 3 * (time * 2 * width * 4 * width + width)


# --- gpt: blocks of causal attention and a dense layer four times as wide, normalised before each


def _gpt_weights(w: Workload, rng: np.random.Generator) -> dict[str, Array]:
    width, heads = w.sizes["width"], w.sizes["heads"]

    def normal(*shape: int) -> Array:
        return (0.02 * rng.standard_normal(shape)).astype(np.float32)

    found = {"words": normal(w.sizes["words"], width), "places": normal(w.sizes["time"], width)}
    for k in range(w.sizes["blocks"]):
        block = {"norm1": _ones(width), "norm1_bias": _zeros(width)}
        for name in ("query", "key", "value"):
            block[name] = normal(width, heads, width // heads)
            block[f"{name}_bias"] = _zeros(heads, width // heads)
        block |= {
            "project": normal(heads, width // heads, width),
            "project_bias": _zeros(width),
            "norm2": _ones(width),
            "norm2_bias": _zeros(width),
            "up": normal(width, 4 * width),
            "up_bias": _zeros(4 * width),
            "down": normal(4 * width, width),
            "down_bias": _zeros(width),
        }
        found |= {f"block{k}.{name}": value for name, value in block.items()}
    return found | {"norm": _ones(width), "norm_bias": _zeros(width), "head": normal(width, w.sizes["words"])}


def _text(w: Workload, rng: np.random.Generator) -> tuple[Array, Array]:
    text = rng.integers(0, w.sizes["words"], (w.batch, w.sizes["time"] + 1)).astype(np.int32)
    return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])


def _gpt_cost(sizes: dict[str, int]) -> int:
    width, time = sizes["width"], sizes["time"]
    pairs = time * (time + 1) // 2
    block = time * 12 * width * width + 2 * pairs * width
    return 3 * (sizes["blocks"] * block + time * width * sizes["words"])


# --- chain: elementwise ops one by one


def _chain_weights(w: Workload, rng: np.random.Generator) -> dict[str, Array]:
    return {"weight": 1 + 0.001 * np.arange(w.sizes["elements"], dtype=np.float32)}


def _ramp(w: Workload, rng: np.random.Generator) -> tuple[Array, Array]:
    return 0.01 * np.arange(w.sizes["elements"], dtype=np.float32), _zeros()


_WEIGHTS = {
    "mlp": _mlp_weights, "convnet": _convnet_weights, "lstm": _lstm_weights, "gpt": _gpt_weights,
    "chain": _chain_weights,
}  # fmt: skip
_BATCH = {"mlp": _pixels, "convnet": _pixels, "lstm": _reviews, "gpt": _text, "chain": _ramp}
_COSTS = {"mlp": _mlp_cost, "convnet": _convnet_cost, "lstm": _lstm_cost, "gpt": _gpt_cost, "chain": lambda sizes: 0}


def one_hot(y: Array, classes: int = CLASSES) -> Array:
    """Class numbers as rows of zeros and a one."""
    rows: Array = np.eye(classes, dtype=np.float32)[y]
    return rows


def block_of(weights: dict[str, Any], k: int) -> dict[str, Any]:
    """The weights of one block of a gpt, by their names in it."""
    own = f"block{k}."
    return {name.removeprefix(own): value for name, value in weights.items() if name.startswith(own)}
