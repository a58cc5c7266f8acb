"""The table of layers: rows, totals, sources, and Keras' arguments."""

import io
import re
import sys
from typing import Any

import pytest

import autograd_nn as ag
from autograd_nn import errors
from autograd_nn.layers import Dense, Dropout, Input
from autograd_nn.models import Model, Sequential


def text_of(model: Any, **options: Any) -> str:
    pieces: list[str] = []
    model.summary(print_fn=pieces.append, **options)
    (text,) = pieces
    return text


def rows_of(text: str) -> list[list[str]]:
    """The cells of each row, the header first."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]


def chapter() -> Sequential:
    layers = [Dense(32, activation="relu", input_shape=(784,), name="hidden"), Dense(10, name="digits")]
    return Sequential(layers, name="chapter")


def branches() -> Model:
    left, right = Input((16,), name="left"), Input((8,), name="right")
    encoder = Sequential([Dense(8, name="inner", input_shape=(16,)), Dense(4, name="code")], name="encoder")
    shared = Dense(4, name="shared")
    a, b = shared(encoder(left)), shared(Dense(4, name="resize")(right))
    return Model([left, right], [Dense(1, name="one")(a + b), Dense(2, name="two")(a)], name="branches")


def test_the_chapters_model() -> None:
    text = text_of(chapter())
    assert text.splitlines()[0] == 'Model: "chapter"'
    assert rows_of(text) == [
        ["Layer (type)", "Output Shape", "Param #", "Connected to"],
        ["hidden (Dense)", "(None, 32)", "25,120", "input"],
        ["digits (Dense)", "(None, 10)", "330", "hidden"],
    ]
    totals = [line.strip() for line in text.splitlines()[-3:]]
    assert totals == [
        "Total params: 25,450 (99.41 KB)", "Trainable params: 25,450 (99.41 KB)", "Non-trainable params: 0 (0.00 B)",
    ]  # fmt: skip


def test_sources_of_branches_and_shared_layers() -> None:
    found = {row[0]: row[1:] for row in rows_of(text_of(branches()))}
    assert found["left (InputLayer)"] == ["(None, 16)", "0", "-"]
    assert found["encoder (Sequential)"] == ["(None, 4)", "172", "left"]
    assert found["shared (Dense)"] == ["(None, 4)", "20", "encoder, resize"]
    assert found["add (Operation)"] == ["(None, 4)", "0", "shared"]
    assert found["two (Dense)"][2] == "shared"


def test_several_outputs_of_a_layer_are_numbered() -> None:
    class Halves(ag.layers.Layer):
        def call(self, x: Any) -> Any:
            return x[:, :2], x[:, 2:]

    x = Input((6,), name="x")
    first, second = Halves(name="halves")(x)
    found = {row[0]: row[1:] for row in rows_of(text_of(Model(x, [Dense(3, name="a")(second), first])))}
    assert found["halves (Halves)"] == ["(None, 2), (None, 4)", "0", "x"]
    assert found["a (Dense)"][2] == "halves[1]"


def test_nested_layers() -> None:
    names = [row[0] for row in rows_of(text_of(branches(), expand_nested=True))]
    start = names.index("encoder (Sequential)")
    assert names[start + 1 : start + 3] == ["└ inner (Dense)", "└ code (Dense)"]
    assert "└ inner (Dense)" not in text_of(branches())


def test_frozen_layers() -> None:
    model = chapter()
    model.layers[0].trainable = False
    model.add(Dropout(0.5, name="drop"))
    text = text_of(model, show_trainable=True)
    assert [row[-1] for row in rows_of(text)] == ["Trainable", "N", "Y", "-"]
    assert "Trainable params: 330" in text and "Non-trainable params: 25,120" in text


def test_a_range_of_layers_by_name_or_pattern() -> None:
    def names(first: str, last: str) -> list[str]:
        return [row[0].split()[0] for row in rows_of(text_of(branches(), layer_range=(first, last)))[1:]]

    assert names("encoder", "shared")[0] == "encoder" and names("encoder", "shared")[-1] == "shared"
    assert names("enc.*", "enc.*") == ["encoder"]


@pytest.mark.parametrize("length", [50, 120])
def test_line_length(length: int) -> None:
    lines = text_of(chapter(), line_length=length).splitlines()
    assert {len(line) for line in lines if line[0] in "╭├│╰"} == {length}


@pytest.mark.parametrize("positions", [[0.3, 0.6, 0.7, 1.0], [30, 60, 70, 100]])
def test_positions(positions: list[float]) -> None:
    text = text_of(chapter(), line_length=100, positions=positions)
    header = next(line for line in text.splitlines() if "Layer" in line)
    assert [m.start() for m in re.finditer("│", header)][1:4] == [30, 60, 70]


def test_it_prints_without_print_fn(capsys: pytest.CaptureFixture[str]) -> None:
    chapter().summary()
    assert "hidden (Dense)" in capsys.readouterr().out


def test_it_prints_where_only_ascii_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    branches().summary(expand_nested=True)
    assert b"inner (Dense)" in out.buffer.getvalue()  # type: ignore[attr-defined]


def test_names_are_never_read_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    model = chapter()
    monkeypatch.setattr(model.layers[0], "name", "[red]hidden[/red]")
    assert "[red]hidden[/red] (Dense)" in text_of(model)


def test_optimizer_parameters_are_counted() -> None:
    model = chapter()
    assert "Optimizer params" not in text_of(model)

    model.compile(optimizer="rmsprop", loss="mean_squared_error")
    assert "Optimizer params" not in text_of(model)
    model.optimizer.build(model.trainable_variables)
    text = text_of(model)
    # RMSprop keeps a velocity per parameter, its iterations and its learning rate; Keras counts these alike.
    assert "Optimizer params: 25,452 " in text and "Total params: 50,902 " in text


def test_a_model_with_its_own_call_lists_its_layers() -> None:
    class Own(Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = Dense(2, name="first")

        def call(self, x: Any) -> Any:
            return self.first(x)

    model = Own()
    with pytest.raises(errors.NotBuiltError, match="call build"):
        model.summary()
    model(ag.ops.ones((1, 3)))
    assert rows_of(text_of(model))[1][0] == "first (Dense)" and "Total params: 8" in text_of(model)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"layer_range": ("hiden", "digits")}, errors.UnknownName, "did you mean 'hidden'"),
        ({"layer_range": ("digits", "hidden")}, errors.InvalidArgument, "swap"),
        ({"layer_range": "hidden"}, errors.InvalidArgument, "two layer names"),
        ({"layer_range": ("(", "digits")}, errors.InvalidArgument, "pattern"),
        ({"positions": [0.5, 1.0]}, errors.InvalidArgument, "4 growing ends"),
        ({"positions": [0.5, 0.4, 0.7, 1.0]}, errors.InvalidArgument, "growing"),
    ],
)
def test_errors(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        text_of(chapter(), **options)
