"""Names, numbers and arrays as text."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn.visualize import text


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_text_is_what_xml_can_hold(name: str) -> None:
    clean = text.clean(name)
    assert ElementTree.fromstring(f"<t>{text.markup(clean)}</t>".encode()) is not None
    assert len(clean) == len(name)


@given(st.text(), st.integers(2, 50))
def test_one_line_has_no_line_end_and_is_not_too_long(name: str, longest: int) -> None:
    line = text.one_line(name, longest)
    assert "\n" not in line and "\r" not in line and len(line) <= longest


def test_a_name_that_fits_stays_as_it_is() -> None:
    for name in ("kernel", "שלום", "a & b", "  two  spaces", "<b>"):
        assert text.one_line(name) == name


def test_long_tooltip_lines_are_cut_one_by_one() -> None:
    lines = text.tip_text(["a" * 5_000, "second"]).split("\n")
    assert lines[0].endswith("…") and len(lines[0]) == text.LONGEST_TIP and lines[1] == "second"


@pytest.mark.parametrize(
    ("array", "lines"),
    [
        (np.float32(0.1), ["0.1"]),
        (np.array([1, 2, 3]), ["[1, 2, 3]"]),
        (np.array([[True, False]]), ["[[True, False]]"]),
        (np.zeros((0, 3)), ["no elements"]),
        (np.array([[1.5, np.nan], [np.inf, -2.0]]), ["[[1.5, nan],", " [inf, -2]]"]),
        (np.arange(100) > 39, ["60 of 100 True"]),
        (np.arange(100), ["min 0  mean 49.5  max 99"]),
        (np.full(10, np.nan), ["10 NaN"]),
        (np.r_[np.zeros(8), np.nan, np.inf, -np.inf], ["min 0  mean 0  max 0", "1 NaN, 2 infinite"]),
    ],
)
def test_array_lines(array: object, lines: list[str]) -> None:
    assert text.array_lines(array) == lines


def test_mean_of_half_floats_does_not_overflow() -> None:
    assert text.array_lines(np.full(100, 60_000, "float16")) == ["min 6e+04  mean 6e+04  max 6e+04"]


@pytest.mark.parametrize(("character", "least"), [("a", 5), ("é", 6), ("中", 10), ("\u0301", 0)])
def test_width_leaves_room_for_wide_characters(character: str, least: float) -> None:
    assert text.width(character, 10) >= least
