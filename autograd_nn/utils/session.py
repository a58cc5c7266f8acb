"""The state of the process: names given out, and what counts as a symbolic tensor of a model."""

import gc
from typing import Any

from ..engine.signatures import suggest_calls, suggests
from ..engine.tensor import MODE, Tensor
from ..layers.naming import reset_names


@suggests
def clear_session(free_memory: bool = True) -> None:
    """Forget the automatic names given out so far: the next Dense layer is called "dense" again.

    free_memory: also look for models that nobody holds any more, and free them

    >>> import autograd_nn as ag
    >>> ag.utils.clear_session()
    >>> ag.layers.Dense(1).name
    'dense'
    """
    reset_names()
    if free_memory:
        gc.collect()


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a symbolic tensor, such as `Input` and layers called on it give; False for tensors with values.

    >>> import autograd_nn as ag
    >>> ag.utils.is_keras_tensor(ag.Input((3,))), ag.utils.is_keras_tensor(ag.tensor([1.0]))
    (True, False)
    """
    return isinstance(x, Tensor) and x.is_symbolic and MODE.trace is None


suggest_calls(globals())
