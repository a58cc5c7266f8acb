"""An operation of one's own, in Numba: a leaky memory, with its gradient checked, put to work inside a model.

    memory(x, a)[t] = a memory(x, a)[t - 1] + x[t]

A loop over time that NumPy has no function for; Numba makes machine code of it. Its gradient is the same loop run
backwards, so it is written with the op itself, and may be differentiated again. `gradcheck` compares it with
differences; a gradient with a planted mistake is caught and the mistake named. Then a layer learns from a noisy record
how fast five unknown memories leak. Result to expect: every leak found to within 0.005. Writes custom_op.svg.
"""

import numba
import numpy as np
from pictures import command_line, line_chart

import autograd_nn as ag
from autograd_nn import layers, models, ops, optimizers, utils

LEAKS = np.array([0.5, 0.8, 0.9, 0.95, 0.98])
Pair = tuple[ag.Tensor, ag.Tensor]


@numba.njit
def forward(x: np.ndarray, a: np.ndarray) -> np.ndarray:
    """x: shape (batch, time, n), a: shape (n,); the result has the shape of x."""
    y = np.empty_like(x)
    batch, time, n = x.shape
    for i in range(batch):
        for k in range(n):
            kept = 0.0
            for t in range(time):
                kept = a[k] * kept + x[i, t, k]
                y[i, t, k] = kept
    return y


def vjp(g: ag.Tensor, y: ag.Tensor, x: ag.Tensor, a: ag.Tensor) -> Pair:
    """The gradients of x and a from that of y, in tensor operations."""
    dx = ops.flip(memory(ops.flip(g, 1), a), 1)
    return dx, (dx[:, 1:] * y[:, :-1]).sum(axis=(0, 1))


def forgetful(g: ag.Tensor, y: ag.Tensor, x: ag.Tensor, a: ag.Tensor) -> Pair:
    """The same with a planted mistake: the sum over the batch became a mean."""
    dx = ops.flip(memory(ops.flip(g, 1), a), 1)
    return dx, (dx[:, 1:] * y[:, :-1]).sum(axis=1).mean(axis=0)


memory = ag.custom_op(forward, vjp, name="memory")
planted = ag.custom_op(forward, forgetful, name="planted")


class Memory(layers.Layer):
    """Memories that leak at rates to be learned, each kept between 0 and 1 by a sigmoid."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.gate = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="gate")

    def call(self, inputs: ag.Tensor) -> ag.Tensor:
        return memory(inputs, self.leaks())

    def leaks(self) -> ag.Tensor:
        return ops.sigmoid(self.gate)


def check() -> None:
    """First and second derivatives of the op, and the planted mistake."""
    rng = np.random.default_rng(0)
    x = ag.tensor(rng.normal(size=(3, 6, 2)), name="x")
    a = ag.tensor([0.5, 0.9], dtype="float64", name="a")
    for order in (1, 2):
        print(f"memory, order {order}: {'right' if ag.gradcheck(memory, (x, a), order=order) else 'wrong'}")
    report = ag.gradcheck(planted, (x, a), raise_exception=False)
    print("the planted mistake:", "missed" if report else "caught")
    print(report)
    if report:
        raise SystemExit("gradcheck missed the planted mistake")


def main() -> None:
    quick, folder = command_line(__doc__)
    utils.set_random_seed(0)
    check()
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(64, 200, len(LEAKS))).astype("float32")
    clean = forward(signal, LEAKS.astype("float32"))
    record = clean + rng.normal(0, 0.5, signal.shape).astype("float32")

    layer = Memory()
    model = models.Sequential([layers.Input(shape=signal.shape[1:]), layer])
    model.compile(optimizer=optimizers.Adam(0.05), loss="mse")
    model.fit(signal, record, batch_size=16, epochs=2 if quick else 60, verbose=0)

    found = layer.leaks().numpy()
    gap = np.abs(found - LEAKS).max()
    print("leaks:", "  ".join(f"{a:.3f} ({b:g})" for a, b in zip(found, LEAKS)))
    print(f"greatest distance from the true leaks: {gap:.4f}")

    time = np.arange(60)
    curves = {}
    for k in (0, 2, 4):
        curves[f"a = {found[k]:.3f}"] = (time, model.predict(signal[:1], verbose=0)[0, :60, k])
        curves[f"a = {found[k]:.3f} | record"] = (time, record[0, :60, k])
    title = "Three memories: what was recorded (circles) and what the layer learned (lines)"
    line_chart(folder / "custom_op.svg", title, curves, "time", "memory")
    if not quick and gap > 0.005:
        raise SystemExit("expected every leak to within 0.005")


if __name__ == "__main__":
    main()
