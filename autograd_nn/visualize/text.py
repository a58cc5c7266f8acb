"""What stands in a picture: names, numbers and arrays as short safe text."""

import html
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np

LONGEST_NAME = 40
LONGEST_TIP = 1_000
MOST_ELEMENTS = 9
BACKSLASH = "&#92;&#92;"
_MARK = "\N{REPLACEMENT CHARACTER}"
# XML 1.0 holds none of these: most control characters, halves of surrogate pairs, the two noncharacters.
_UNSAFE = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    **dict.fromkeys([*range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], _MARK),
}
_ENDS = {ord("\n"): "↵", ord("\r"): "↵", ord("\t"): " "}


def clean(text: str) -> str:
    """The same text without what XML cannot hold: a control character becomes its picture, half a pair a mark.

    >>> clean("a" + chr(0) + "b")
    'a␀b'
    """
    return text if text.isprintable() else text.translate(_UNSAFE)


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """The text on one line of at most `longest` characters.

    >>> one_line("kernel of the first of many layers", 12)
    'kernel of t…'
    """
    flat = text if text.isprintable() else text.translate(_ENDS).translate(_UNSAFE)
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def tip_text(lines: Iterable[str]) -> str:
    """The lines of a tooltip, each of at most `LONGEST_TIP` characters."""
    return "\n".join(line if len(line) <= LONGEST_TIP else line[: LONGEST_TIP - 1] + "…" for line in map(clean, lines))


def markup(text: str) -> str:
    """The text as the content of an HTML-like label, in which a single backslash would begin an escape."""
    return html.escape(text, quote=True).replace("\\", BACKSLASH)


def width(text: str, size: float) -> float:
    """Points that `text` takes at most: layout programs do not know how wide characters outside ASCII are."""
    return sum(map(_em, text)) * size


def _em(character: str) -> float:
    if character < "\x7f":
        return 0.6
    if unicodedata.combining(character):
        return 0.0
    return 1.1 if unicodedata.east_asian_width(character) in "WF" else 0.75


def number(value: Any) -> str:
    """A number as people write it.

    >>> number(np.float32(0.1)), number(np.int64(3)), number(np.bool_(True)), number(1 + 0.5j)
    ('0.1', '3', 'True', '1+0.5j')
    """
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    if isinstance(value, (complex, np.complexfloating)):
        return f"{complex(value):.4g}"
    return f"{float(value):.4g}"


def array_lines(value: Any) -> list[str]:
    """The elements of a small array, a row per line; of a larger one its least, mean and greatest.

    >>> array_lines(np.array([[1.0, 2.0], [3.0, 4.5]]))
    ['[[1, 2],', ' [3, 4.5]]']
    >>> array_lines(np.arange(100.0))
    ['min 0  mean 49.5  max 99']
    """
    array = np.asarray(value)
    if array.size == 0:
        return ["no elements"]
    if array.size <= MOST_ELEMENTS and array.ndim <= 2:
        text = np.array2string(array, separator=", ", formatter={"all": number}, max_line_width=10_000)
        return text.replace("\n", "\x00").split("\x00")
    if array.dtype.kind == "b":
        return [f"{np.count_nonzero(array)} of {array.size} True"]
    return _statistics(array)


def _statistics(array: np.ndarray) -> list[str]:
    if array.dtype.kind == "c":
        return [f"|.| {line}" for line in _statistics(np.abs(array))]
    finite = array[np.isfinite(array)]
    lines = []
    if finite.size:
        mean = finite.mean(dtype=np.float64)
        lines.append(f"min {number(finite.min())}  mean {number(mean)}  max {number(finite.max())}")
    nan = int(np.count_nonzero(np.isnan(array)))
    infinite = array.size - finite.size - nan
    found = [f"{count} {what}" for count, what in ((nan, "NaN"), (infinite, "infinite")) if count]
    return [*lines, ", ".join(found)] if found else lines


def shape_text(shape: Any) -> str:
    """A shape, None for unknown sizes; a scalar in words.

    >>> shape_text((None, 784)), shape_text(())
    ('(None, 784)', 'scalar')
    """
    return str(tuple(shape)) if shape else "scalar"


def spec_text(shape: Any, dtype: Any) -> str:
    return f"{shape_text(shape)} {dtype}"


def count(n: int, what: str) -> str:
    """A number of things in words.

    >>> count(1, "operation"), count(1200, "operation")
    ('1 operation', '1,200 operations')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"
