"""A layer called with other values for its variables, and nothing changed by it."""

from typing import Any

from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.tensor import Tensor, symbol, tracing
from ..engine.tree import flatten, unflatten
from ..engine.variable import Trace, Variable
from ..errors import ShapeError
from .arguments import as_input
from .node import split


def stateless_call(
    layer: Any, given: tuple[list[Any], list[Any]], args: tuple[Any, ...], kwargs: dict[str, Any], return_losses: bool
) -> Any:
    """The outputs of a call with `given` values of the trainable and the other variables, and new values of the latter.

    The call is traced with a stand-in for every variable, and the trace replayed on the values.
    """
    trained, fixed = layer.trainable_variables, layer.non_trainable_variables
    for what, have, got in (("trainable", trained, given[0]), ("non_trainable", fixed, given[1])):
        if len(have) != len(got):
            raise ShapeError(f"stateless_call: {layer.name!r} has {len(have)} {what}_variables, got {len(got)}")
    values = {v: as_tensor(value, v.dtype) for v, value in zip((*trained, *fixed), (*given[0], *given[1]))}
    arguments, inputs = split(args, kwargs)
    twins = [symbol(t.spec) for t in inputs]
    args, kwargs = arguments.fill(twins)
    trace = Trace()
    with tracing(trace):
        outputs, structure = flatten(layer(*args, **kwargs))
        losses = layer.losses if return_losses else []
    states = [trace.writes.get(v, trace.reads.get(v)) for v in fixed]
    wanted = [*outputs, *losses, *(t for t in states if t is not None)]
    results = _replay(trace, wanted, values, dict(zip(twins, inputs)))
    rest = iter(results[len(outputs) + len(losses) :])
    new = [values[v] if state is None else next(rest) for v, state in zip(fixed, states)]
    made = unflatten(structure, results[: len(outputs)])
    return (made, new, results[len(outputs) :][: len(losses)]) if return_losses else (made, new)


def _replay(
    trace: Trace, wanted: list[Tensor], values: dict[Variable, Tensor], inputs: dict[Tensor, Tensor]
) -> list[Tensor]:
    """What was traced, on these values of variables and inputs."""
    known: dict[Tensor, Tensor] = dict(values.items())
    given = dict(inputs)
    for outside, twin in trace.reads.items():
        given[twin] = known.get(outside, outside if type(outside) is Tensor else as_input(outside))
    return list(Graph(tuple(given), wanted, "stateless_call").replay(tuple(given.values())))
