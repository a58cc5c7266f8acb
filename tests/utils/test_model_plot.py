"""plot_model and model_to_dot: boxes, edges, what they say, files and errors."""

import inspect
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import autograd_nn as ag
from autograd_nn import errors
from autograd_nn.layers import Dense, Input
from autograd_nn.models import Model, Sequential
from autograd_nn.utils import model_to_dot, plot_model

SVG = "{http://www.w3.org/2000/svg}"


def boxes(picture: Any) -> dict[str, list[str]]:
    """The words of each box, by its first."""
    root = ElementTree.fromstring(picture.svg)
    nodes = [g for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("node")]
    words = [["".join(text.itertext()).strip() for text in g.iter(f"{SVG}text")] for g in nodes]
    return {found[0]: found[1:] for found in words}


def arrows(picture: Any) -> list[tuple[str, str]]:
    root = ElementTree.fromstring(picture.svg)
    tips = [g.findtext(f"{SVG}title", "") for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("edge")]
    return sorted(tuple(end.partition(":")[0] for end in tip.split(" → ")) for tip in tips)  # type: ignore[misc]


def clusters(picture: Any) -> list[str]:
    root = ElementTree.fromstring(picture.svg)
    found = [g for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("cluster")]
    return ["".join(g.find(f"{SVG}text").itertext()) for g in found]  # type: ignore[union-attr]


def sequential() -> Sequential:
    layers = [Dense(3, activation="relu", input_shape=(4,), name="hidden"), Dense(2, name="out")]
    return Sequential(layers, name="model")


def nested() -> Model:
    left, right = Input((4,), name="left"), Input((4,), name="right")
    twin = sequential()
    shared = Dense(2, name="shared")
    return Model([left, right], [shared(twin(left)), shared(twin(right))])


def test_signatures_are_keras() -> None:
    assert str(inspect.signature(plot_model)).partition(" ->")[0] == (
        "(model: Any, to_file: Any = 'model.png', show_shapes: bool = False, show_dtype: bool = False, "
        "show_layer_names: bool = False, rankdir: str = 'TB', expand_nested: bool = False, dpi: float = 200, "
        "show_layer_activations: bool = False, show_trainable: bool = False, splines: str = 'ortho')"
    )
    assert list(inspect.signature(model_to_dot).parameters) == [
        "model", "show_shapes", "show_dtype", "show_layer_names", "rankdir", "expand_nested", "dpi", "subgraph",
        "show_layer_activations", "show_trainable", "splines",
    ]  # fmt: skip


def test_boxes_say_what_is_asked_for() -> None:
    assert boxes(plot_model(sequential(), None))["Dense"] == []
    everything = plot_model(
        sequential(), None, show_shapes=True, show_dtype=True, show_layer_names=True, show_layer_activations=True,
        show_trainable=True,
    )  # fmt: skip
    assert boxes(everything)["hidden"] == [
        "Dense", "activation", "relu", "input shape", "(None, 4)", "output shape", "(None, 3)",
        "output dtype", "float32", "trainable", "yes",
    ]  # fmt: skip
    assert boxes(everything)["hidden_input"] == [
        "InputLayer", "output shape", "(None, 4)", "output dtype", "float32",
    ]  # fmt: skip


def test_frozen_layers() -> None:
    model = sequential()
    model.layers[0].trainable = False
    found = boxes(plot_model(model, None, show_layer_names=True, show_trainable=True))
    assert found["hidden"][-1] == "no" and found["out"][-1] == "yes"


def test_edges_follow_the_model() -> None:
    assert arrows(plot_model(sequential(), None)) == [("hidden", "out"), ("hidden_input", "hidden")]


def test_a_model_inside_is_one_box() -> None:
    assert arrows(plot_model(nested(), None)) == [
        ("left", "model"), ("model", "shared"), ("right", "model"),
    ]  # fmt: skip


def test_a_model_inside_expanded_is_a_cluster_fed_by_all_its_calls() -> None:
    picture = plot_model(nested(), None, expand_nested=True)
    assert arrows(picture) == [
        ("hidden", "out"), ("left", "hidden"), ("out", "shared"), ("right", "hidden"),
    ]  # fmt: skip
    assert clusters(picture) == ["model"]


def test_a_layer_fed_by_one_made_after_it() -> None:
    x = Input((2,), name="x")
    shared = Dense(2, name="shared")
    once = shared(x)
    again = shared(Dense(2, name="between")(once))
    assert arrows(plot_model(Model(x, again), None)) == [("between", "shared"), ("shared", "between"), ("x", "shared")]


def test_a_model_fed_by_itself() -> None:
    x = Input((4,), name="x")
    inner = Sequential([Dense(4, input_shape=(4,), name="inside")], name="inner")
    picture = plot_model(Model(x, inner(inner(x))), None, expand_nested=True)
    assert arrows(picture) == [("inside", "inside"), ("x", "inside")]


def test_operators_between_layers_are_boxes() -> None:
    x = Input((2,), name="x")
    picture = plot_model(Model(x, Dense(2, name="d")(x) + x), None, show_layer_names=True)
    assert boxes(picture)["add"] == ["Operation"]
    assert arrows(picture) == [("d", "add"), ("x", "add"), ("x", "d")]


def test_a_subgraph_has_no_inputs() -> None:
    assert sorted(boxes(model_to_dot(sequential(), subgraph=True))) == ["hidden", "out"]


def test_a_model_with_its_own_call_is_one_box() -> None:
    class Own(Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.first = Dense(2)

        def call(self, x: Any) -> Any:
            return self.first(x)

    model = Own()
    with pytest.raises(errors.NotBuiltError, match="not built"):
        plot_model(model, None)
    model(ag.ops.ones((1, 3)))
    assert boxes(model_to_dot(model)) == {"own": ["Own"]}


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
@pytest.mark.parametrize("splines", ["ortho", "spline", "curved", "polyline", "line"])
def test_directions_and_lines(rankdir: str, splines: str) -> None:
    picture = plot_model(sequential(), None, rankdir=rankdir, splines=splines)
    assert f"rankdir={rankdir}" in picture.source and f"splines={splines}" in picture.source
    assert len(arrows(picture)) == 2


SIGNS = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF", "dot": b"digraph"}


@pytest.mark.parametrize(("kind", "sign"), SIGNS.items())
def test_files(kind: str, sign: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"model.{kind}"
    picture = plot_model(sequential(), file)
    assert picture.path == file and file.read_bytes().startswith(sign) and picture._repr_svg_().startswith("<svg")


def test_dots_per_inch(tmp_path: Path) -> None:
    def width(dpi: float) -> int:
        plot_model(sequential(), tmp_path / "model.png", dpi=dpi)
        return int.from_bytes((tmp_path / "model.png").read_bytes()[16:20])

    assert width(200) == pytest.approx(2 * width(100), abs=3)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"rankdir": "tb"}, errors.InvalidArgument, "rankdir 'tb'"),
        ({"rankdir": 'TB"; x'}, errors.InvalidArgument, "TB, LR, BT, RL"),
        ({"splines": "orto"}, errors.InvalidArgument, "did you mean 'ortho'"),
        ({"dpi": 0}, errors.InvalidArgument, "dpi"),
        ({"dpi": "200"}, errors.InvalidArgument, "dpi"),
        ({"to_file": "model.jpg"}, errors.InvalidArgument, "'.jpg'"),
        ({"to_file": "nowhere/model.png"}, FileNotFoundError, "makedirs"),
        ({"model": Sequential([Dense(2)])}, errors.NotBuiltError, "input_shape"),
        ({"model": Dense(2)}, errors.ArgumentTypeError, "expected a model"),
    ],
)
def test_errors(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        plot_model(**{"model": sequential(), "to_file": None, **options})
    assert words in str(caught.value)
