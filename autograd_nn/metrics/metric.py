"""The base of metrics: numbers gathered over the batches of an epoch."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import initializers
from ..engine.convert import as_tensor
from ..engine.signatures import Checked
from ..engine.spec import as_dtype, default_float
from ..engine.tensor import Tensor
from ..engine.variable import Variable, snapshot
from ..errors import ArgumentTypeError, GraphError
from ..layers.naming import snake_case
from ..saving.loading import claim_state


class Metric(metaclass=Checked):
    """Base of metrics: `update_state` takes batches in, `result` gives the number so far, `reset_state` forgets.

    dtype: of the state; the default float if None
    name:  shown in logs

    A subclass makes its state with `add_variable` and defines `update_state` and `result`.

    >>> import autograd_nn as ag
    >>> class Count(ag.metrics.Metric):
    ...     def __init__(self, name="count"):
    ...         super().__init__(name=name)
    ...         self.n = self.add_variable(shape=(), initializer="zeros", name="n")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.n.assign_add(1)
    ...     def result(self):
    ...         return self.n
    >>> float(Count()([1.0], [1.0]))
    1.0
    """

    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._own: list[Variable] = []
        self._inner: list[Metric] = []
        self.name = name or snake_case(type(self).__name__)
        self._dtype = default_float().name if dtype is None else as_dtype(dtype).name

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state, that of metrics inside it included."""
        return [*self._own, *(v for metric in self._inner for v in metric.variables)]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Variable, Metric)):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, value: Any) -> None:
        if "_own" not in self.__dict__:
            raise GraphError(f"{type(self).__name__}.__init__ must call super().__init__() before it makes its state")
        known = self._own if isinstance(value, Variable) else self._inner
        if not any(value is other for other in known):
            known.append(value)

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A new piece of state; `reset_state` sets it to zero."""
        make = initializers.get("zeros" if initializer is None else initializer)
        kind = self.dtype if dtype is None else dtype
        claim_state(f"{self.name}/{name or 'variable'}", math.prod(shape) * as_dtype(kind).itemsize)
        value = make(tuple(shape), dtype=kind)
        variable = Variable(value, trainable=False, name=f"{self.name}/{name or 'variable'}")
        self._track(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define result")

    def reset_state(self) -> None:
        for variable in self.variables:
            variable.clear()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Tensor]:
        """The state after a batch, from the state before; the metric's own state stays as it is."""
        return self._with(metric_variables, lambda: self.update_state(*args, **kwargs))[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result for a state; the metric's own state stays as it is."""
        return self._with(metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Tensor]:
        """The state of a metric that has seen nothing."""
        return self._with(self.variables, self.reset_state)[1]

    def _with(self, values: Sequence[Any], action: Callable[[], Any]) -> tuple[Any, list[Tensor]]:
        own = self.variables
        if len(values) != len(own):
            raise ArgumentTypeError(f"{self.name}: expected {len(own)} metric_variables, got {len(values)}")
        before = [snapshot(v) for v in own]
        given = [snapshot(v) if isinstance(v, Variable) else as_tensor(v) for v in values]
        try:
            for variable, value in zip(own, given):
                variable.assign(value)
            result = action()
            result = snapshot(result) if isinstance(result, Variable) else result
            return result, [snapshot(v) for v in own]
        finally:
            for variable, value in zip(own, before):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
