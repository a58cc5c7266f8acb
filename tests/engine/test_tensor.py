"""A tensor holds its value safely, answers as NumPy does, and says where it was made when it cannot."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.spec import Spec, unknown
from autograd_nn.engine.tensor import MODE, Tensor, describe, line_of, recording, scope, symbol
from autograd_nn.errors import (
    DataError,
    DTypeError,
    GradientError,
    GraphError,
    ShapeError,
    SymbolicError,
    UnknownAttribute,
)  # fmt: skip


def valueless(*shape: int | None, dtype: str = "float32", name: str | None = None) -> Tensor:
    return symbol(Spec(unknown(shape), np.dtype(dtype)), name=name)


# --- wrapping


def test_wrapping_copies() -> None:
    array = np.ones(3)
    t = ag.tensor(array)
    array[0] = 5
    assert t.tolist() == [1, 1, 1]


def test_wrapping_without_a_copy_shares() -> None:
    array = np.ones(3)
    assert np.shares_memory(ag.tensor(array, copy=False).numpy(), array)


def test_operators_copy_the_arrays_they_are_given() -> None:
    array = np.ones(3)
    x = ag.tensor([1.0, 2.0, 3.0], dtype="float64", requires_grad=True)
    y = (x * array).sum()
    array[:] = 100
    y.backward()
    assert x.grad is not None and x.grad.tolist() == [1, 1, 1]


def test_the_array_given_out_cannot_be_written() -> None:
    t = ag.tensor([1.0, 2.0])
    for view in (t.numpy(), np.asarray(t)):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 3
    own = np.array(t, copy=True)
    own[0] = 3
    assert t.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "int64"), (1.5, "float32"), (True, "bool"), ([1, 2.5], "float32"), ([[1], [2]], "int64"), ([], "float32"),
        (np.float64(2), "float64"), (np.ones(2, "float16"), "float16"), (np.ones(2, ">f4"), "float32"),
        (1j, "complex64"), ([1, 2j], "complex64"), (np.array([1j]), "complex128"), (np.array([1j], ">c8"), "complex64"),
    ],
)  # fmt: skip
def test_the_dtype_of_what_is_wrapped(data: Any, dtype: str) -> None:
    assert ag.tensor(data).dtype == dtype


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (["a", "b"], DTypeError, "first non-number"),
        (None, DTypeError, r"None; .* write ops.shape\(x\)\[0\]"),
        ([1, "b"], DTypeError, "expected numbers"),
        (np.array([1, None]), DTypeError, r"at \[1\]"),
        (np.datetime64("2020-01-01"), DTypeError, "not supported"),
        ([[1, 2], [3]], DataError, "row 1 has length 1, row 0 has 2"),
        (np.ma.masked_array([1, 2], [True, False]), DTypeError, "lose its mask"),
    ],
)
def test_what_cannot_be_wrapped(data: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ag.tensor(data)


def test_integers_cannot_require_gradients() -> None:
    with pytest.raises(DTypeError, match="requires_grad needs floats, got dtype int64"):
        ag.tensor([1, 2], requires_grad=True)


@pytest.mark.parametrize("number", [0.0, -0.0, 0, False, 1, True, 1.0, float("nan"), 2.5])
def test_python_numbers_keep_their_sign_and_kind_beside_a_tensor(number: Any) -> None:
    short, whole = np.ones(1, "float32"), np.ones(1, "int8")
    for _ in range(2):
        assert (ag.tensor(short) * number).numpy().tobytes() == (short * number).tobytes()
        expected = np.dtype("float32") if type(number) is float else (whole + number).dtype
        assert (ag.tensor(whole) + number).dtype == expected


def test_a_list_of_tensors_keeps_their_history() -> None:
    x = ag.tensor(2.0, requires_grad=True)
    ops.sum([x, x * x]).backward()
    assert x.grad is not None and x.grad.item() == 5


# --- Python's protocols


def test_scalars_become_python_numbers() -> None:
    t = ag.tensor([[2.5]])
    assert (float(t), int(t), bool(t), t.item()) == (2.5, 2, True, 2.5)
    assert f"{t:.2f}" == "2.50"
    assert [10, 20, 30][ag.tensor(1)] == 20


def test_several_elements_have_no_truth_and_no_number() -> None:
    t = ag.tensor([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"ambiguous; use t\.any\(\) or t\.all\(\)"):
        bool(t)
    with pytest.raises(ShapeError, match="item.. needs one element"):
        float(t)
    with pytest.raises(DTypeError, match="must be an integer"):
        range(ag.tensor(1.0))  # type: ignore[arg-type]


def test_length_iteration_and_membership() -> None:
    t = ag.tensor([1, 2, 3])
    assert len(t) == 3
    assert [x.item() for x in t] == [1, 2, 3]
    assert 2 in t and 5 not in t
    with pytest.raises(ShapeError, match="0-d"):
        len(ag.tensor(1))


def test_a_tensor_is_its_own_key() -> None:
    a, b = ag.tensor([1.0]), ag.tensor([1.0])
    assert {a: "a", b: "b"}[a] == "a"
    assert hash(a) != hash(b)


def test_writing_in_place_is_refused_with_the_way_out() -> None:
    t = ag.tensor([1.0, 2.0])
    with pytest.raises(GraphError, match=r"use ops.where\(mask, new, t\) or t.assign"):
        t[0] = 5


def test_leaves_are_copied_and_pickled_results_are_not() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True, name="x")
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.tolist() == [1, 2]
        assert (twin.requires_grad, twin.name, twin is x) == (True, "x", False)
    with pytest.raises(GraphError, match="has a history"):
        copy.deepcopy(x * 2)


def test_representations() -> None:
    assert repr(ag.tensor([1.0, 2.0])) == "Tensor([1., 2.], dtype=float32)"
    assert repr(ag.tensor(1.5, requires_grad=True)) == "Tensor(1.5, dtype=float32, requires_grad=True)"
    assert repr(valueless(None, 3, name="x")) == "Tensor('x', shape=(None, 3), dtype=float32)"
    assert len(repr(ag.tensor(np.zeros((100, 100))))) < 1000


# --- attributes


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("shpae", "shape"), ("backwrad", "backward"), ("require_grad", "requires_grad"), ("summ", "sum")],
)
def test_a_misspelt_attribute_is_answered_with_a_suggestion(wrong: str, right: str) -> None:
    with pytest.raises(UnknownAttribute, match=f"no attribute '{wrong}'; did you mean '{right}'"):
        getattr(ag.tensor(1.0), wrong)


def test_other_attributes_are_missing_without_a_suggestion() -> None:
    assert not hasattr(ag.tensor(1.0), "quux")
    assert not hasattr(ag.tensor(1.0), "__quux__")


def test_sizes() -> None:
    t = ag.tensor(np.ones((2, 3)))
    assert (t.shape, t.ndim, t.size, t.nbytes, t.is_leaf, t.is_symbolic) == ((2, 3), 2, 6, 48, True, False)


# --- without a value

ASKING: dict[str, Callable[[Tensor], Any]] = {
    "bool()": bool,
    "item()": float,
    "numpy()": Tensor.numpy,
    "tolist()": Tensor.tolist,
    "size": lambda t: t.size,
    "NumPy": lambda t: np.array(t, copy=True),
    "detach()": Tensor.detach,
}


@pytest.mark.parametrize("use", ASKING)
def test_a_value_asked_too_early_names_the_line_and_the_way_out(use: str) -> None:
    t = valueless() * 2
    with pytest.raises(SymbolicError) as caught:
        ASKING[use](t)
    message = str(caught.value)
    assert message.startswith(use)
    assert "the result of multiply () from test_tensor.py:" in message
    for way in ("ops.where", "ops.cond", "ops.scan"):
        assert way in message


def test_an_unknown_length_says_how_to_get_it() -> None:
    with pytest.raises(SymbolicError, match=r"ops.shape\(t\)\[0\]"):
        len(valueless(None, 3))
    assert len(valueless(4, None)) == 4


def test_a_symbolic_result_has_the_shape_of_its_rule() -> None:
    t = valueless(None, 3) @ ag.tensor(np.ones((3, 4), "float32"))
    assert (t.shape, t.dtype, t.is_symbolic) == ((None, 4), "float32", True)


def test_a_wrong_shape_is_refused_before_there_is_a_value() -> None:
    with pytest.raises(ShapeError, match=r"matmul.*\(None, 3\)"):
        valueless(None, 3) @ ag.tensor(np.ones((4, 4), "float32"))


# --- replacing values


def test_assign_keeps_shape_and_dtype() -> None:
    w = ag.tensor([1.0, 2.0])
    assert w.assign([3, 4]) is w
    assert (w.tolist(), w.dtype) == ([3, 4], "float32")
    with pytest.raises(ShapeError, match=r"expected shape \(2,\), got \(3,\)"):
        w.assign([1, 2, 3])
    assert w.tolist() == [3, 4]


def test_assign_copies() -> None:
    w, new = ag.tensor([1.0, 2.0]), np.ones(2, "float32")
    w.assign(new)
    new[0] = 9
    assert w.tolist() == [1, 1]


def test_only_leaves_are_assigned() -> None:
    x = ag.tensor(1.0, requires_grad=True)
    with pytest.raises(GraphError, match="the result of multiply .* is not a leaf"):
        (x * 2).assign(3)


def test_a_gradient_through_a_replaced_value_names_the_parameter_and_both_lines() -> None:
    w = ag.tensor([1.0, 2.0], requires_grad=True, name="kernel")
    y = (w * w).sum()
    w.assign([5.0, 6.0])
    with pytest.raises(GradientError) as caught:
        y.backward()
    message = str(caught.value)
    assert "'kernel' was replaced at test_tensor.py:" in message
    assert "after multiply used it at test_tensor.py:" in message
    assert message.count("test_tensor.py:") == 2
    assert w.grad is None


def test_the_value_before_and_after_replacement_each_have_their_gradient() -> None:
    w = ag.tensor(3.0, requires_grad=True)
    (w * w).backward()
    w.assign(5.0)
    (w * w).backward()
    assert w.grad is not None and w.grad.item() == 6 + 10


# --- where things are made


def test_a_result_knows_the_line_that_made_it() -> None:
    x = ag.tensor(1.0, requires_grad=True)
    y = ops.tanh(x)
    line = test_a_result_knows_the_line_that_made_it.__code__.co_firstlineno + 2
    assert line_of(y.site) == f"test_tensor.py:{line}"
    assert describe(y) == f"the result of tanh () from test_tensor.py:{line}"


def test_scopes_nest() -> None:
    x = ag.tensor(1.0, requires_grad=True)
    with scope("model", "owner"), scope("dense"):
        y = x * 2
    assert y.scope is not None and y.scope.names == ("model", "dense")
    assert (x * 2).scope is None


def test_modes_are_restored_after_errors() -> None:
    with pytest.raises(ZeroDivisionError), recording(False), scope("broken"):
        raise ZeroDivisionError
    assert MODE.recording and MODE.scope is None


def test_without_recording_a_node_keeps_no_inputs() -> None:
    x = ag.tensor(1.0, requires_grad=True)
    with recording(False):
        y = x * 2
    assert (y.inputs, y.op, y.requires_grad) == ((), None, False)


def test_results_of_constants_keep_no_inputs() -> None:
    y = ag.tensor(1.0) * 2
    assert (y.inputs, y.op) == ((), None)
