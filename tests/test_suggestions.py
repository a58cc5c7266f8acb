"""Misspelt names of every kind, each with one slip of the finger, and words that mean something else."""

import inspect
import random
import re
import string
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import activations, constraints, initializers, layers, losses, metrics, models, ops, optimizers
from autograd_nn.engine.signatures import Checked, init_parameters
from autograd_nn.errors import did_you_mean

COUNT, SEED = 200, 20
X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
Ask = Callable[[str], Any]


def model() -> models.Sequential:
    made = models.Sequential([layers.Dense(3, input_shape=(4,), name="hidden"), layers.Dense(1, name="last")])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def two_outputs() -> models.Model:
    x = layers.Input((4,), name="pixels")
    return models.Model(x, [layers.Dense(1, name=name)(x) for name in ("price", "weight")])


MODEL, TWO = model(), two_outputs()


def asked_strings() -> list[tuple[str, Ask, list[str]]]:
    rooms: dict[str, Any] = {
        "activation": activations, "initializer": initializers, "constraint": constraints, "loss": losses,
        "metric": metrics, "optimizer": optimizers,
    }  # fmt: skip
    known: dict[str, Any] = {kind: getattr(room, "KNOWN", {}) for kind, room in rooms.items()}
    return [(kind, room.get, sorted(known[kind])) for kind, room in rooms.items() if known[kind]]


def asked_keywords() -> list[tuple[str, Ask, list[str]]]:
    found: list[tuple[str, Ask, list[str]]] = []
    for room in (layers, optimizers, losses, metrics, ag.callbacks, initializers):
        for name in sorted(getattr(room, "__all__", dir(room))):
            cls = getattr(room, name)
            if isinstance(cls, Checked) and not name.startswith("_") and len(init_parameters(cls)) > 2:
                found.append(("keyword", lambda word, cls=cls: cls(**{word: None}), list(init_parameters(cls))))
    for method in (MODEL.fit, MODEL.evaluate, MODEL.predict, MODEL.compile, ops.sum, ag.utils.to_categorical):
        names = list(inspect.signature(method).parameters)
        found.append(("keyword", lambda word, call=method: call(**{word: 1}), names))
    return found


def asked_attributes() -> list[tuple[str, Ask, list[str]]]:
    tensor, dense = ag.tensor([1.0]), MODEL.layers[-1]
    objects = [(x, [n for n in dir(type(x)) if not n.startswith("_")]) for x in (MODEL, dense, tensor)]
    rooms = (ag, ag.ops, ag.layers, ag.models, ag.losses, ag.metrics, ag.optimizers, ag.callbacks, ag.utils)
    objects += [(room, list(room.__all__)) for room in rooms]
    return [("attribute", lambda word, x=x: getattr(x, word), names) for x, names in objects]


def asked_keys() -> list[tuple[str, Ask, list[str]]]:
    def monitored(word: str) -> Any:
        return MODEL.fit(X, Y, verbose=0, callbacks=[ag.callbacks.ReduceLROnPlateau(word)])

    return [
        ("key", lambda word: TWO.compile(loss={word: "mse"}), ["price", "weight"]),
        ("key", lambda word: MODEL.get_layer(word), ["hidden", "last"]),
        ("key", monitored, ["loss", "mae", "learning_rate"]),
        ("key", lambda word: TWO.predict({word: X}, verbose=0), ["pixels"]),
    ]


GROUPS = (asked_strings(), asked_keywords(), asked_attributes(), asked_keys())


def slip(word: str, chance: random.Random) -> str:
    """The word with one letter dropped, doubled, replaced, or swapped with the next one."""
    k = chance.randrange(len(word))
    kind = chance.randrange(4)
    if kind == 0 and len(word) > 3:
        return word[:k] + word[k + 1 :]
    if kind == 1:
        return word[:k] + word[k] + word[k:]
    if kind == 2 and len(word) > 1:
        k = min(k, len(word) - 2)
        return word[:k] + word[k + 1] + word[k] + word[k + 2 :]
    return word[:k] + chance.choice(string.ascii_lowercase) + word[k + 1 :]


def answer(ask: Ask, word: str) -> str:
    try:
        ask(word)
    except Exception as error:
        return str(error).partition("\n")[0]
    return ""


def typos() -> list[tuple[str, str, str, str]]:
    """Kind, right name, typo and answer for COUNT typos; no right name is another right name misspelt."""
    chance = random.Random(SEED)
    made: list[tuple[str, str, str, str]] = []
    while len(made) < COUNT:
        kind, ask, names = chance.choice(GROUPS[len(made) % len(GROUPS)])
        right = chance.choice(sorted(names))
        word = slip(right, chance)
        if len(right) < 3 or word in names or not word.isidentifier():
            continue
        made.append((kind, right, word, answer(ask, word)))
    return made


def test_a_slip_of_the_finger_is_understood() -> None:
    found = typos()
    missed = [entry for entry in found if not re.search(rf"(did you mean|input) '{re.escape(entry[1])}'", entry[3])]
    assert len(missed) <= 0.05 * COUNT, missed


OTHER_WORDS = """
banana quickly mountain purple elephant orchestra yesterday kitchen umbrella giraffe library bicycle thunder
pyramid whisper tomato dolphin carpet journey mystery candle desert violin harvest lantern meadow needle
oxygen parrot quilt rocket saddle turtle uncle velvet wizard yogurt zebra anchor blanket castle dragon
engine feather garden hammer island jungle kettle lemon magnet napkin office pepper queen ribbon spider
ticket unicorn village curtain yellow zipper almond butter coffee supper eleven forest guitar honey insect
jacket king ladder mirror nature onion pencil quarter river silver temple united vessel winter xenon yard
region apple bread cloud dance eagle flame melon house juice torch moon
"""
WORDS = OTHER_WORDS.split()


def test_words_that_mean_something_else_bring_no_suggestion() -> None:
    assert len(WORDS) == 100
    names = sorted({name for group in GROUPS for _, _, known in group for name in known})
    loud = {word: did_you_mean(word, names) for word in WORDS if did_you_mean(word, names)}
    asked = {word: answer(GROUPS[k % 4][k % len(GROUPS[k % 4])][1], word) for k, word in enumerate(WORDS)}
    wrong = [text for text in asked.values() if "did you mean" in text]
    assert not wrong
    assert not loud


@pytest.mark.parametrize(
    "word, known, right",
    [
        ("val_split", ["validation_split", "validation_data", "validation_steps"], "validation_split"),
        ("batch", ["batch_size", "epochs"], "batch_size"),
        ("kernel_init", ["kernel_initializer", "bias_initializer"], "kernel_initializer"),
        ("RELU", ["relu", "elu"], "relu"),
    ],
)
def test_a_name_cut_short_is_understood(word: str, known: list[str], right: str) -> None:
    assert did_you_mean(word, known) == f"; did you mean {right!r}?"


def test_an_import_of_a_misspelt_name_says_so() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Dens' from 'autograd_nn.layers'; did you mean 'Dense'"):
        from autograd_nn.layers import Dens  # noqa: F401
    with pytest.raises(ImportError, match="'gradd' from 'autograd_nn'; did you mean 'grad'"):
        from autograd_nn import gradd  # noqa: F401


def test_looking_for_a_name_stays_possible() -> None:
    assert not hasattr(ops, "no_such_op") and getattr(layers, "NoSuchLayer", None) is None
