"""Deep learning on one graph: built by operators or Keras layers, differentiated to any order, drawn and checked.

>>> import autograd_nn as ag
>>> x = ag.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad.tolist()
[2.0, 4.0]
"""

from typing import TYPE_CHECKING

from . import (
    activations,
    callbacks,
    config,
    constraints,
    datasets,
    errors,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
    visualize,
)
from .backends import backend, set_backend
from .engine.convert import tensor
from .engine.graph import Graph
from .engine.tensor import Tensor
from .engine.variable import Variable
from .initializers import Initializer
from .layers import Input, InputSpec, Layer
from .lazy import later
from .losses import Loss
from .metrics import Metric
from .models import Model, Sequential
from .ops import stop_gradient
from .ops.custom import custom_op
from .optimizers import Optimizer
from .regularizers import Regularizer
from .transforms import (
    checkpoint,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)

if TYPE_CHECKING:
    from . import testing
    from .testing import gradcheck
    from .visualize import plot_graph

__version__ = "0.1.0"

__all__ = [
    "Graph", "Initializer", "Input", "InputSpec", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer",
    "Sequential", "Tensor", "Variable", "activations", "backend", "callbacks", "checkpoint", "config", "constraints",
    "custom_op", "datasets", "errors", "grad", "gradcheck", "gradients", "hessian", "hvp", "initializers", "jacobian",
    "jit", "jvp", "layers", "losses", "metrics", "models", "no_grad", "ops", "optimizers", "plot_graph", "random",
    "regularizers", "saving", "set_backend", "stop_gradient", "tensor", "testing", "utils", "value_and_grad",
    "visualize", "vjp",
]  # fmt: skip

__getattr__ = later(
    globals(),
    {"gradcheck": ".testing:gradcheck", "plot_graph": ".visualize.plot:plot_graph", "testing": ".testing"},
)
