"""What the examples share: their two options, sheets of grey images, and line charts, written as SVG by hand."""

import argparse
import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Place = tuple[float, float]
INK, SOFT, FRAME = "#1b2530", "#5a6673", "#c6ced8"
COLOURS = ("#3f6a9a", "#c4601d", "#3c8a57", "#7a5fb0", "#a8434b", "#b9953a")
LEFT, TOP, WIDTH, HEIGHT = 48.0, 54.0, 620.0, 300.0


class Options(NamedTuple):
    """quick: a short run that only shows that all works; folder: where the pictures go."""

    quick: bool
    folder: Path


def command_line(description: str | None) -> Options:
    """The options that every example has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short run, far from the result")
    parser.add_argument("--output", type=Path, default=Path(), metavar="FOLDER", help="where to write the pictures")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    return Options(given.quick, given.output)


def image_sheet(
    file: Path, title: str, images: Array, columns: int, captions: Sequence[str] = (), zoom: float = 2.0
) -> None:
    """Write images, shape (n, height, width) with values 0 (white) to 1 (black), in rows with a caption below each.

    A caption that begins with "!" is printed in red, without the sign.
    """
    n, height, width = images.shape
    gap, line = 4, 16 if captions else 0
    step_x, step_y = width * zoom + gap, height * zoom + gap + line
    parts = []
    for k, image in enumerate(images):
        x, y = k % columns * step_x, 30 + k // columns * step_y
        size = f'width="{width * zoom:g}" height="{height * zoom:g}"'
        parts.append(f'<image x="{x:g}" y="{y:g}" {size} href="{_png(image)}"/>')
        if captions:
            fill = COLOURS[4] if captions[k].startswith("!") else INK
            middle, below = x + width * zoom / 2, y + height * zoom + 12
            parts.append(_text(middle, below, captions[k].lstrip("!"), anchor="middle", fill=fill))
    _write(file, title, step_x * min(columns, n) - gap, 30 + step_y * -(-n // columns), parts)


def line_chart(
    file: Path, title: str, curves: dict[str, tuple[Array, Array]], x_label: str, y_label: str, log_y: bool = False
) -> None:
    """Write named curves (x, y). One named "a | b" is drawn as dots, with the colour of a: another way to a."""
    frame = _Frame.around(list(curves.values()), log_y)
    parts, colours = frame.grid(), dict[str, str]()
    for name, points in curves.items():
        owner, _, dots = name.partition(" | ")
        colour = colours.setdefault(owner, COLOURS[len(colours) % len(COLOURS)])
        places = frame.place(*points)
        parts.append(_dots(places, colour) if dots else _path(places, colour))
    for k, (name, colour) in enumerate(colours.items()):
        right, y = LEFT + WIDTH + 16, TOP + 14 + 18 * k
        mark = _path([(right, y), (right + 22, y)], colour) if name in curves else _dots([(right + 11, y)], colour)
        parts.append(mark + _text(right + 28, y + 4, name))
    parts.append(_text(LEFT + WIDTH / 2, TOP + HEIGHT + 34, x_label, "middle"))
    parts.append(_text(LEFT - 6, TOP - 14, y_label))
    _write(file, title, LEFT + WIDTH + 60 + 7 * max(map(len, colours)), TOP + HEIGHT + 44, parts)


class _Frame(NamedTuple):
    """The ticks of both axes, and whether the second counts powers of ten."""

    across: Array
    up: Array
    log: bool

    @classmethod
    def around(cls, curves: list[tuple[Array, Array]], log: bool) -> "_Frame":
        x, y = (np.concatenate(values) for values in zip(*curves))
        return cls(_ticks(x), _ticks(np.log10(y) if log else y, whole=log), log)

    def place(self, x: Array, y: Array) -> list[Place]:
        """Where points stand in the picture."""
        y = np.log10(y) if self.log else y
        right = LEFT + WIDTH * (np.asarray(x) - self.across[0]) / np.ptp(self.across)
        down = TOP + HEIGHT * (self.up[-1] - np.asarray(y)) / np.ptp(self.up)
        return list(zip(right.tolist(), down.tolist()))

    def grid(self) -> list[str]:
        """A line and a number per tick."""
        heights = 10.0**self.up if self.log else self.up
        low, left = np.full_like(self.across, heights[0]), np.full_like(self.up, self.across[0])
        parts = []
        for tick, (x, y) in zip(self.across, self.place(self.across, low)):
            parts.append(_line(x, TOP, x, y) + _text(x, y + 15, f"{tick:g}", "middle", SOFT))
        for tick, (x, y) in zip(heights, self.place(left, heights)):
            parts.append(_line(x, y, x + WIDTH, y) + _text(x - 6, y + 4, f"{tick:g}", "end", SOFT))
        return parts


def _ticks(values: Array, whole: bool = False) -> Array:
    """Round numbers that span the values."""
    low, high = float(np.min(values)), float(np.max(values))
    rough = max(high - low, 1e-9) / 6
    unit = 10 ** np.floor(np.log10(rough))
    step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= rough)
    step = max(1.0, step) if whole else step
    return np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step


def _png(image: Array) -> str:
    """A grey PNG of 16 levels as a data URI (https://www.w3.org/TR/png/)."""
    levels = np.clip(np.rint((1 - image) * 15), 0, 15).astype("uint8")
    levels = np.pad(levels, ((0, 0), (0, levels.shape[1] % 2)))
    rows = np.pad(levels[:, 0::2] << 4 | levels[:, 1::2], ((0, 0), (1, 0)))
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 4, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _text(x: float, y: float, text: str, anchor: str = "start", fill: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}" stroke="{FRAME}" stroke-width="0.7"/>'


def _path(places: list[Place], colour: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<path d="M{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _dots(places: list[Place], colour: str) -> str:
    return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="none" stroke="{colour}"/>' for x, y in places)


def _write(file: Path, title: str, width: float, height: float, parts: list[str]) -> None:
    across, down = max(width, 8 * len(title)) + 24, height + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{across:g}" height="{down:g}" '
        f'viewBox="0 0 {across:g} {down:g}">\n<title>{escape(title)}</title>\n'
        f'<rect width="{across:g}" height="{down:g}" fill="#ffffff"/>\n<g transform="translate(12 8)" '
        'font-family="Helvetica, Arial, \'Liberation Sans\', sans-serif" font-size="12">\n'
        f'<text x="0" y="16" font-size="14" font-weight="bold" fill="{INK}">{escape(title)}</text>\n'
    )
    file.write_text(head + "\n".join(parts) + "\n</g>\n</svg>\n", encoding="utf-8")
    print(f"written: {file}")
