"""The workloads in JAX: one jitted pure function per step, with optimizers written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .contender import Contender
from .workloads import (
    ADAM_EPSILON,
    BETA_1,
    BETA_2,
    RATE,
    RHO,
    RMSPROP_EPSILON_OF_MEAN,
    Workload,
    block_of,
    one_hot,
)

Tree = dict[str, Any]


def mlp(w: Workload, p: Tree, x: Any, key: Any) -> Any:
    """Logits of dense layers with relu between them."""
    count = w.sizes["depth"] + 1
    for k in range(count):
        x = x @ p[f"kernel{k}"] + p[f"bias{k}"]
        x = jax.nn.relu(x) if k < count - 1 else x
    return x


def convnet(w: Workload, p: Tree, x: Any, key: Any) -> Any:
    """Logits of two convolutions with pooling, dropout and a dense layer."""
    for k in (0, 1):
        x = lax.conv_general_dilated(x, p[f"conv{k}"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + p[f"conv{k}_bias"])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = x.reshape(len(x), -1)
    if w.dropout:
        x = jnp.where(jax.random.bernoulli(key, 1 - w.dropout, x.shape), x / (1 - w.dropout), 0)
    return x @ p["kernel"] + p["bias"]


def lstm(w: Workload, p: Tree, x: Any, key: Any) -> Any:
    """Logits after the last step of an LSTM; what does not depend on the state is computed before the loop."""
    inputs = p["table"][x] @ p["kernel"] + p["bias"]

    def step(carry: Any, now: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(now + h @ p["recurrent"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    start = jnp.zeros((len(x), w.sizes["width"]))
    (h, _), _ = lax.scan(step, (start, start), inputs.transpose(1, 0, 2))
    return h @ p["out"] + p["out_bias"]


def _normalized(x: Any, scale: Any, shift: Any) -> Any:
    mean = x.mean(-1, keepdims=True)
    centred = x - mean
    return centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5) * scale + shift


def gpt(w: Workload, p: Tree, x: Any, key: Any) -> Any:
    """Logits of a small language model."""
    batch, time = x.shape
    h = p["words"][x] + p["places"]
    mask = jnp.tril(jnp.ones((time, time), bool))
    scale = (w.sizes["width"] // w.sizes["heads"]) ** -0.5
    for k in range(w.sizes["blocks"]):
        b = block_of(p, k)
        n = _normalized(h, b["norm1"], b["norm1_bias"])
        names = ("query", "key", "value")
        q, r, v = (jnp.einsum("btd,dhe->bhte", n, b[s]) + b[f"{s}_bias"][:, None] for s in names)
        scores = jnp.where(mask, jnp.einsum("bhte,bhse->bhts", q, r) * scale, -jnp.inf)
        mixed = jnp.einsum("bhts,bhse->bhte", jax.nn.softmax(scores), v)
        h = h + jnp.einsum("bhte,hed->btd", mixed, b["project"]) + b["project_bias"]
        n = _normalized(h, b["norm2"], b["norm2_bias"])
        h = h + jax.nn.gelu(n @ b["up"] + b["up_bias"], approximate=False) @ b["down"] + b["down_bias"]
    return _normalized(h, p["norm"], p["norm_bias"]) @ p["head"]


def _classes(logits: Any, y: Any) -> Any:
    return -(jax.nn.log_softmax(logits) * y).sum(-1).mean()


def _words(logits: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], -1).mean()


def _yes(logits: Any, y: Any) -> Any:
    return (jax.nn.softplus(logits) - y * logits).mean()


MODELS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "mlp": (mlp, _classes),
    "convnet": (convnet, _classes),
    "lstm": (lstm, _yes),
    "gpt": (gpt, _words),
}


def rmsprop(p: Tree, g: Tree, state: Any) -> Any:
    """New weights and state."""
    mean = jax.tree.map(lambda v, g: RHO * v + (1 - RHO) * g * g, state, g)
    return jax.tree.map(lambda p, g, v: p - RATE * g / jnp.sqrt(v + RMSPROP_EPSILON_OF_MEAN), p, g, mean), mean


def adam(p: Tree, g: Tree, state: Any) -> Any:
    """New weights and state."""
    m, v, t = state
    t = t + 1
    rate = RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, g)
    v = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, v, g)
    return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + ADAM_EPSILON), p, m, v), (m, v, t)


def make(w: Workload, threads: int, variant: str) -> Contender:
    """The training step."""
    model, loss_of = MODELS[w.model]
    update = adam if w.optimizer == "adam" else rmsprop
    p = {name: jnp.asarray(value) for name, value in w.weights().items()}
    zeros = jax.tree.map(jnp.zeros_like, p)
    state: Any = (zeros, jax.tree.map(jnp.zeros_like, p), jnp.float32(0)) if w.optimizer == "adam" else zeros
    y_of = one_hot if loss_of is _classes else jnp.asarray
    data = [(jnp.asarray(x), jnp.asarray(y_of(y))) for x, y in w.batches()]

    def train(p: Tree, state: Any, key: Any, x: Any, y: Any) -> Any:
        key, own = jax.random.split(key) if w.dropout else (key, key)
        loss, g = jax.value_and_grad(lambda p: loss_of(model(w, p, x, own), y))(p)
        return loss, *update(p, g, state), key

    run = jax.jit(train, donate_argnums=(0, 1, 2))
    held = [p, state, jax.random.key(0)]

    def step(k: int) -> float:
        loss, held[0], held[1], held[2] = run(*held, *data[k % len(data)])
        return float(loss)

    return Contender(step)


def predictor(w: Workload, threads: int) -> dict[str, Callable[[], object]]:
    """Ways to get the output for one sample."""
    model, _ = MODELS[w.model]
    p = {name: jnp.asarray(value) for name, value in w.weights().items()}
    x = w.batches(1)[0][0][:1]
    run = jax.jit(lambda x: jax.nn.softmax(model(w, p, x, None)))
    return {"jit(model)(x)": lambda: run(x).__array__()}
