"""`Model.summary`: a table of layers with shapes, numbers of parameters, and where each layer's input comes from."""

import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..engine.spec import Spec, show_shape
from ..errors import InvalidArgument, NotBuiltError, UnknownName, did_you_mean, short
from .structure import Box, boxes_of, graph_of, is_model, is_sequential
from .text import clean

WIDEST = 108
NARROWEST_COLUMN = 4
UNITS = ("B", "KB", "MB", "GB", "TB")


class _Row(NamedTuple):
    depth: int
    name: str
    kind: str
    shape: str
    parameters: str
    sources: str
    trainable: str


def summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a table of a model's layers: name and type, output shape, parameters, and what feeds each.

    line_length:    width of the table in characters
    positions:      where the columns end, as shares of the width or in characters
    print_fn:       called once with the whole text, instead of printing
    expand_nested:  also list the layers inside models that serve as layers
    show_trainable: say which layers training changes
    layer_range:    names (or regular expressions) of the first and the last layer to list

    Raises NotBuiltError for a model whose shapes are not known, UnknownName for a layer that does not exist,
    InvalidArgument for positions that do not fit the columns.
    """
    from rich.console import Console

    name = str(model.name)
    if not getattr(model, "built", False):
        raise NotBuiltError(
            f"summary: model {short(name)} is not built, so its shapes are not known; give its first layer "
            "input_shape=..., call build(input_shape), or call the model on data"
        )
    rows = list(_rows(model, expand_nested))
    chosen = rows if layer_range is None else _in_range(rows, layer_range)
    if line_length is not None and not hasattr(line_length, "__index__"):
        raise InvalidArgument(f"summary: line_length must be an int or None, got {short(line_length)}")
    width = line_length or min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    plain: dict[str, Any] = {"force_terminal": False, "force_jupyter": False, "color_system": None, "width": width}
    console = Console(highlight=False, **(plain if print_fn else {}))
    if console.width < width:
        console.width = width
    table = _table(chosen, _columns(model, show_trainable), line_length, positions, width, console.options.ascii_only)
    if print_fn is None:
        _print(console, name, table, model)
        return
    with console.capture() as captured:
        _print(console, name, table, model)
    print_fn(captured.get())


def _columns(model: Any, show_trainable: bool) -> tuple[str, ...]:
    sources = ("Connected to",) if graph_of(model) is not None else ()
    return ("Layer (type)", "Output Shape", "Param #", *sources, *(("Trainable",) if show_trainable else ()))


# --- rows


def _rows(model: Any, expand: bool, depth: int = 0) -> Iterator[_Row]:
    with_inputs = depth == 0 and not is_sequential(model)
    for box in _boxes(model, with_inputs):
        yield _row(box, depth, with_inputs)
        if expand and is_model(box.layer):
            yield from _rows(box.layer, expand, depth + 1)


def _boxes(model: Any, with_inputs: bool) -> list[Box]:
    graph = graph_of(model)
    if graph is None:
        return [Box(str(layer.name), type(layer).__name__, layer) for layer in model.layers]
    return [box for box in boxes_of(graph)[0] if with_inputs or box.kind != "InputLayer"]


def _row(box: Box, depth: int, with_inputs: bool) -> _Row:
    sources = dict.fromkeys(
        "input" if b.kind == "InputLayer" and not with_inputs else b.name if place is None else f"{b.name}[{place}]"
        for b, place in box.sources
    )
    weights = _unique(getattr(box.layer, "weights", ()))
    parameters = f"{_count(weights):,}" if getattr(box.layer, "built", True) else "0 (unbuilt)"
    trainable = "-" if not weights else "Y" if box.layer.trainable else "N"
    return _Row(depth, box.name, box.kind, shapes_text(box.outputs), parameters, ", ".join(sources) or "-", trainable)


def shapes_text(specs: Iterable[Spec]) -> str:
    """The shapes of some tensors, each once; a question mark for none.

    >>> import numpy as np
    >>> shapes_text([Spec((2, 3), np.dtype("float32"))])
    '(2, 3)'
    """
    return ", ".join(dict.fromkeys(show_shape(spec.shape) for spec in specs)) or "?"


def _in_range(rows: list[_Row], bounds: Sequence[str]) -> list[_Row]:
    """The rows from the first that matches the first name to the last that matches the second."""
    if isinstance(bounds, str) or len(bounds) != 2 or not all(isinstance(bound, str) for bound in bounds):
        raise InvalidArgument(f"summary: layer_range must be two layer names (first, last), got {short(bounds)}")
    first = _matches(rows, bounds[0])[0]
    last = _matches(rows, bounds[1])[-1]
    if last < first:
        raise InvalidArgument(f"summary: layer_range: {bounds[1]!r} comes before {bounds[0]!r}; swap them")
    return rows[first : last + 1]


def _matches(rows: list[_Row], bound: str) -> list[int]:
    names = [row.name for row in rows]
    try:
        found = [k for k, name in enumerate(names) if name == bound or re.match(bound, name)]
    except re.error as error:
        raise InvalidArgument(f"summary: layer_range: {bound!r} is no name and no pattern: {error}") from None
    if not found:
        raise UnknownName(f"summary: layer_range: no layer matches {bound!r}{did_you_mean(bound, names)}")
    return found


# --- the table


def _table(
    rows: list[_Row], columns: tuple[str, ...], length: int | None, positions: Any, width: int, ascii_only: bool
) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.ROUNDED, width=length, header_style="bold")
    widths = [None] * len(columns) if positions is None else _widths(positions, columns, width)
    for title, size in zip(columns, widths):
        justify: Any = {"Param #": "right", "Trainable": "center"}.get(title, "left")
        table.add_column(title, justify=justify, width=size, overflow="fold")
    for row in rows:
        cells = {
            "Layer (type)": _name(row, ascii_only), "Output Shape": _styled(row.shape, "green"),
            "Param #": _styled(row.parameters, "cyan"), "Connected to": _styled(row.sources),
            "Trainable": _styled(row.trainable, {"Y": "bold green", "N": "bold red"}.get(row.trainable, "")),
        }  # fmt: skip
        table.add_row(*[cells[title] for title in columns])
    return table


def _styled(text: str, style: str = "") -> Any:
    """Text that rich never reads as markup."""
    from rich.text import Text

    return Text(clean(text), style=style)


def _name(row: _Row, ascii_only: bool) -> Any:
    branch = "  " * row.depth + ("" if ascii_only else "└ ") if row.depth else ""
    return _styled(branch + row.name).append(f" ({clean(row.kind)})", style="blue")


def _widths(positions: Sequence[float], columns: tuple[str, ...], width: int) -> list[int]:
    """The width of each column's content; rich adds two spaces and a line to each."""
    ends = [int(p * width) if max(positions) <= 1 else int(p) for p in positions]
    sizes = [end - start - 3 for start, end in zip([0, *ends], ends)]
    if len(sizes) != len(columns) or min(sizes) < NARROWEST_COLUMN - 3:
        raise InvalidArgument(
            f"summary: positions must be {len(columns)} growing ends of columns ({', '.join(columns)}), each at least "
            f"{NARROWEST_COLUMN} characters wide in a line of {width}; got {short(list(positions))}"
        )
    return sizes


# --- the totals


def _print(console: Any, name: str, table: Any, model: Any) -> None:
    console.print(_styled(f'Model: "{name}"', "bold"))
    console.print(table)
    trainable, frozen = _unique(model.trainable_weights), _unique(model.non_trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    slots = _unique(optimizer.variables) if optimizer is not None and getattr(optimizer, "built", False) else []
    lines = [("Total", [*trainable, *frozen, *slots]), ("Trainable", trainable), ("Non-trainable", frozen)]
    if slots:
        lines.append(("Optimizer", slots))
    for word, weights in lines:
        total = _styled(f" {word} params: ", "bold").append(f"{_count(weights):,}", style="cyan")
        console.print(total.append(f" ({size_text(_bytes(weights))})", style="not bold"))


def _unique(weights: Iterable[Any]) -> list[Any]:
    return list({id(w): w for w in weights}.values())


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(w.shape) for w in weights)


def _bytes(weights: Iterable[Any]) -> int:
    return sum(math.prod(w.shape) * w.dtype.itemsize for w in weights)


def size_text(size: float) -> str:
    """Bytes in the largest unit that leaves at least one.

    >>> size_text(101_800), size_text(0)
    ('99.41 KB', '0.00 B')
    """
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.2f} {UNITS[unit]}"
