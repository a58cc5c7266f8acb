"""The words on a node: name, operation, shape and dtype, values, gradient, and the tooltip with its source line."""

import linecache
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import PICK, Site, Tensor, line_of
from .scene import Kind, Node
from .subject import Subject
from .text import array_lines, count, number, one_line, spec_text, tip_text

_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//", "mod": "%", "power": "**",
    "matmul": "@", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^", "left_shift": "<<",
    "right_shift": ">>",
}  # fmt: skip
_LETTERS = "xyzuvw"
_PLAIN = (bool, int, float, str, np.bool_, np.number, np.dtype)
LONGEST_DETAIL = 28


class Label(NamedTuple):
    """Name in bold, the rest of the first line, more lines, lines on the gradient, and the tooltip."""

    name: str
    detail: str
    lines: list[str]
    gradient: list[str]
    tip: str


class Shown(NamedTuple):
    """What the labels of a picture hold beside names, shapes and dtypes."""

    values: bool
    gradients: dict[Tensor, Any]
    source: bool


def make_label(node: Node, subject: Subject, shown: Shown, clusters: tuple[str, ...] = ()) -> Label:
    """The words on a node; the names of the `clusters` around it are left out of its own."""
    if node.kind is Kind.REST:
        text = count(node.members, "more operation")
        return Label(f"… {text}", "", [], [], f"{text} left out; pass collapse=False to see all")
    t = node.tensor
    assert t is not None
    name, detail = _names(node, t, clusters)
    lines = _lines(node, t)
    if shown.values and node.kind is not Kind.BLOCK:
        lines += _value_lines(subject.value(t))
    gradient = shown.gradients.get(t)
    gradient_lines = [] if gradient is None or node.kind is Kind.BLOCK else array_lines(gradient)
    return Label(name, detail, lines, gradient_lines, tip_text(_tip(node, t, shown.source)))


def _without(name: str, clusters: tuple[str, ...]) -> str:
    """`kernel` of `encoder/dense/kernel` or `dense/kernel` in the clusters encoder and dense."""
    prefixes = ("/".join(clusters[k:]) + "/" for k in range(len(clusters)))
    return next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), name)


def _names(node: Node, t: Tensor, clusters: tuple[str, ...]) -> tuple[str, str]:
    """What stands first, and what it is."""
    if node.kind is Kind.BLOCK:
        return one_line(node.name), node.owner
    if node.kind is Kind.LAYER:
        layer = t.params["layer"]
        return one_line(str(layer.name)), type(layer).__name__
    name = one_line(_without(t.name or "", clusters))
    if not node.operands:
        return name or _leaf_word(node, t), ""
    if name:
        return name, one_line(f"= {operation_text(node)}")
    return one_line(operation_text(node)), param_text(t)


def _leaf_word(node: Node, t: Tensor) -> str:
    return node.kind.value if t.op is None else t.op.name


def operation_text(node: Node) -> str:
    """The operation, with the scalars it takes: `multiply`, or `x * 2` where one operand is a plain number."""
    t = node.tensor
    assert t is not None and t.op is not None
    if t.op is PICK:
        return f"output {t.params['index']}"
    if all(o is None for o in node.operands):
        return t.op.name
    letters = iter(_LETTERS)
    words = ["…" if o is None and w is None else w for o, w in zip(node.operands, _words(node, letters))]
    sign = _INFIX.get(t.op.name)
    if sign and len(words) == 2:
        return f"{words[0]} {sign} {words[1]}"
    return f"{t.op.name}({', '.join(map(str, words))})"


def _words(node: Node, letters: Iterator[str]) -> list[str | None]:
    """A letter per operand that is drawn, the number of each that is not."""
    return [next(letters, None) if o is None else number(np.asarray(o.value)[()]) for o in node.operands]


def param_text(t: Tensor, longest: int = LONGEST_DETAIL) -> str:
    """The arguments of an operation that say something, on one line."""
    assert t.op is not None
    if t.op is PICK:
        return ""
    if "key" in t.params:
        return one_line(f"[{', '.join(map(_key_text, t.params['key']))}]", longest)
    said = [f"{name}={_plain(value)}" for name, value in t.params.items() if _is_plain(value)]
    return one_line(", ".join(said), longest)


def _is_plain(value: Any) -> bool:
    """Whether an argument is worth showing: numbers, words and tuples of them, but no False, None or ()."""
    if value is None or value is False or isinstance(value, tuple) and not value:
        return False
    if isinstance(value, tuple):
        return all(item is None or isinstance(item, _PLAIN) for item in value)
    return isinstance(value, _PLAIN)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return _plain(value[0]) if len(value) == 1 else f"({', '.join(map(_plain, value))})"
    return value.name if isinstance(value, np.dtype) else str(value)


def _key_text(item: Any) -> str:
    if isinstance(item, tuple):
        start, stop, step = ("" if part is None else str(part) for part in item)
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if item is ... else str(item)


def _lines(node: Node, t: Tensor) -> list[str]:
    if node.kind is Kind.BLOCK:
        lines = [count(node.members, "operation")]
        if node.parameters:
            lines.append(count(node.parameters, "parameter"))
        return [*lines, _spec_line(t)]
    return [_spec_line(t)]


def _spec_line(t: Tensor) -> str:
    if t.op is not None and t.op.many:
        outputs = t.value if t.value is not None else t._spec
        return count(len(outputs), "output")  # type: ignore[arg-type]
    return spec_text(t.shape, t.dtype)


def _value_lines(value: Any) -> list[str]:
    return [] if value is None or isinstance(value, tuple) else array_lines(value)


def _tip(node: Node, t: Tensor, source: bool) -> Iterator[str]:
    """The tooltip: full name, operation with all its arguments, its meaning, and the line that made it."""
    if node.kind is Kind.BLOCK:
        yield f"{node.name} {node.owner}".strip()
        yield f"{count(node.members, 'operation')}, closed; pass collapse=False to see them"
        return
    if node.kind is Kind.LAYER:
        yield f"{t.params['layer'].name}: {type(t.params['layer']).__name__}"
    elif t.op is None or not node.operands:
        yield f"{t.name}: {node.kind.value}" if t.name else node.kind.value
    else:
        yield f"{t.name} = {t.op.name}" if t.name else t.op.name
        if t.op.doc:
            yield t.op.doc
        params = param_text(t, longest=200)
        if params:
            yield params
    yield _spec_line(t)
    if source:
        yield from source_lines(t.site)


def source_lines(site: Site | None) -> Iterator[str]:
    """`file.py:12`, and the text of that line where it can be read."""
    place = line_of(site)
    if site is None or not place:
        return
    file, _, line = place.rpartition(":")
    if not line.isdigit():
        yield place
        return
    yield f"cell line {line}" if _in_notebook(site[0].co_filename) else f"{file}:{line}"
    text = linecache.getline(site[0].co_filename, int(line)).strip()
    if text:
        yield text


def _in_notebook(filename: str) -> bool:
    return "ipykernel_" in filename or filename.startswith("<ipython-input")
