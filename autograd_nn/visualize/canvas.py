"""What a layout program drew, as outlines and words: read from its JSON, written as SVG and PDF.

Format: https://graphviz.org/docs/outputs/json/, with the drawing operations of the xdot format.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from .program import lay_out
from .text import BACKSLASH

DASHES = {"dashed": (4.0, 3.0), "dotted": (1.0, 3.0)}
Points = list[list[float]]
# Layout programs miscount backslashes in their JSON, so a character that no text holds stands in for them.
STAND_IN = "\ufdd0"


class Outline(NamedTuple):
    """Points joined by lines or by cubic Bezier curves, in points from the lower left. A colour is None where clear."""

    points: Points
    curved: bool
    closed: bool
    fill: str | None
    line: str | None
    width: float
    dashes: tuple[float, ...]


class Words(NamedTuple):
    """Text that begins at x, y and is `length` long."""

    x: float
    y: float
    text: str
    size: float
    bold: bool
    color: str
    length: float


class Part(NamedTuple):
    """A cluster, node or edge: the names of both ends for an edge, else its own name twice."""

    what: str
    tail: str
    head: str
    marks: list[Outline | Words]


class Canvas(NamedTuple):
    """Width and height in points, and the parts in the order in which they are painted."""

    width: float
    height: float
    parts: list[Part]


def read_canvas(source: str, *options: str) -> Canvas:
    """The layout of a DOT source. Raises LayoutError where there is no layout program."""
    drawn = json.loads(lay_out(source.replace(BACKSLASH, STAND_IN), "json", *options))
    left, bottom, right, top = map(float, drawn["bb"].split(","))
    objects, edges = drawn.get("objects", []), drawn.get("edges", [])
    names = {thing["_gvid"]: thing["name"] for thing in objects}
    clusters = [_part("cluster", thing["name"], thing["name"], thing) for thing in objects if "nodes" in thing]
    lines = [_part("edge", names[thing["tail"]], names[thing["head"]], thing) for thing in edges]
    nodes = [_part("node", thing["name"], thing["name"], thing) for thing in objects if "nodes" not in thing]
    parts = [_shifted(part, -left, -bottom) for part in (*clusters, *lines, *nodes) if part.marks]
    return Canvas(right - left, top - bottom, parts)


def _part(what: str, tail: str, head: str, thing: dict[str, Any]) -> Part:
    marks = [mark for key, value in thing.items() if key.endswith("draw_") for mark in _marks(value)]
    return Part(what, tail, head, marks)


def _shifted(part: Part, dx: float, dy: float) -> Part:
    if not dx and not dy:
        return part
    marks: list[Outline | Words] = []
    for mark in part.marks:
        if isinstance(mark, Words):
            marks.append(mark._replace(x=mark.x + dx, y=mark.y + dy))
        else:
            marks.append(mark._replace(points=[[x + dx, y + dy] for x, y in mark.points]))
    return part._replace(marks=marks)


def _marks(operations: list[dict[str, Any]]) -> Iterator[Outline | Words]:
    """The marks of one list of drawing operations, which starts with a black solid pen."""
    line: str | None = "#000000"
    fill: str | None = None
    width, size, bold = 1.0, 10.0, False
    dashes: tuple[float, ...] = ()
    for op in operations:
        match op["op"]:
            case "c":
                line = _color(op["color"])
            case "C":
                fill = _color(op["color"])
            case "S":
                width, dashes = _pen(op["style"], width, dashes)
            case "F":
                size = op["size"]
            case "t":
                bold = bool(op["fontchar"] & 1)
            case "T":
                yield _words(op, size, bold, line or "#000000")
            case "P" | "p" | "L" | "B" | "b" | "E" | "e" as letter:
                points = _ellipse(*op["rect"]) if letter in "Ee" else op["points"]
                filled = fill if letter in "PBE" else None
                yield Outline(points, letter in "BbEe", letter in "PpBEe", filled, line, width, dashes)


def _color(text: str) -> str | None:
    return None if len(text) == 9 and text.endswith("00") else text[:7]


def _pen(style: str, width: float, dashes: tuple[float, ...]) -> tuple[float, tuple[float, ...]]:
    if style.startswith("setlinewidth("):
        return float(style[len("setlinewidth(") : -1]), dashes
    if style == "bold":
        return 2.0, dashes
    return width, DASHES.get(style, () if style == "solid" else dashes)


def _words(op: dict[str, Any], size: float, bold: bool, color: str) -> Words:
    x, y = op["pt"]
    start = x - {"l": 0.0, "c": 0.5, "r": 1.0}[op["align"]] * op["width"]
    return Words(start, y, op["text"].replace(STAND_IN, "\\"), size, bold, color, op["width"])


def _ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    """Four Bezier curves; 0.5523 makes each nearest to a quarter of a circle."""
    a, b = 0.5523 * rx, 0.5523 * ry
    return [
        [x + rx, y], [x + rx, y + b], [x + a, y + ry], [x, y + ry], [x - a, y + ry], [x - rx, y + b], [x - rx, y],
        [x - rx, y - b], [x - a, y - ry], [x, y - ry], [x + a, y - ry], [x + rx, y - b], [x + rx, y],
    ]  # fmt: skip
