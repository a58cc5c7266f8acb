"""A differential equation as the loss: Burgers' equation by a network (Raissi, Perdikaris and Karniadakis 2019).

    u_t + u u_x = nu u_xx,  u(0, x) = -sin(pi x),  u(t, -1) = u(t, 1) = 0,  nu = 0.1 / pi

No solution is shown to the network: its loss is what the equation leaves over at 2,000 points, which takes two
derivatives by x and t, and a third by the weights to train. u = -sin(pi x) + t (1 - x^2) network(t, x) meets the
conditions at the edges by itself. Cole (1951) and Hopf (1950) found the exact solution, an integral, to compare with.
Result to expect: less than 0.5 % relative error. Writes second_order.svg.
"""

import numpy as np
from pictures import command_line, line_chart

import autograd_nn as ag
from autograd_nn import layers, models, ops, optimizers, utils

NU = 0.1 / np.pi
TIMES = (0.0, 0.25, 0.5, 1.0)


class Burgers(models.Model):
    """u(t, x), trained on points of the plane alone."""

    def __init__(self) -> None:
        super().__init__()
        self.network = models.Sequential([layers.Dense(32, activation="tanh") for _ in range(4)] + [layers.Dense(1)])

    def call(self, points: ag.Tensor) -> ag.Tensor:
        t, x = points[:, :1], points[:, 1:]
        return -ops.sin(np.pi * x) + t * (1 - x**2) * self.network(points)

    def residual(self, points: ag.Tensor) -> ag.Tensor:
        """What the equation leaves over. Rows do not meet, so that the gradient of a sum is that of every row."""
        slopes = ag.grad(lambda p: self(p).sum())
        bends = ag.grad(lambda p: slopes(p)[:, 1].sum())
        u_t, u_x = slopes(points)[:, :1], slopes(points)[:, 1:]
        return u_t + self(points) * u_x - NU * bends(points)[:, 1:]

    def train_step(self, points: ag.Tensor) -> dict[str, ag.Tensor]:
        """The mean square of the residual, and one step of the optimizer."""
        loss = ops.mean(self.residual(points) ** 2)
        weights = self.trainable_variables
        self.optimizer.apply(ag.gradients(loss, weights), weights)
        return {"loss": loss}


def exact(t: float, x: np.ndarray) -> np.ndarray:
    """The solution of Cole and Hopf: a quotient of two integrals over a Gauss curve, by Gauss and Hermite's rule."""
    if t == 0:
        return -np.sin(np.pi * x)
    nodes, weights = np.polynomial.hermite.hermgauss(80)
    y = x[:, None] - np.sqrt(4 * NU * t) * nodes
    kernel = weights * np.exp(-np.cos(np.pi * y) / (2 * np.pi * NU))
    return -(np.sin(np.pi * y) * kernel).sum(axis=1) / kernel.sum(axis=1)


def on_line(t: float, x: np.ndarray) -> np.ndarray:
    """The points (t, x) of one time."""
    return np.stack([np.full_like(x, t), x], axis=1).astype("float32")


def main() -> None:
    quick, folder = command_line(__doc__)
    utils.set_random_seed(0)
    epochs = 5 if quick else 600
    points = np.random.default_rng(0).uniform((0, -1), (1, 1), (2000, 2)).astype("float32")

    model = Burgers()
    rate = optimizers.schedules.CosineDecay(5e-3, decay_steps=10 * epochs)
    model.compile(optimizer=optimizers.Adam(rate))
    model.fit(points, batch_size=200, epochs=epochs, verbose=0)

    x = np.linspace(-1, 1, 201)
    network = {t: model.predict(on_line(t, x), verbose=0)[:, 0] for t in TIMES}
    truth = {t: exact(t, x) for t in TIMES}
    gap = np.concatenate([network[t] - truth[t] for t in TIMES])
    error = np.linalg.norm(gap) / np.linalg.norm(np.concatenate(list(truth.values())))
    print(f"relative error {error:.3%}, greatest error {np.abs(gap).max():.4f}")

    curves = {}
    for t in TIMES:
        curves[f"t = {t:g}"] = (x, truth[t])
        curves[f"t = {t:g} | network"] = (x[::8], network[t][::8])
    title = "Burgers' equation: the exact solution (lines) and the network (circles)"
    line_chart(folder / "second_order.svg", title, curves, "x", "u(t, x)")
    if not quick and error > 0.005:
        raise SystemExit("the network missed the solution: expected a relative error of less than 0.5 %")


if __name__ == "__main__":
    main()
