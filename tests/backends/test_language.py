"""Kernels compiled by our own translation do what the same source does in Python, and what Numba makes of it."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn.backends.numba.functions.scalars import compiled
from autograd_nn.backends.numba.machine import kernel
from autograd_nn.backends.numba.machine.language import KernelError
from autograd_nn.backends.numba.machine.memory import address

pytestmark = pytest.mark.skipif(kernel.interpreted(), reason="kernels run in Python")


def block_of(arrays, words):
    numbers = [n for a in arrays for n in (address(a), a.size)] + list(words)
    return np.array(numbers, np.uint64).view(np.int64)


def both(lines, inputs, outputs, words=(), names=None, tiles=1):
    """The outputs of a kernel as machine code, and in Python."""
    arguments = [f"x{k}" for k in range(len(inputs))] + [f"y{k}" for k in range(len(outputs))]
    made = kernel.build(lines, arguments, [a.dtype for a in (*inputs, *outputs)], len(words), names or {}, "test")
    kernel.ready([made])
    native = [a.copy() for a in outputs]
    block = block_of([*inputs, *native], words)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(made.address)(address(block), 0, tiles)
    python = [a.copy() for a in outputs]
    body = made.source
    space = {"np": np, **(names or {})}
    exec(body, space)
    with np.errstate(all="ignore"):
        space["kernel"](*inputs, *python, np.array(words, np.uint64), np.uint64(0), np.uint64(tiles))
    return native, python


def assert_same(lines, inputs, outputs, **rest):
    native, python = both(lines, inputs, outputs, **rest)
    for a, b in zip(native, python):
        np.testing.assert_array_equal(a, b)


EACH = "for k in range(g[0]):"
OPERATORS = ["a + b", "a - b", "a * b", "a & b", "a | b", "a ^ b", "a if a < b else b", "min(a, b)", "max(a, b)"]


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint64"])
@pytest.mark.parametrize("expression", OPERATORS)
def test_integers(expression, dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 100, 37).astype(dtype) for _ in range(2))
    lines = [EACH, "    a, b = x0[k], x1[k]", f"    y0[k] = np.{dtype}({expression})"]
    assert_same(lines, [a, b], [np.zeros(37, dtype)], words=(37,))


@given(st.integers(-50, 50), st.integers(-9, 9).filter(bool))
def test_floor_division_and_remainder_of_signed_numbers(a, b):
    lines = ["a, b = x0[np.uint64(0)], x1[np.uint64(0)]", "y0[np.uint64(0)], y1[np.uint64(0)] = a // b, a % b"]
    arrays = [np.array([a]), np.array([b])]
    native, _ = both(lines, arrays, [np.zeros(1, np.int64), np.zeros(1, np.int64)])
    assert [int(n[0]) for n in native] == [a // b, a % b]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "expression",
    ["a + b", "a - b", "a * b", "a / b", "-a", "abs(a)", "np.sqrt(abs(a))", "np.floor(a)", "np.ceil(a)",
     "np.fmod(a, b)", "np.copysign(a, b)", "a if (a > b) | (a != a) else b", "a if not a < b else b"],
)  # fmt: skip
def test_floats_with_every_special_value(expression, dtype):
    special = np.array([0.0, -0.0, 1.5, -2.25, np.inf, -np.inf, np.nan, 1e-30, 3e30], dtype)
    a, b = (m.ravel().copy() for m in np.meshgrid(special, special))
    lines = [EACH, "    a, b = x0[k], x1[k]", f"    y0[k] = {expression}"]
    assert_same(lines, [a, b], [np.zeros(a.size, dtype)], words=(a.size,))


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize("dtype", ["bool", "int16", "uint32", "float32", "float64"])
def test_comparisons_give_truth_values(sign, dtype):
    values = np.array([0, 1, 2, 200, np.nan] if dtype[0] == "f" else [0, 1, 2, 3])
    a, b = (m.ravel().astype(dtype) for m in np.meshgrid(values, values))
    lines = [EACH, f"    y0[k] = x0[k] {sign} x1[k]"]
    assert_same(lines, [a, b], [np.zeros(a.size, bool)], words=(a.size,))


KINDS = ["bool", "int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]


@pytest.mark.parametrize("old", KINDS)
@pytest.mark.parametrize("new", KINDS)
def test_casts(old, new):
    values = np.array([0, 1, 2, 3, 100]).astype(old)
    lines = [EACH, f"    y0[k] = np.{'bool_' if new == 'bool' else new}(x0[k])"]
    assert_same(lines, [values], [np.zeros(5, new)], words=(5,))


def test_bits_of_a_float_seen_as_an_integer_and_back():
    lines = [EACH, "    y0[k] = x0[k].view(np.int32)", "    y1[k] = np.int32(x0[k].view(np.int32)).view(np.float32)"]
    x = np.array([1.0, -2.5, 0.0, 1e-40], np.float32)
    assert_same(lines, [x], [np.zeros(4, np.int32), np.zeros(4, np.float32)], words=(4,))


def test_loops_with_starts_and_steps_conditions_and_while():
    lines = [
        "total = np.int64(0)",
        "for i in range(np.uint64(3), g[0], np.uint64(4)):",
        "    for j in range(i, i):",
        "        total += np.int64(1000)",
        "    if i % np.uint64(2) == np.uint64(1):",
        "        total += x0[i]",
        "    elif i > np.uint64(9):",
        "        total -= x0[i]",
        "    else:",
        "        total *= np.int64(2)",
        "left = np.int64(5)",
        "while left > np.int64(0) and total > np.int64(-10000):",
        "    total += left",
        "    left -= np.int64(1)",
        "y0[np.uint64(0)] = total",
    ]
    for size in (0, 1, 4, 5, 23):
        assert_same(lines, [np.arange(30)], [np.zeros(1, np.int64)], words=(size,))


def test_functions_of_numbers_are_written_in_place():
    half, two = np.float32(0.5), np.float32(2)

    @compiled
    def middle(a, b):
        total = a + b
        return total * half

    @compiled
    def far(a):
        return middle(a, two) - a

    lines = [EACH, "    y0[k] = far(x0[k]) if x0[k] > np.float32(0) else middle(x0[k], x0[k])"]
    x = np.linspace(-2, 2, 19, dtype=np.float32)
    assert_same(lines, [x], [np.zeros(19, np.float32)], words=(19,), names={"middle": middle, "far": far})


def test_tiles_are_worked_from_start_to_end():
    lines = ["for tile in range(start, end):", "    y0[tile] = tile * np.uint64(3)"]
    native, _ = both(lines, [], [np.zeros(6, np.uint64)], tiles=4)
    assert native[0].tolist() == [0, 3, 6, 9, 0, 0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("y0[k] = np.uint64(1) + np.int64(1)", "uint64 meets int64"),
        ("a = np.float32(1); a = np.float64(2)", "a is float32 and is set to float64"),
        ("import os", "not in the kernel language: import os"),
        ("y0[k] = [1][0]", "not in the kernel language"),
        ("y0[k] = unknown", "unknown"),
        ("y0[k] = np.float32(1) << np.float32(2)", "no LShift of floats"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_the_source(line, told):
    made = kernel.build([EACH, f"    {line}"], ["y0"], [np.float32], 1, {}, "bad")
    with pytest.raises(KernelError, match=told) as caught:
        kernel.ready([made])
    assert line.split(";")[0] in str(caught.value)


def test_the_same_source_gives_the_same_machine_code_and_key():
    def text():
        return kernel._llvm(kernel.build([EACH, "    y0[k] = x0[k]"], ["x0", "y0"], ["f4", "f4"], 1, {}, "copy"))

    assert text() == text()
