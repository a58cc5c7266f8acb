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
from .backends import set_backend
from .engine.convert import tensor
from .engine.graph import Graph
from .engine.tensor import Tensor
from .engine.variable import Variable
from .initializers import Initializer
from .layers import Input, InputSpec, Layer
from .layers.context import name_scope
from .lazy import later
from .legacy import accept_old_arguments, accept_old_modules
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
    from . import testing, tree
    from .backends import backend
    from .testing import gradcheck
    from .visualize import plot_graph

__version__ = "0.1.0"


def version() -> str:
    """The version of this library.

    >>> import autograd_nn as ag
    >>> ag.version() == ag.__version__
    True
    """
    return __version__


# Keras' word for a tensor without a value, which is the same class here.
KerasTensor = Tensor

__all__ = [
    "Graph", "Initializer", "Input", "InputSpec", "KerasTensor", "Layer", "Loss", "Metric", "Model", "Optimizer",
    "Regularizer", "Sequential", "Tensor", "Variable", "activations", "backend", "callbacks", "checkpoint",
    "config", "constraints", "custom_op", "datasets", "errors", "grad", "gradcheck", "gradients", "hessian", "hvp",
    "initializers", "jacobian", "jit", "jvp", "layers", "losses", "metrics", "models", "name_scope",
    "no_grad", "ops", "optimizers", "plot_graph", "random", "regularizers", "saving", "set_backend", "stop_gradient",
    "tensor", "testing", "tree", "utils", "value_and_grad", "version", "visualize", "vjp",
]  # fmt: skip

__getattr__ = later(
    globals(),
    {
        "backend": ".backend",
        "gradcheck": ".testing:gradcheck",
        "plot_graph": ".visualize.plot:plot_graph",
        "preprocessing": ".preprocessing",
        "testing": ".testing",
        "tree": ".tree",
    },
)
errors.suggest_names(__name__)
accept_old_arguments()
accept_old_modules()
