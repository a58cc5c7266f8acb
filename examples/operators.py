"""A regression with operators alone: no layer, no model, no optimizer.

`@`, `np.tanh` and `**` on tensors build the graph, `backward` leaves the gradients at the parameters, and three lines
update them. The gradient is made of the same operations, so `ag.hessian` of the same function tells how sharp the
valley is that was found.
Result to expect: a mean squared error near 0.0025, which is the noise. Writes operators.svg, the fit, and
operators_graph.svg, a small graph with its values and gradients.
"""

from pathlib import Path

import numpy as np
from pictures import command_line, line_chart

import autograd_nn as ag

RATE, NOISE = 0.1, 0.05
Parameters = list[ag.Tensor]


def make_parameters(rng: np.random.Generator) -> Parameters:
    """One hidden layer of 16 units."""
    shapes = {"w": (1, 16), "b": (16,), "v": (16, 1)}
    return [
        ag.tensor(rng.normal(0, 0.7, shape), dtype="float32", requires_grad=True, name=name)
        for name, shape in shapes.items()
    ]


def predict(x: np.ndarray, w: ag.Tensor, b: ag.Tensor, v: ag.Tensor) -> ag.Tensor:
    """A sum of tanh waves."""
    return np.tanh(x @ w + b) @ v


def error(x: np.ndarray, y: np.ndarray, w: ag.Tensor, b: ag.Tensor, v: ag.Tensor) -> ag.Tensor:
    """The mean squared error."""
    return ((predict(x, w, b, v) - y) ** 2).mean()


def fit(x: np.ndarray, y: np.ndarray, parameters: Parameters, steps: int) -> float:
    """Gradient descent; returns the error at its end."""
    for step in range(steps):
        loss = error(x, y, *parameters)
        loss.backward()
        if step % (steps // 5) == 0:
            print(f"step {step:4d}  error {loss.item():.4f}")
        for parameter in parameters:
            parameter.assign(parameter - RATE * parameter.grad)
            parameter.grad = None
    return error(x, y, *parameters).item()


def draw_graph(file: Path) -> None:
    """A small graph with values and gradients."""
    a = ag.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True, name="a")
    c = ag.tensor([0.5, -1.0], requires_grad=True, name="c")
    result = (np.tanh(a * c) + a[0] ** 2).sum()
    result.backward(retain_graph=True)
    ag.plot_graph(result, to_file=file, show_values=True, show_grads=True)


def main() -> None:
    quick, folder = command_line(__doc__)
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (256, 1)).astype("float32")
    y = np.sin(2 * x) + rng.normal(0, NOISE, x.shape).astype("float32")

    parameters = make_parameters(rng)
    left = fit(x, y, parameters, 50 if quick else 6000)
    print(f"mean squared error {left:.4f}; the noise alone would leave {NOISE**2:.4f}")

    w, b, v = parameters
    curvature = ag.hessian(lambda v: error(x, y, w, b, v))(v).numpy().reshape(16, 16)
    print(f"largest curvature along v: {np.linalg.eigvalsh(curvature)[-1]:.3f}")

    line = np.linspace(-2, 2, 101).astype("float32")
    curves = {
        "data | points": (x[:, 0], y[:, 0]),
        "sin 2x": (line, np.sin(2 * line)),
        "fit": (line, predict(line[:, None], *parameters).numpy()[:, 0]),
    }
    line_chart(folder / "operators.svg", "A regression with operators alone", curves, "x", "y")
    draw_graph(folder / "operators_graph.svg")
    if not quick and left > 0.003:
        raise SystemExit("expected an error near that of the noise")


if __name__ == "__main__":
    main()
