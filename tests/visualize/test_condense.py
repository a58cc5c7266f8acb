"""Pictures of large graphs: clusters closed, the middle left out, every edge kept in some form."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.tensor import Tensor, scope
from autograd_nn.visualize.condense import MOST_NODES, Drawing, condense, repetitions
from autograd_nn.visualize.large import layered
from autograd_nn.visualize.scene import Kind, make_scene


class Layer:
    """Stands for a layer that owns a scope."""


def tangle(size: int) -> Tensor:
    """A graph of about `size` operations without any repetition."""
    rng = np.random.default_rng(0)
    functions = (ag.ops.tanh, ag.ops.sin, ag.ops.cos, ag.ops.sigmoid)
    nodes = [ag.tensor(np.ones(2), requires_grad=True)]
    for _ in range(size - 1):
        a, b = nodes[rng.integers(max(0, len(nodes) - 20), len(nodes))], nodes[-1]
        nodes.append(functions[rng.integers(4)](b) if rng.random() < 0.5 else a + b)
    return nodes[-1]


def drawing(t: Tensor, most: int | None = MOST_NODES) -> Drawing:
    return condense(make_scene(Graph([], [t]), {}), most, True)


@pytest.mark.parametrize("most", [3, 10, 200])
def test_five_thousand_nodes_become_few(most: int) -> None:
    y = tangle(5_000)
    drawn = drawing(y, most)
    rest = [node for node in drawn.nodes.values() if node.kind is Kind.REST]
    assert len(drawn.nodes) <= most and len(rest) == 1
    operations = len(Graph([], [y]).operations)
    shown = sum(repetitions(node) for node in drawn.nodes.values() if node.kind is Kind.OPERATION)
    assert rest[0].members + shown == operations
    assert any(node.output for node in drawn.nodes.values())


def test_a_shortened_graph_stays_acyclic_and_connected() -> None:
    drawn = drawing(tangle(2_000), 50)
    assert (drawn.edges.sources < drawn.edges.targets).all()
    ends = set(drawn.edges.sources.tolist()) | set(drawn.edges.targets.tolist())
    assert ends == set(drawn.nodes)


def closed() -> Drawing:
    rng = np.random.default_rng(1)
    y = ag.tensor(np.ones((2, 3)), requires_grad=True, name="x")
    for k in range(4):
        with scope(f"layer_{k}", Layer()):
            y = y * ag.Variable(np.ones(3), name=f"w{k}")
            for _ in range(int(rng.integers(5, 9)) + k):
                y = (ag.ops.tanh, ag.ops.sin, ag.ops.cos)[rng.integers(3)](y)
    return drawing(y, 8)


def test_clusters_close_before_anything_is_left_out() -> None:
    blocks = [node for node in closed().nodes.values() if node.kind is Kind.BLOCK]
    assert [block.name for block in blocks] == ["layer_0", "layer_1", "layer_2", "layer_3"]
    assert all(block.owner == "Layer" and block.parameters == 3 and block.members > 5 for block in blocks)


def test_closed_clusters_keep_one_edge_between_them() -> None:
    drawn = closed()
    assert len(drawn.edges.sources) == len(drawn.nodes) - 1


def test_outer_clusters_stay_open_while_inner_ones_suffice() -> None:
    y = ag.tensor(np.ones(3), requires_grad=True)
    for k in range(3):
        with scope("model", Layer()), scope(f"layer_{k}", Layer()):
            for function in [ag.ops.tanh] * (k + 2) + [ag.ops.sin, ag.ops.exp]:
                y = function(y)
    blocks = [node for node in drawing(y, 6).nodes.values() if node.kind is Kind.BLOCK]
    assert [block.path for block in blocks] == [("model",)] * 3


def test_layered_puts_nodes_below_their_inputs_and_none_upon_another() -> None:
    drawn = condense(make_scene(Graph([], [tangle(1_000)]), {}), None, repeats=False)
    places = layered(drawn)
    assert len(set(places.values())) == len(places) == len(drawn.nodes)
    assert not drawn.edges.carried.any()
    for source, target in zip(drawn.edges.sources.tolist(), drawn.edges.targets.tolist()):
        assert places[source][1] > places[target][1]
