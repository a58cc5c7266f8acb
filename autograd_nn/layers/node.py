"""The node that a layer call leaves in the graph of a functional model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..engine.op import Op
from ..engine.spec import Spec
from ..engine.tensor import Tensor, leaf, symbol, symbolic
from ..engine.tree import Structure, flatten, unflatten
from ..errors import ArgumentTypeError, short
from .context import shapes_only
from .masks import get_mask, set_mask


class Slot(NamedTuple):
    """Where in the arguments of a call the node's input of that number stands."""

    place: int


class Arguments(NamedTuple):
    """The arguments of a call with a Slot for every tensor."""

    structure: Structure
    leaves: tuple[Any, ...]

    def fill(self, inputs: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with these in place of the slots."""
        return unflatten(self.structure, [inputs[x.place] if isinstance(x, Slot) else x for x in self.leaves])


class Call(NamedTuple):
    """One symbolic call of a layer, as the layer remembers it. `tensor` is the node of all outputs."""

    tensor: Tensor
    arguments: Arguments
    outputs: Any

    @property
    def inputs(self) -> Any:
        """The tensors of the first argument."""
        args, kwargs = self.arguments.fill(self.tensor.inputs)
        return args[0] if args else next(iter(kwargs.values()), None)


def split(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Arguments, tuple[Tensor, ...]]:
    """The tensors among the arguments of a call, and the arguments around them."""
    leaves, structure = flatten((args, kwargs))
    tensors: list[Tensor] = []
    for place, x in enumerate(leaves):
        if isinstance(x, Tensor):
            leaves[place] = Slot(len(tensors))
            tensors.append(x)
    return Arguments(structure, tuple(leaves)), tuple(tensors)


def outputs_of(layer: Any, arguments: Arguments, inputs: Sequence[Tensor]) -> tuple[list[Any], Structure]:
    """The flat outputs of a call, and their structure."""
    args, kwargs = arguments.fill(inputs)
    return flatten(layer(*args, **kwargs))


def _infer(*_: Spec, specs: tuple[Spec, ...], **__: Any) -> Any:
    return specs if len(specs) > 1 else specs[0]


def infer_call(layer: Any, arguments: Arguments, inputs: Sequence[Tensor]) -> tuple[tuple[Spec, ...], Structure]:
    """The specs of the outputs of a call, and their structure, by running it on tensors without values."""
    outputs, structure = _rehearse(layer, arguments, inputs)
    return tuple(t.spec for t in outputs), structure


def _rehearse(layer: Any, arguments: Arguments, inputs: Sequence[Tensor]) -> tuple[list[Tensor], Structure]:
    """The outputs of a call for tensors like the inputs, which have masks where these will have some."""
    twins = [symbol(t.spec, name=t.name) for t in inputs]
    for twin, t in zip(twins, inputs):
        _promise_mask(twin, t)
    with shapes_only():
        outputs, structure = outputs_of(layer, arguments, twins)
    strange = [t for t in outputs if not isinstance(t, Tensor)]
    if strange or not outputs:
        raise ArgumentTypeError(f"layer {layer.name!r}: call must return tensors, got {short(strange or None)}")
    return outputs, structure


def _promise_mask(t: Tensor, like: Tensor) -> None:
    """Give `t` a mask without value where `like` has one."""
    mask = get_mask(like)
    if mask is not None:
        set_mask(t, symbol(mask.spec))


def _apply(inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
    outputs = outputs_of(params["layer"], params["arguments"], inputs)[0]
    return tuple(outputs) if len(outputs) > 1 else outputs[0]


def _eval(*values: Any, layer: Any, arguments: Arguments, **_: Any) -> Any:
    outputs = outputs_of(layer, arguments, [leaf(value) for value in values])[0]
    arrays = tuple(t.concrete("a layer's output") for t in outputs)
    return arrays if len(arrays) > 1 else arrays[0]


LAYER = Op("layer", eval=_eval, infer=_infer, apply=_apply, family="layer")
LAYERS = Op("layer", eval=_eval, infer=_infer, apply=_apply, family="layer", many=True)


def record_call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """The node of a call on tensors without values."""
    arguments, inputs = split(args, kwargs)
    found, structure = _rehearse(layer, arguments, inputs)
    specs = tuple(t.spec for t in found)
    params = {"layer": layer, "arguments": arguments, "specs": specs}
    many = len(specs) > 1
    result = symbolic(LAYERS if many else LAYER, inputs, params)
    outputs = result if many else (result,)
    for t, like in zip(outputs, found):
        t.name = layer.name
        _promise_mask(t, like)
    return Call(outputs[0].inputs[0] if many else result, arguments, unflatten(structure, outputs))
