"""A finished picture: its DOT source, and what is made of it."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import ArgumentTypeError, InvalidArgument, did_you_mean, short
from .canvas import Canvas, read_canvas
from .pdf import fits_pdf, image_to_pdf, to_pdf
from .program import lay_out
from .svg import Tip, to_svg

KINDS = ("svg", "png", "pdf", "dot")
PDF_DPI = 216
# A PNG is drawn finely, but coarser where it would have more pixels than viewers like to open.
FINEST_DPI, COARSEST_DPI, MOST_PIXELS = 192.0, 72.0, 20e6
CLEAR, WHITE = "bgcolor=transparent", "bgcolor=white"


class Picture:
    """A picture of a graph or model, which shows itself in a notebook.

    source: its DOT text
    svg:    its SVG text
    path:   the file it was written to, None if it was not

    >>> import autograd_nn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> picture = ag.plot_graph((x * 2).sum(), to_file=None)
    >>> picture.svg.startswith("<svg"), picture.path
    (True, None)
    """

    def __init__(
        self,
        source: str,
        title: str,
        description: str,
        tips: dict[str, Tip],
        options: tuple[str, ...] = (),
        dpi: float | None = None,
    ) -> None:
        self.source = source
        self.title = title
        self.description = description
        self.tips = tips
        self.options = options
        self.dpi = dpi
        self.path: Path | None = None

    @cached_property
    def canvas(self) -> Canvas:
        """The layout; LayoutError where there is no layout program."""
        return read_canvas(self.source, *self.options)

    @cached_property
    def svg(self) -> str:
        return to_svg(self.canvas, self.title, self.description, self.tips)

    def render(self, kind: str = "svg") -> bytes:
        """The picture as 'svg', 'png', 'pdf' or 'dot'; InvalidArgument for another kind."""
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS)
            raise InvalidArgument(f"a picture is one of {', '.join(KINDS)}, got {short(kind)}{hint}")
        if kind == "svg":
            return self.svg.encode()
        if kind == "dot":
            return self.source.encode()
        if kind == "png":
            return self._pixels("png", self.dpi or self._fitting_dpi())
        return to_pdf(self.canvas) if fits_pdf(self.canvas) else image_to_pdf(self._pixels("jpg", PDF_DPI), PDF_DPI)

    def _fitting_dpi(self) -> float:
        square_inches = self.canvas.width * self.canvas.height / 72**2
        return min(FINEST_DPI, max(COARSEST_DPI, (MOST_PIXELS / square_inches) ** 0.5))

    def _pixels(self, kind: str, dpi: float) -> bytes:
        return lay_out(self.source.replace(CLEAR, WHITE, 1), kind, f"-Gdpi={dpi:g}", *self.options)

    def save(self, path: Any) -> "Picture":
        """Write the picture to a file whose name ends in .svg, .png, .pdf or .dot; returns itself.

        Raises InvalidArgument for another ending, FileNotFoundError for a folder that does not exist.
        """
        file = check_path(path, "save")
        file.write_bytes(self.render(file.suffix[1:].lower()))
        self.path = file
        return self

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture {short(self.title, 40)}{f' in {self.path}' if self.path else ''}>"


def check_path(path: Any, what: str) -> Path:
    """The file to write, its ending known and its folder there."""
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentTypeError(f"{what}: to_file must be a file name or None, got {short(path)}")
    file = Path(path)
    kind = file.suffix[1:].lower()
    if kind not in KINDS:
        expected = ".svg, .png, .pdf or .dot"
        got = f"ends in {short(file.suffix)}" if kind else "has no ending"
        hint = did_you_mean(kind, KINDS) or f"; write {short(str(file.with_suffix('.svg')))}" if file.name else ""
        raise InvalidArgument(f"{what}: to_file={short(str(path))} {got}, expected {expected}{hint}")
    if file.is_dir():
        raise IsADirectoryError(f"{what}: to_file={short(str(path))} is a folder; give a file name in it")
    if not file.parent.is_dir():
        folder = short(str(file.parent))
        raise FileNotFoundError(f"{what}: there is no folder {folder} to write to; make it with os.makedirs({folder})")
    return file
