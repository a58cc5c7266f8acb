"""The frozen graph: its order, its check, its evaluation and its replay."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.graph import Graph, toposort
from autograd_nn.engine.spec import Dim, Spec
from autograd_nn.engine.tensor import Tensor, symbol
from autograd_nn.errors import DTypeError, GraphError, ShapeError

FLOAT = np.dtype("float64")


def vector(name: str | None = None, size: Any = 3) -> Tensor:
    return symbol(Spec((size,), FLOAT), name=name)


def names(graph: Graph) -> list[str]:
    return [t.op.name if t.op else t.name or "constant" for t in graph.nodes]


def example() -> tuple[Tensor, Tensor]:
    x = vector("x")
    return x, ops.tanh(x) * 2 + ops.exp(x) * ops.tanh(x)


# --- order


def test_inputs_come_before_their_users_in_the_order_of_the_arguments() -> None:
    x, y = example()
    assert names(Graph([x], [y])) == ["x", "tanh", "constant", "multiply", "exp", "tanh", "multiply", "add"]


def test_equal_structures_have_equal_orders() -> None:
    orders = [names(Graph([x], [y])) for x, y in (example() for _ in range(5))]
    assert all(order == orders[0] for order in orders)


def test_a_node_stands_once_however_often_it_is_used() -> None:
    x = vector("x")
    y = x
    for _ in range(50):
        y = y + y
    assert len(Graph([x], [y])) == 51


def test_the_walk_stops_where_it_is_told() -> None:
    x = vector("x")
    inner = ops.tanh(x)
    y = inner * inner
    assert toposort([y], [inner]) == [inner, y]


def test_ids_are_places() -> None:
    x, y = example()
    graph = Graph([x], [y])
    assert [graph.ids[t] for t in graph.nodes] == list(range(len(graph)))


def test_unused_inputs_are_kept() -> None:
    x, unused = vector("x"), vector("unused")
    graph = Graph([unused, x], [x * 2])
    assert unused in graph.ids
    assert graph.evaluate(np.ones(3), np.ones(3))[0].tolist() == [2, 2, 2]


# --- what cannot be frozen


def test_a_missing_input_is_named() -> None:
    x, w = vector("x"), vector("weights")
    with pytest.raises(GraphError, match=r"the outputs need 'weights' \(3,\) from test_graph.py:\d+"):
        Graph([x], [x * w])


def test_a_cycle_is_named() -> None:
    x = vector("x")
    a = ops.tanh(x)
    b = ops.exp(a)
    c = b * 2
    a.inputs = (c,)
    with pytest.raises(GraphError, match="cycle in the graph: (tanh|exp|multiply)( -> (tanh|exp|multiply)){3}"):
        toposort([c])


def test_a_deep_cycle_is_found_without_recursion() -> None:
    first = t = vector("x")
    for _ in range(20_000):
        t = ops.negative(t)
    first.inputs, first.op = (t,), t.op
    with pytest.raises(GraphError, match="cycle"):
        toposort([t])


# --- verification


def test_a_node_that_disagrees_with_its_rule_is_named() -> None:
    x = vector("x")
    y = ops.tanh(x)
    y._spec = Spec((4,), FLOAT)
    with pytest.raises(GraphError, match=r"node 1 \(tanh\) is float64\(4,\), its rule gives float64\(3,\)"):
        Graph([x], [y]).verify()
    y._spec = Spec((3,), np.dtype("float32"))
    with pytest.raises(GraphError, match="is float32"):
        Graph([x], [y]).verify()


def test_verification_returns_the_graph() -> None:
    x, y = example()
    graph = Graph([x], [y])
    assert graph.verify() is graph


def test_several_outputs_of_one_node_are_verified() -> None:
    x = vector("x", 4)
    a, b = ops.split(x, 2)
    graph = Graph([x], [a, b]).verify()
    assert [v.tolist() for v in graph.evaluate(np.arange(4.0))] == [[0, 1], [2, 3]]


# --- evaluation


def test_evaluation_equals_eager() -> None:
    x, y = example()
    value = np.array([0.1, 0.2, 0.3])
    expected = ops.tanh(value) * 2 + ops.exp(value) * ops.tanh(value)
    graph = Graph([x], [y])
    for _ in range(2):
        np.testing.assert_array_equal(graph.evaluate(value)[0], expected.numpy())


def test_outputs_may_be_inputs_constants_and_repeated() -> None:
    x, c = vector("x"), ag.tensor([1.0, 2.0, 3.0], dtype="float64")
    y = x * c
    found = Graph([x], [x, c, y, y]).evaluate(np.full(3, 2.0))
    assert [v.tolist() for v in found] == [[2, 2, 2], [1, 2, 3], [2, 4, 6], [2, 4, 6]]


def test_an_inner_node_can_be_an_input() -> None:
    x = vector("x")
    inner = ops.tanh(x)
    assert Graph([inner], [inner * 2]).evaluate(np.ones(3))[0].tolist() == [2, 2, 2]


def test_one_graph_serves_every_size() -> None:
    x = vector("x", Dim("batch"))
    graph = Graph([x], [ops.sum(x * x)])
    assert [graph.evaluate(np.ones(n))[0] for n in (1, 5, 0)] == [1, 5, 0]


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ((), GraphError, "expected 1 inputs, got 0"),
        ((np.ones(4),), ShapeError, r"input 'x' \(3,\).* got shape \(4,\)"),
        ((np.ones((3, 1)),), ShapeError, "got shape"),
        ((np.ones(3, "float32"),), DTypeError, "is float64, got float32"),
    ],
)
def test_values_must_fit_the_inputs(values: Any, error: type[Exception], words: str) -> None:
    x, y = example()
    with pytest.raises(error, match=words):
        Graph([x], [y]).evaluate(*values)


# --- replay


def test_replay_on_values_computes() -> None:
    x, y = example()
    value = ag.tensor([0.1, 0.2, 0.3], dtype="float64", requires_grad=True)
    (again,) = Graph([x], [y]).replay([value])
    np.testing.assert_array_equal(again.numpy(), Graph([x], [y]).evaluate(value.numpy())[0])
    again.sum().backward()
    assert value.grad is not None


def test_replay_on_symbols_builds_the_same_graph() -> None:
    x, y = example()
    graph = Graph([x], [y])
    other = vector("x")
    twin = Graph([other], graph.replay([other]))
    assert names(twin) == names(graph)
    assert not set(twin.operations) & set(graph.operations)


def test_replay_keeps_several_outputs_together() -> None:
    x = vector("x", 4)
    graph = Graph([x], [ops.split(x, 2)[1]])
    (again,) = graph.replay([ag.tensor(np.arange(4.0))])
    assert again.tolist() == [2, 3]


def test_a_graph_says_what_it_is() -> None:
    x, y = example()
    assert repr(Graph([x], [y], name="f")) == "<Graph f: 1 inputs, 8 nodes, 1 outputs>"
