"""Pictures of models as boxes, one per layer: `plot_model` and `model_to_dot`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..engine.graph import Graph
from ..engine.signatures import suggests
from ..errors import ArgumentTypeError, InvalidArgument, NotBuiltError, did_you_mean, short
from ..visualize.dot import big, new_digraph, small, tooltip
from ..visualize.picture import Picture, check_path
from ..visualize.scene import Kind
from ..visualize.structure import Box, boxes_of, graph_of, is_model
from ..visualize.style import CLUSTER_FILLS, CLUSTER_LINE, LOOKS, SOFT, TEXT, WHITE
from ..visualize.summary import shapes_text
from ..visualize.svg import Tip
from ..visualize.text import one_line, tip_text

RANKDIRS = ("TB", "LR", "BT", "RL")
SPLINES = ("ortho", "spline", "curved", "polyline", "line")
INPUT, TRAINABLE, FROZEN = LOOKS[Kind.INPUT].line, LOOKS[Kind.PARAMETER].line, "#a8434b"
LAYER = LOOKS[Kind.LAYER].line
LONGEST_TEXT = 60
Port = list[Any]


class _Wanted(NamedTuple):
    """What the boxes say."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool


@suggests
def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Picture:
    """Draw a model as a box per layer, write it to a file, and return the picture, which a notebook shows.

    to_file:                name of the file, ending in .svg, .png, .pdf or .dot; None to write none
    show_shapes:            shapes of inputs and outputs
    show_dtype:             dtypes of outputs
    show_layer_names:       names beside types
    rankdir:                "TB" from top to bottom, "LR" from left to right; "BT", "RL"
    expand_nested:          draw the layers of models that serve as layers
    dpi:                    dots per inch of a .png
    show_layer_activations: the activation of layers that have one
    show_trainable:         whether training changes the layer
    splines:                lines: "ortho", "spline", "curved", "polyline" or "line"

    Raises NotBuiltError for a model whose shapes are not known, InvalidArgument for another ending, `rankdir`,
    `splines` or `dpi`, FileNotFoundError for a folder that does not exist.

    >>> import autograd_nn as ag
    >>> model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    >>> ag.utils.plot_model(model, "model.svg", show_shapes=True).path.name
    'model.svg'
    """
    file = None if to_file is None else check_path(to_file, "plot_model")
    picture = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
        show_layer_activations=show_layer_activations, show_trainable=show_trainable, splines=splines,
    )  # fmt: skip
    return picture if file is None else picture.save(file)


@suggests
def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Picture:
    """The picture of a model without a file; its DOT text is `.source`. Arguments and errors are those of `plot_model`.

    subgraph: leave out the inputs, as of a model inside another

    >>> import autograd_nn as ag
    >>> model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    >>> ag.utils.model_to_dot(model).source.startswith("digraph")
    True
    """
    _check(model, rankdir, splines, dpi)
    dot = new_digraph(rankdir=rankdir, splines=splines, nodesep="0.35", ranksep="0.35")
    dot.attr("node", shape="plain", margin="0")
    wanted = _Wanted(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    writer = _Writer(wanted, expand_nested)
    writer.write(dot, model, with_inputs=not subgraph)
    name = one_line(str(model.name))
    description = ", ".join(tip.text.partition("\n")[0] for tip in writer.tips.values())
    return Picture(str(dot.source), f"Model {name}", description, writer.tips, dpi=dpi)


def _check(model: Any, rankdir: str, splines: str, dpi: Any) -> None:
    if not is_model(model):
        raise ArgumentTypeError(f"plot_model: expected a model, got {short(model)}")
    for what, value, known in (("rankdir", rankdir, RANKDIRS), ("splines", splines, SPLINES)):
        if value not in known:
            hint = did_you_mean(value, known) or f", expected one of {', '.join(known)}"
            raise InvalidArgument(f"plot_model: unknown {what} {short(value)}{hint}")
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not 1 <= dpi <= 2400:
        raise InvalidArgument(f"plot_model: dpi must be a number from 1 to 2400, got {short(dpi)}")
    if not getattr(model, "built", False):
        raise NotBuiltError(
            f"plot_model: model {short(str(model.name))} is not built; give its first layer input_shape=..., "
            "call build(input_shape), or call the model on data"
        )


class _Writer:
    """Writes boxes, then the edges between them; models inside become clusters where wanted.

    A port is the list of what stands behind a tensor: identifiers of boxes, or ports of the model around, which may be
    filled later, since a shared model is drawn where it is called first.
    """

    def __init__(self, wanted: _Wanted, expand: bool) -> None:
        self.wanted = wanted
        self.expand = expand
        self.tips: dict[str, Tip] = {}
        self.arrows: list[tuple[Port, str]] = []

    def write(self, dot: Any, model: Any, with_inputs: bool) -> None:
        graph = graph_of(model)
        if graph is None:
            self._node(dot, Box(str(model.name), type(model).__name__, model))
            return
        self._graph(dot, graph, None if with_inputs else [[] for _ in graph.inputs])
        edges = dict.fromkeys((tail, head) for port, head in self.arrows for tail in _resolved(port))
        for tail, head in edges:
            dot.edge(tail, head)

    def _graph(self, dot: Any, graph: Graph, fed: list[Port] | None) -> list[Port]:
        """Draw the boxes of a graph; the ports of its outputs. `fed` are those of its inputs, None to draw them."""
        boxes, outputs = boxes_of(graph)
        inputs = iter(fed or ())
        entries: dict[Box, list[Port]] = {}
        exits: dict[Box, list[Port]] = {}
        for box in boxes:
            if box.kind == "InputLayer" and fed is not None:
                exits[box] = [next(inputs)]
            else:
                entries[box], exits[box] = self._box(dot, box)
        for box, ports in entries.items():
            for k, (source, place) in enumerate(box.sources):
                ports[k % len(ports)].append(exits[source][place or 0])
        return [exits[box][place or 0] for box, place in outputs]

    def _box(self, dot: Any, box: Box) -> tuple[list[Port], list[Port]]:
        """Draw a layer; its ports for what it reads and what it gives."""
        inner = graph_of(box.layer) if self.expand else None
        if inner is None:
            name = self._node(dot, box)
            entry: Port = []
            self.arrows.append((entry, name))
            return [entry], [[name]] * max(len(box.outputs), 1)
        entries: list[Port] = [[] for _ in inner.inputs]
        cluster = f"cluster_{len(self.tips)}"
        self.tips[cluster] = Tip("layer", tip_text([f"{box.name}: {box.kind}"]))
        with dot.subgraph(name=cluster) as inside:
            label = f"<{big(one_line(box.name))}{small('  ' + one_line(box.kind))}>"
            inside.attr(label=label, labeljust="l", margin="12", style="filled,rounded", color=CLUSTER_LINE)
            inside.attr(fillcolor=CLUSTER_FILLS[0], tooltip=tooltip(self.tips[cluster].text))
            return entries, self._graph(inside, inner, entries)

    def _node(self, dot: Any, box: Box) -> str:
        name = f"v{len(self.tips)}"
        rows = list(_rows(box, self.wanted))
        self.tips[name] = Tip("input" if box.kind == "InputLayer" else "layer", _tip(box, rows))
        dot.node(name, label=f"<{_table(box, rows, self.wanted.names)}>", tooltip=tooltip(self.tips[name].text))
        return name


def _resolved(port: Port) -> Iterator[str]:
    """The identifiers behind a port, each once; ports that feed each other in a circle end the search."""
    stack: list[Any] = [port]
    seen: list[Any] = []
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif not any(item is other for other in seen):
            seen.append(item)
            stack.extend(reversed(item))


def _rows(box: Box, wanted: _Wanted) -> Iterator[tuple[str, str, str]]:
    """What a box says below its head: word, text and colour of the text."""
    activation = getattr(box.layer, "activation", None)
    if wanted.activations and activation is not None:
        yield "activation", str(getattr(activation, "__name__", None) or type(activation).__name__), TEXT
    if wanted.shapes and box.inputs:
        yield "input shape", shapes_text(box.inputs), TEXT
    if wanted.shapes:
        yield "output shape", shapes_text(box.outputs), TEXT
    if wanted.dtype:
        yield "output dtype", ", ".join(dict.fromkeys(spec.dtype.name for spec in box.outputs)) or "?", TEXT
    if wanted.trainable and getattr(box.layer, "weights", None):
        yield ("trainable", "yes", TRAINABLE) if box.layer.trainable else ("trainable", "no", FROZEN)


def _tip(box: Box, rows: list[tuple[str, str, str]]) -> str:
    return tip_text([f"{box.name}: {box.kind}", *(f"{word}: {text}" for word, text, _ in rows)])


def _table(box: Box, rows: list[tuple[str, str, str]], names: bool) -> str:
    """A box as a table: a coloured head, then a row per fact."""
    kind, name = one_line(box.kind), one_line(box.name)
    color = INPUT if box.kind == "InputLayer" else LAYER
    head = big(name, WHITE) + small(f"  {kind}", WHITE) if names else big(kind, WHITE)
    rows_below = "".join(
        f'<TR><TD ALIGN="LEFT">{small(word, SOFT)}</TD>'
        f'<TD ALIGN="LEFT">{small(one_line(text, LONGEST_TEXT), shade)}</TD></TR>'
        for word, text, shade in rows
    )
    cells = f'<TR><TD CELLPADDING="6">{head}</TD></TR>'
    if rows:
        body = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">{rows_below}</TABLE>'
        cells += f'<TR><TD BGCOLOR="{WHITE}" CELLPADDING="0">{body}</TD></TR>'
    frame = f'BORDER="1" COLOR="{color}" BGCOLOR="{color}" CELLBORDER="0" CELLSPACING="0"'
    return f"<TABLE {frame}>{cells}</TABLE>"
