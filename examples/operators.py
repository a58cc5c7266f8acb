"""A regression with operators alone, no layer: `python examples/operators.py [--quick]`. Writes graph.svg."""

import sys

import numpy as np

import autograd_nn as ag

STEPS = 50 if "--quick" in sys.argv else 2000
RATE = 0.1

rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, (256, 1)).astype("float32")
y = np.sin(2 * x) + rng.normal(0, 0.05, x.shape).astype("float32")

w = ag.tensor(rng.normal(0, 1, (1, 16)), dtype="float32", requires_grad=True, name="w")
b = ag.tensor(np.zeros(16), dtype="float32", requires_grad=True, name="b")
v = ag.tensor(rng.normal(0, 0.25, (16, 1)), dtype="float32", requires_grad=True, name="v")


def loss_of(w: ag.Tensor, b: ag.Tensor, v: ag.Tensor) -> ag.Tensor:
    """The mean squared error of one hidden layer of tanh units."""
    return ((np.tanh(x @ w + b) @ v - y) ** 2).mean()


for step in range(STEPS):
    loss = loss_of(w, b, v)
    loss.backward()
    if step % (STEPS // 5) == 0:
        print(f"step {step:4d}  loss {loss.item():.4f}")
    for parameter in (w, b, v):
        parameter.assign(parameter - RATE * parameter.grad)
        parameter.grad = None
print(f"step {STEPS:4d}  loss {loss_of(w, b, v).item():.4f}; the noise alone would leave 0.0025")

# The gradient is made of the same operations, so it can be differentiated again.
curvature = ag.hessian(lambda b: loss_of(w, b, v))(b)
print("largest curvature along b:", float(np.linalg.eigvalsh(curvature.numpy())[-1]))

a = ag.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True, name="a")
c = ag.tensor([0.5, -1.0], requires_grad=True, name="c")
result = (np.tanh(a * c) + a[0] ** 2).sum()
result.backward(retain_graph=True)
ag.plot_graph(result, to_file="graph.svg", show_values=True, show_grads=True)
print("a small graph with values and gradients: graph.svg")
