"""The workloads in PyTorch, as its users write them: eager, or with the model through `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .contender import Contender
from .workloads import (
    ADAM_EPSILON,
    BETA_1,
    BETA_2,
    RATE,
    RHO,
    RMSPROP_EPSILON_OF_ROOT,
    Array,
    Workload,
    block_of,
    widths,
)


class Convnet(nn.Module):
    """Two convolutions with pooling, dropout, a dense layer; images have their channels first."""

    def __init__(self, w: Workload) -> None:
        super().__init__()
        first, second = w.sizes["first"], w.sizes["second"]
        self.layers = nn.Sequential(
            nn.Conv2d(1, first, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(w.dropout), nn.Linear(25 * second, 10),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> Any:
        return self.layers(x)


class Classifier(nn.Module):
    """An embedding, an LSTM of which the last state counts, a dense layer."""

    def __init__(self, w: Workload) -> None:
        super().__init__()
        width = w.sizes["width"]
        self.table = nn.Embedding(w.sizes["words"], width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        # PyTorch adds two biases; training both would double their rate.
        self.lstm.bias_hh_l0.requires_grad_(False)
        self.out = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> Any:
        _, (last, _) = self.lstm(self.table(x))
        return self.out(last[-1])


class Block(nn.Module):
    """Causal attention, then a dense layer, each added to what comes in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.attend = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, time, width = x.shape
        split = self.attend(self.norm1(x)).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.project(mixed.transpose(1, 2).reshape(batch, time, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    """A small language model, normalised before each part."""

    def __init__(self, w: Workload) -> None:
        super().__init__()
        width = w.sizes["width"]
        self.words = nn.Embedding(w.sizes["words"], width)
        self.places = nn.Parameter(torch.zeros(w.sizes["time"], width))
        self.blocks = nn.Sequential(*[Block(width, w.sizes["heads"]) for _ in range(w.sizes["blocks"])])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, w.sizes["words"], bias=False)

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(self.norm(self.blocks(self.words(x) + self.places)))


def mlp(w: Workload) -> nn.Module:
    """Dense layers with relu between them."""
    sizes = widths(w.sizes)
    layers: list[nn.Module] = []
    for rows, columns in zip(sizes, sizes[1:]):
        layers += [nn.Linear(rows, columns), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _mlp_values(v: dict[str, Array]) -> list[Array]:
    return [value.T for value in v.values()]


def _convnet_values(v: dict[str, Array]) -> list[Array]:
    channels = v["conv1"].shape[-1]
    dense = v["kernel"].reshape(5, 5, channels, 10).transpose(3, 2, 0, 1).reshape(10, -1)
    convolutions = [v["conv0"].transpose(3, 2, 0, 1), v["conv0_bias"], v["conv1"].transpose(3, 2, 0, 1)]
    return [*convolutions, v["conv1_bias"], dense, v["bias"]]


def _lstm_values(v: dict[str, Array]) -> list[Array]:
    return [v["table"], v["kernel"].T, v["recurrent"].T, v["bias"], 0 * v["bias"], v["out"].T, v["out_bias"]]


def _gpt_values(v: dict[str, Array]) -> list[Array]:
    width = v["places"].shape[1]
    found = [v["places"], v["words"]]
    for k in range(sum(name.endswith(".norm1") for name in v)):
        b = block_of(v, k)
        joined = np.concatenate([b[name].reshape(width, width).T for name in ("query", "key", "value")])
        biases = np.concatenate([b[f"{name}_bias"].reshape(width) for name in ("query", "key", "value")])
        found += [b["norm1"], b["norm1_bias"], joined, biases, b["project"].reshape(width, width).T, b["project_bias"]]
        found += [b["norm2"], b["norm2_bias"], b["up"].T, b["up_bias"], b["down"].T, b["down_bias"]]
    return [*found, v["norm"], v["norm_bias"], v["head"].T]


def _classes(found: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(found.flatten(0, -2), y.flatten())


_Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
MODELS: dict[str, tuple[Callable[[Workload], nn.Module], Callable[[dict[str, Array]], list[Array]], _Loss]] = {
    "mlp": (mlp, _mlp_values, _classes),
    "convnet": (Convnet, _convnet_values, _classes),
    "lstm": (Classifier, _lstm_values, F.binary_cross_entropy_with_logits),
    "gpt": (GPT, _gpt_values, _classes),
}


def make(w: Workload, threads: int, variant: str) -> Contender:
    """The training step; variant "compile" sends the model through `torch.compile`."""
    torch.set_num_threads(threads)
    if w.model == "chain":
        return Contender(_chain(w))
    build, values, loss_of = MODELS[w.model]
    model: Any = build(w)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values(w.weights()), strict=True):
            parameter.copy_(torch.tensor(value.copy()))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = _optimizer(w.optimizer, trained)
    if variant == "compile":
        model = torch.compile(model)
    data = [(_inputs(w, x), torch.tensor(y).long() if y.dtype == "int32" else torch.tensor(y)) for x, y in w.batches()]

    def step(k: int) -> float:
        x, y = data[k % len(data)]
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return Contender(step)


def _inputs(w: Workload, x: Array) -> torch.Tensor:
    return torch.tensor(x.transpose(0, 3, 1, 2).copy() if w.model == "convnet" else x)


def _optimizer(name: str, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(parameters, lr=RATE, betas=(BETA_1, BETA_2), eps=ADAM_EPSILON)
    return torch.optim.RMSprop(parameters, lr=RATE, alpha=RHO, eps=RMSPROP_EPSILON_OF_ROOT)


def _chain(w: Workload) -> Callable[[int], float]:
    ((x, _),) = w.batches(1)
    start = torch.tensor(x, requires_grad=True)
    weight = torch.tensor(w.weights()["weight"], requires_grad=True)

    def step(k: int) -> float:
        y = start
        for _ in range(w.sizes["length"] // 2):
            y = torch.tanh(y * weight)
        y.sum().backward()
        gradient, start.grad, weight.grad = weight.grad, None, None
        assert gradient is not None
        return gradient[-1].item()

    return step


def predictor(w: Workload, threads: int) -> dict[str, Callable[[], object]]:
    """Ways to get the output for one sample."""
    torch.set_num_threads(threads)
    build, _, _ = MODELS[w.model]
    model = build(w).eval()
    x = _inputs(w, w.batches(1)[0][0][:1])

    def call() -> object:
        with torch.no_grad():
            return model(x).numpy()

    return {"model(x)": call}
