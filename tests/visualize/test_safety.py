"""Names and sources of users in pictures: always text, never markup, links, scripts or DOT."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn.engine.tensor import scope
from autograd_nn.visualize import plot_graph
from autograd_nn.visualize.text import LONGEST_NAME

HOSTILE = [
    '"]; node [URL="javascript:alert(1)"', "<script>alert(1)</script>", "a & b &amp; &lt;", "</text><a href='x'>",
    "<b>bold</b>", "<TABLE><TR><TD HREF='x'>", "\\N \\G \\l \\", "C:\\path\\new", "{a|b}", ">", "<", "%s %d {0}",
    "שלום עולם", "中文名字", "  two  spaces  ", "-->", "]]>", "<?xml?>", "&#10;", "'quoted'",
]  # fmt: skip
CONTROL = ["line 1\nline 2", "a\x00b\x1b[31m", "\ud800", "\ufffe", "tab\there", "x" * 5_000]
TAGS = {"svg", "g", "title", "desc", "path", "text"}


def check(svg: str) -> ElementTree.Element:
    """The SVG has drawing elements only, and no attribute that links or runs anything."""
    root = ElementTree.fromstring(svg.encode())
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in TAGS
        for name, value in element.attrib.items():
            local = name.rpartition("}")[2].lower()
            assert not local.startswith("on") and local not in ("href", "src", "id")
            assert "url(" not in value.lower() and "javascript" not in value.lower()
    return root


def texts(root: ElementTree.Element, tag: str) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{{http://www.w3.org/2000/svg}}{tag}")]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_come_back_as_they_were_given(name: str) -> None:
    y = ag.tensor([1.0], requires_grad=True, name=name) * 2
    y.name = name
    root = check(plot_graph(y, to_file=None).svg)
    assert texts(root, "text").count(name) == 2
    assert f"{name}: parameter" in {tip.partition("\n")[0] for tip in texts(root, "title")}


@pytest.mark.parametrize("name", CONTROL)
def test_names_that_no_label_can_hold_stay_text(name: str) -> None:
    y = ag.tensor([1.0], requires_grad=True, name=name) * 2
    root = check(plot_graph(y, to_file=None).svg)
    assert len(root.findall(".//*[@class='node parameter']")) == 1
    assert max(map(len, texts(root, "text"))) <= LONGEST_NAME


def test_line_ends_in_names_are_kept_in_the_tooltip() -> None:
    y = ag.tensor([1.0], requires_grad=True, name="line 1\nline 2") * 2
    assert any("line 1\nline 2: parameter" in tip for tip in texts(check(plot_graph(y, to_file=None).svg), "title"))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_clusters(name: str) -> None:
    with scope(name, object()):
        y = ag.ops.tanh(ag.tensor([1.0], requires_grad=True))
    assert name in texts(check(plot_graph(y, to_file=None).svg), "text")


@pytest.mark.parametrize("name", HOSTILE)
def test_titles(name: str) -> None:
    x = ag.tensor([1.0], requires_grad=True)
    y = ag.tensor([1.0], requires_grad=True, name=name)
    assert texts(check(plot_graph(y, to_file=None).svg), "title")[0] == f"Graph of {name}"
    assert check(plot_graph((lambda t: t * y, x), to_file=None).svg) is not None


def test_source_lines_are_text() -> None:
    y = ag.tensor([1.0], requires_grad=True) * 2  # <script>alert("]; x [URL=</script> & \N </title>
    root = check(plot_graph(y, to_file=None).svg)
    assert any('# <script>alert("]; x [URL=</script> & \\N </title>' in tip for tip in texts(root, "title"))


@settings(max_examples=25)
@given(st.text(st.characters(codec=None, exclude_categories=()), min_size=1, max_size=30))
def test_any_name_at_all(name: str) -> None:
    y = ag.tensor([1.0], requires_grad=True, name=name) * 2
    root = check(plot_graph(y, to_file=None).svg)
    assert len(root.findall(".//*[@class='node parameter']")) == 1


def test_identifiers_are_generated_in_dot() -> None:
    name = '"]; evil [URL="x'
    source = plot_graph(ag.tensor([1.0], requires_grad=True, name=name) * 2, to_file=None).source
    statements = [line.strip() for line in source.splitlines() if line.startswith("\t") and "->" in line]
    assert statements[0].split()[0::2][:2] == ["v0", "v1"]
    assert "\nevil" not in source and "\tevil" not in source


def test_names_of_layers_in_model_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    for name in HOSTILE:
        monkeypatch.setattr(model.layers[0], "name", name)
        root = check(ag.utils.plot_model(model, to_file=None, show_layer_names=True).svg)
        assert name in texts(root, "text")


@pytest.mark.parametrize("kind", ["png", "pdf", "dot"])
def test_every_other_format_takes_them_too(kind: str) -> None:
    y = sum(ag.tensor(np.ones(1), requires_grad=True, name=name) for name in [*HOSTILE, *CONTROL])
    assert len(plot_graph(y, to_file=None, collapse=False).render(kind)) > 1_000
