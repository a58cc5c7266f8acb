"""README's table of what is in the library is the library's."""

import importlib


def test_the_readme_shows_what_is_there():
    contents = importlib.import_module("contents")
    text = contents.README.read_text(encoding="utf-8")
    assert contents.written(text) == text, "python tools/contents.py --write"


def test_aliases_and_helpers_are_left_out():
    contents = importlib.import_module("contents")
    rooms = {room.split(" ")[0]: names.split(", ") for room, names in contents.rows()}
    assert "Dense" in rooms["layers"] and "Convolution2D" not in rooms["layers"]
    assert "relu" in rooms["activations"] and "deserialize" not in rooms["activations"]
