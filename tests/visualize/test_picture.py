"""Files of every kind, and the picture as an object."""

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors
from autograd_nn.visualize import Picture, plot_graph
from autograd_nn.visualize.pdf import jpeg_size

SIGNS = {"svg": b"<svg ", "png": b"\x89PNG\r\n", "pdf": b"%PDF-1.4", "dot": b"digraph"}


def result(name: str = "a") -> ag.Tensor:
    return (ag.tensor([1.0, 2.0], requires_grad=True, name=name) * 2).sum()


@pytest.mark.parametrize("kind", SIGNS)
@pytest.mark.parametrize("upper", [False, True])
def test_the_ending_chooses_the_kind(kind: str, upper: bool, tmp_path: Path) -> None:
    file = tmp_path / f"graph.{kind.upper() if upper else kind}"
    picture = plot_graph(result(), to_file=str(file))
    assert picture.path == file and file.read_bytes().startswith(SIGNS[kind])
    assert picture.render(kind) == file.read_bytes()


@pytest.mark.parametrize("kind", SIGNS)
def test_with_an_empty_path(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    plot_graph(result(), to_file=tmp_path / f"graph.{kind}")
    assert (tmp_path / f"graph.{kind}").stat().st_size > 500


def test_the_default_file_is_graph_svg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert plot_graph(result()).path == Path("graph.svg") and (tmp_path / "graph.svg").exists()


def test_a_picture_shows_itself_and_knows_its_path(tmp_path: Path) -> None:
    picture = plot_graph(result(), to_file=None)
    assert isinstance(picture, Picture) and picture.path is None and picture._repr_svg_() == picture.svg
    assert "graph.svg" not in repr(picture)
    assert "graph.svg" in repr(picture.save(tmp_path / "graph.svg"))


def test_unknown_kinds() -> None:
    with pytest.raises(errors.InvalidArgument, match="did you mean 'png'"):
        plot_graph(result(), to_file=None).render("pgn")
    with pytest.raises(errors.InvalidArgument, match="did you mean 'svg'"):
        plot_graph(result(), to_file="graph.sgv")


def test_an_svg_can_be_read_aloud_and_scales(read: Any) -> None:
    root = read(plot_graph(result("weights"), to_file=None).svg).root
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names[:2] == ["title", "desc"] and root[0].text == "Graph of result of sum"
    assert root[1].text == "1 parameter, 2 operations"
    assert root.get("role") == "img" and root.get("viewBox") and "max-width:100%" in root.get("style", "")


def test_text_stands_on_opaque_fills_for_dark_pages(read: Any) -> None:
    root = read(plot_graph(result(), to_file=None).svg).root
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        has_text = group.find("{http://www.w3.org/2000/svg}text") is not None
        fills = [path.get("fill") for path in group.findall("{http://www.w3.org/2000/svg}path")]
        assert not has_text or any(fill != "none" for fill in fills)


def png_size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_a_png_is_fine_but_not_beyond_what_viewers_open() -> None:
    small = plot_graph(result(), to_file=None)
    assert png_size(small.render("png"))[0] == pytest.approx(small.canvas.width * 192 / 72, rel=0.2)
    y = ag.tensor(np.ones(2), requires_grad=True)
    large = plot_graph(sum(ag.ops.tanh(y * (k + 2)) for k in range(60)), to_file=None, collapse=False)
    width, height = png_size(large.render("png"))
    assert 15e6 < width * height < 25e6


# --- PDF


def content(pdf: bytes) -> str:
    stream = re.search(rb"/FlateDecode /Length (\d+) >>\nstream\n", pdf)
    assert stream is not None
    return zlib.decompress(pdf[stream.end() : stream.end() + int(stream[1])]).decode("cp1252")


def test_a_pdf_holds_its_text_as_text() -> None:
    page = content(plot_graph(result("a (b) \\c é"), to_file=None).render("pdf"))
    assert r"(a \(b\) \\c é) Tj" in page and "(scalar float32) Tj" in page


def test_the_table_of_a_pdf_points_at_its_objects() -> None:
    pdf = plot_graph(result(), to_file=None).render("pdf")
    start = int(pdf.rpartition(b"startxref\n")[2].split()[0])
    rows = pdf[start:].split(b"trailer")[0].splitlines()[3:]
    for number, row in enumerate(rows, 1):
        assert pdf[int(row.split()[0]) :].startswith(b"%d 0 obj" % number)
    assert len(rows) == 4


@pytest.mark.parametrize("name", ["λ", "שלום", "имя"])
def test_other_scripts_make_the_page_an_image(name: str) -> None:
    pdf = plot_graph(result(name), to_file=None).render("pdf")
    jpeg = pdf[pdf.index(b"\xff\xd8") :]
    width, height = jpeg_size(jpeg)
    assert f"/Width {width} /Height {height}".encode() in pdf and min(width, height) > 100


def test_no_picture_holds_the_size_of_the_arrays() -> None:
    x = ag.tensor(np.ones((200, 200)), requires_grad=True, name="x")
    assert len(plot_graph(x * 2, to_file=None, show_values=True).svg) < 10_000
