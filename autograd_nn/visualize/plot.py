"""`plot_graph`: the picture of a tensor's history, a function, a program, a graph or a model."""

from collections import Counter
from typing import Any

from ..engine.signatures import suggest_calls
from ..engine.tensor import RENDERER, Tensor
from ..errors import AutogradError, GradientError, GraphError, InvalidArgument, short
from .condense import MOST_NODES, Drawing, condense
from .dot import LARGE, to_dot
from .label import Shown
from .large import layered
from .picture import Picture, check_path
from .scene import Kind, make_scene
from .subject import Subject, gradients, make_subject
from .text import count, one_line

PLACED = ("-Kneato", "-n2")


def plot_graph(
    obj: Any,
    to_file: Any = "graph.svg",
    *,
    show_values: bool = False,
    show_grads: bool = False,
    show_source: bool = True,
    collapse: Any = "auto",
) -> Picture:
    """Draw the graph behind `obj`, write it to a file, and return the picture.

    obj:         a Tensor, a pair (function, example inputs), a jitted function, a Graph or a model
    to_file:     name of the file, ending in .svg, .png, .pdf or .dot; None to write none
    show_values: put small arrays on their nodes as they are, of larger ones the least, mean and greatest element
    show_grads:  put `.grad` on leaves and, where `obj` is one number, its gradient on every node
    show_source: name the line of code that made a node in its tooltip
    collapse:    "auto" shows blocks that repeat once and closes or leaves out what is more than 200 nodes; a number
                 sets another limit; False or None shows every node

    Raises ArgumentTypeError for another kind of object, InvalidArgument for another ending or `collapse`,
    FileNotFoundError for a folder that does not exist, GraphError where there is no graph (any more), GradientError
    where `show_grads` finds no gradient.

    >>> import autograd_nn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> ag.plot_graph(ag.ops.tanh(x * 2).sum(), to_file="graph.svg").path.name
    'graph.svg'
    """
    most, repeats = _limits(collapse)
    file = None if to_file is None else check_path(to_file, "plot_graph")
    subject = make_subject(obj)
    shown = Shown(show_values, _gradients(subject) if show_grads else {}, show_source)
    if show_values and not any(subject.value(t) is not None for t in subject.graph.nodes):
        name = one_line(subject.title)
        raise GraphError(f"plot_graph: {name} holds no values to show; pass a pair (function, example inputs)")
    picture = draw(subject, shown, most, repeats)
    return picture if file is None else picture.save(file)


def _limits(collapse: Any) -> tuple[int | None, bool | None]:
    """The most nodes to draw, and whether to show repeated blocks once (None: unless values are shown)."""
    if collapse is None or collapse is False:
        return None, False
    if collapse is True or isinstance(collapse, str) and collapse == "auto":
        return MOST_NODES, None
    if isinstance(collapse, int) and collapse >= 3:
        return collapse, True
    raise InvalidArgument(
        f"plot_graph: collapse must be 'auto', False or the most nodes to draw (an int >= 3), got {short(collapse)}"
    )


def _gradients(subject: Subject) -> dict[Tensor, Any]:
    found = gradients(subject)
    if not found:
        raise GradientError(
            f"plot_graph: show_grads found no gradient in {one_line(subject.title)}; draw a scalar that depends on a "
            "tensor with requires_grad, or call backward(retain_graph=True) first"
        )
    return found


def draw(subject: Subject, shown: Shown, most: int | None = MOST_NODES, repeats: bool | None = None) -> Picture:
    """The picture of a subject."""
    scene = make_scene(subject.graph, subject.kinds)
    details = shown.values or bool(shown.gradients)
    if repeats is None:
        repeats = not details or len(scene.nodes) > MOST_NODES
    drawing = condense(scene, most, repeats)
    placed = layered(drawing) if len(drawing.nodes) > LARGE else {}
    source, tips = to_dot(drawing, subject, shown, placed)
    title = f"Graph of {one_line(subject.title)}"
    return Picture(source, title, describe_drawing(drawing), tips, PLACED if placed else ())


def describe_drawing(drawing: Drawing) -> str:
    """What a picture shows, in words, for those who do not see it."""
    found = Counter(node.kind for node in drawing.nodes.values())
    words = [count(found[kind], kind.value) for kind in Kind if found[kind] and kind is not Kind.REST]
    return ", ".join(words)


def notebook_svg(obj: Any) -> str | None:
    """What a notebook shows of a tensor with a history, a graph or a model; None where text says more."""
    if isinstance(obj, Tensor) and obj.op is None:
        return None
    try:
        return draw(make_subject(obj), Shown(isinstance(obj, Tensor), {}, True)).svg
    except AutogradError:
        return None


RENDERER.svg = notebook_svg

suggest_calls(globals())
