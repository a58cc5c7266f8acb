"""From a drawing to DOT. Identifiers are generated; every text is escaped, and shown as text, never read as markup."""

from collections.abc import Iterable, Iterator
from typing import Any

from .condense import Drawing, named
from .label import Label, Shown, make_label
from .large import first_of_longest
from .scene import Kind, Node, Path, Repeat, common
from .style import (
    CLUSTER_FILLS,
    CLUSTER_LINE,
    EDGE,
    FONT,
    GRADIENT_FILL,
    GRADIENT_TEXT,
    LOOKS,
    NAME_SIZE,
    REPEAT_FILL,
    REPEAT_LINE,
    SOFT,
    TEXT,
    TEXT_SIZE,
)
from .subject import Subject
from .svg import Tip
from .text import markup, one_line, tip_text, width

ORDERED_AT_MOST = 200
NO_OPERAND_ORDER = ("add", "multiply", "maximum", "minimum")
LARGE = 600


def new_digraph(**attributes: str) -> Any:
    """An empty DOT graph with the library's fonts and colours."""
    import graphviz

    pen = {"penwidth": "1.1"}
    return graphviz.Digraph(
        graph_attr={"fontname": FONT, "bgcolor": "transparent", "pad": "0.2", **attributes},
        node_attr={"fontname": FONT, "fontsize": str(TEXT_SIZE), "height": "0.3", **pen},
        edge_attr={"color": EDGE, "arrowsize": "0.6", **pen},
    )


def tooltip(text: str) -> str:
    """Text as a DOT string that reads back as it is: neither markup nor escapes nor entities."""
    import graphviz

    return graphviz.escape(text.replace("&", "&amp;"))


def small(text: str, color: str = SOFT, size: int = TEXT_SIZE) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{markup(text)}</FONT>'


def big(text: str, color: str = TEXT, size: int = NAME_SIZE) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}"><B>{markup(text)}</B></FONT>'


def to_dot(
    drawing: Drawing, subject: Subject, shown: Shown, positions: dict[int, tuple[float, float]]
) -> tuple[str, dict[str, Tip]]:
    """The DOT source of a drawing, and the tooltips by identifier; with `positions`, nodes stand there."""
    dot = new_digraph(rankdir="TB", ranksep="0.3", nodesep="0.22")
    if positions:
        dot.attr(splines="line")
        dot.attr("edge", arrowhead="none")
    writer = _Writer(drawing, subject, shown, positions)
    writer.write(dot)
    return str(dot.source), writer.tips


class _Writer:
    """Writes the nodes of each cluster in the order of the drawing."""

    def __init__(
        self, drawing: Drawing, subject: Subject, shown: Shown, positions: dict[int, tuple[float, float]]
    ) -> None:
        self.drawing = drawing
        self.subject = subject
        self.shown = shown
        self.positions = positions
        self.ids = {place: f"v{k}" for k, place in enumerate(drawing.nodes)}
        self.tips: dict[str, Tip] = {}
        self.clusters = 0

    def write(self, dot: Any) -> None:
        if self.positions:
            for place in self.drawing.nodes:
                self._node(dot, place)
        else:
            self._level(dot, list(self.drawing.nodes), 0)
        self._edges(dot)
        _legend(dot, self.drawing, bool(self.shown.gradients), self.positions, self.ids)

    def _level(self, dot: Any, places: Iterable[int], depth: int) -> None:
        """Nodes at this depth, and a cluster for those that lie deeper together."""
        groups: dict[Any, list[int]] = {}
        for place in places:
            path = self.drawing.nodes[place].path
            key = path[depth] if len(path) > depth else (place,)
            groups.setdefault(key, []).append(place)
        for key, members in groups.items():
            if isinstance(key, tuple):
                self._node(dot, members[0])
                continue
            self.clusters += 1
            name = f"cluster_{self.clusters}"
            with dot.subgraph(name=name) as inner:
                inner.attr(**self._cluster(name, self.drawing.nodes[members[0]].path[: depth + 1], depth))
                self._level(inner, members, depth + 1)

    def _cluster(self, name: str, path: Path, depth: int) -> dict[str, str]:
        last = path[-1]
        if isinstance(last, Repeat):
            self.tips[name] = Tip("repeat", f"{last.times} equal blocks, one of them shown; collapse=False shows all")
            return {
                "label": f"<{big(f'× {last.times}', REPEAT_LINE)}>", "labeljust": "l", "margin": "8",
                "style": "filled,rounded,dashed", "fillcolor": REPEAT_FILL, "color": REPEAT_LINE, "penwidth": "1.3",
            }  # fmt: skip
        owner = self.drawing.owners.get(named(path), "")
        text = big(one_line(last)) + (small(f"  {one_line(owner)}") if owner else "")
        self.tips[name] = Tip("layer", tip_text([f"{last} {owner}".strip()]))
        return {
            "label": f"<{text}>", "labeljust": "l", "margin": "8", "style": "filled,rounded", "color": CLUSTER_LINE,
            "fillcolor": CLUSTER_FILLS[depth % len(CLUSTER_FILLS)], "tooltip": tooltip(self.tips[name].text),
        }  # fmt: skip

    def _node(self, dot: Any, place: int) -> None:
        node = self.drawing.nodes[place]
        label = make_label(node, self.subject, self.shown, named(node.path))
        extra = {"peripheries": "2"} if node.output and node.kind is not Kind.BLOCK else {}
        self.tips[self.ids[place]] = Tip(node.kind.value, label.tip)
        if place in self.positions:
            x, y = self.positions[place]
            extra["pos"] = f"{x:g},{y:g}"
        elif self._in_order(node):
            extra["ordering"] = "in"
        dot.node(self.ids[place], **node_attributes(node.kind, label), **extra)

    def _in_order(self, node: Node) -> bool:
        """Whether the picture should show which operand comes first: edges then arrive in this order."""
        several = len(node.inputs) > 1 and len(self.drawing.nodes) <= ORDERED_AT_MOST
        return several and node.tensor is not None and node.tensor.op.name not in NO_OPERAND_ORDER  # type: ignore[union-attr]

    def _edges(self, dot: Any) -> None:
        edges = self.drawing.edges
        for source, target, carried in zip(edges.sources.tolist(), edges.targets.tolist(), edges.carried.tolist()):
            extra = {"weight": "4"} if self.drawing.nodes[source].inputs else {}
            if carried:
                extra = {"style": "dashed", "constraint": "false", "color": REPEAT_LINE}
            dot.edge(self.ids[source], self.ids[target], **extra)
        for source, leaf in stacked(self.drawing) if not self.positions else ():
            dot.edge(self.ids[source], self.ids[leaf], style="invis")


def stacked(drawing: Drawing) -> Iterator[tuple[int, int]]:
    """What feeds a cluster from outside, and each leaf in it that is used there beside that: it shall stand below.

    Otherwise clusters that follow each other would lie side by side, their leaves on a level.
    """
    inputs: dict[int, list[int]] = {}
    edges = drawing.edges
    for source, target, carried in zip(edges.sources.tolist(), edges.targets.tolist(), edges.carried.tolist()):
        if not carried:
            inputs.setdefault(target, []).append(source)
    for target, sources in inputs.items():
        for leaf in sources:
            path = drawing.nodes[leaf].path
            if drawing.nodes[leaf].inputs or not path or common(drawing.nodes[target].path, path) != path:
                continue
            for source in sources:
                if len(common(drawing.nodes[source].path, path)) < len(path):
                    yield source, leaf


def node_attributes(kind: Kind, label: Label) -> dict[str, str]:
    """Shape, colours and label of a node."""
    look = LOOKS[kind]
    rows = [big(label.name) + (small(f"  {label.detail}", TEXT) if label.detail else "")]
    rows += [small(line) for line in label.lines]
    attributes = {
        "shape": look.shape, "style": look.style, "fillcolor": look.fill, "color": look.line,
        "label": f"<{_table(rows, label.gradient)}>", "tooltip": tooltip(label.tip), "margin": look.margin,
    }  # fmt: skip
    texts = [f"{label.name}  {label.detail}", *label.lines]
    if not all(map(str.isascii, texts)):
        widest = max(width(text, NAME_SIZE if k == 0 else TEXT_SIZE) for k, text in enumerate(texts))
        attributes["width"] = f"{widest / 72 + 0.2:.2f}"
    return attributes


def _table(rows: list[str], gradient: list[str]) -> str:
    if not gradient:
        return "<BR/>".join(rows)
    texts = "<BR/>".join(small(line, GRADIENT_TEXT) for line in [f"grad {gradient[0]}", *gradient[1:]])
    cells = f'<TR><TD>{"<BR/>".join(rows)}</TD></TR><TR><TD BGCOLOR="{GRADIENT_FILL}" STYLE="ROUNDED">{texts}</TD></TR>'
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="2">{cells}</TABLE>'


def _legend(
    dot: Any, drawing: Drawing, gradients: bool, positions: dict[int, tuple[float, float]], ids: dict[int, str]
) -> None:
    """A small example of every kind of node that the drawing has, with its word."""
    present = {node.kind for node in drawing.nodes.values()}
    kinds = [kind for kind in LOOKS if kind in present and kind is not Kind.REST]
    words = [(LOOKS[kind].word, legend_attributes(kind)) for kind in kinds]
    if gradients and Kind.GRADIENT not in present:
        words.append(("gradient", {**legend_attributes(Kind.GRADIENT), "shape": "box", "style": "filled,rounded"}))
    if any(node.output and node.kind is not Kind.BLOCK for node in drawing.nodes.values()):
        words.append(("output", {**legend_attributes(Kind.OPERATION), "peripheries": "2"}))
    if positions:
        return _placed_legend(dot, words, positions)
    with dot.subgraph(name="cluster_legend") as legend:
        legend.attr(style="filled,rounded", fillcolor="white", color=CLUSTER_LINE, margin="8", label="")
        with legend.subgraph() as row:
            row.attr(rank="same")
            for k, (word, attributes) in enumerate(words):
                row.node(f"k{k}", label=f"<{small(word)}>", **attributes)
            for k in range(len(words) - 1):
                row.edge(f"k{k}", f"k{k + 1}", style="invis")
    dot.edge(f"k{len(words) // 2}", ids[first_of_longest(drawing)], style="invis")


def _placed_legend(dot: Any, words: list[tuple[str, Any]], positions: dict[int, tuple[float, float]]) -> None:
    left = min(x for x, _ in positions.values()) - 130
    for k, (word, attributes) in enumerate(words):
        dot.node(f"k{k}", label=f"<{small(word)}>", pos=f"{left:g},{-26 * k:g}", **attributes)


def legend_attributes(kind: Kind) -> dict[str, str]:
    look = LOOKS[kind]
    return {
        "shape": look.shape, "style": look.style, "fillcolor": look.fill, "color": look.line, "margin": "0.06,0.02",
        "height": "0.2", "tooltip": look.word,
    }  # fmt: skip
