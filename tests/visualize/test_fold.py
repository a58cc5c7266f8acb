"""Repeated blocks: found, begun where clusters begin, cut where the wiring changes, and drawn once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.tensor import Tensor, scope
from autograd_nn.visualize.condense import Drawing, condense, repetitions
from autograd_nn.visualize.fold import FEWEST_REPEATS, FEWEST_SAVED
from autograd_nn.visualize.scene import Kind, Repeat, make_scene


class Layer:
    """Stands for a layer that owns a scope."""


def variable(name: str = "x", size: int = 4) -> Tensor:
    return ag.tensor(np.ones(size), requires_grad=True, name=name)


def drawing(t: Tensor, most: int | None = None, repeats: bool = True) -> Drawing:
    return condense(make_scene(Graph([], [t]), {}), most, repeats)


def repeats_of(drawn: Drawing) -> dict[Repeat, list[str]]:
    found: dict[Repeat, list[str]] = {}
    for node in drawn.nodes.values():
        for part in node.path:
            if isinstance(part, Repeat):
                found.setdefault(part, []).append(node.tensor.op.name if node.tensor.op else node.tensor.name)
    return found


def test_a_chain_of_one_operation_is_drawn_once() -> None:
    y = variable()
    for _ in range(12):
        y = ag.ops.tanh(y)
    drawn = drawing(y)
    (repeat, names), *more = repeats_of(drawn).items()
    assert not more and names == ["tanh"] and repeat.times in (11, 12)
    assert sum(node.tensor.op is not None and node.tensor.op.name == "tanh" for node in drawn.nodes.values()) <= 2


def test_blocks_with_their_own_parameters_are_drawn_once() -> None:
    y = variable()
    for k in range(12):
        y = ag.ops.tanh(y * variable(f"w{k}") + variable(f"b{k}"))
    drawn = drawing(y * 2)
    assert {r.times: names for r, names in repeats_of(drawn).items()} == {12: ["w0", "multiply", "b0", "add", "tanh"]}
    assert len(drawn.nodes) == 1 + 5 + 1


def test_a_parameter_that_all_blocks_share_stays_outside() -> None:
    y, w = variable(), variable("w")
    for _ in range(12):
        y = ag.ops.tanh(y * w)
    drawn = drawing(y * 2)
    assert {r.times: names for r, names in repeats_of(drawn).items()} == {12: ["multiply", "tanh"]}
    assert len(drawn.nodes) == 5


def test_an_edge_leads_back_from_one_block_to_the_next() -> None:
    y = variable()
    for _ in range(8):
        y = ag.ops.exp(ag.ops.tanh(y))
    drawn = drawing(y * 2)
    carried = [(s, t) for s, t, c in zip(drawn.edges.sources, drawn.edges.targets, drawn.edges.carried) if c]
    names = [(drawn.nodes[s].tensor.op.name, drawn.nodes[t].tensor.op.name) for s, t in carried]
    assert names == [("exp", "tanh")]


def test_repeated_layers_are_folded_as_whole_clusters() -> None:
    y = variable()
    for k in range(6):
        with scope(f"dense_{k}", Layer()):
            y = ag.ops.tanh(y * ag.Variable(np.ones(4), name=f"w{k}"))
    drawn = drawing(y * 2)
    paths = [node.path for node in drawn.nodes.values() if node.path]
    assert len(paths) == 3 and all(isinstance(p[0], Repeat) and p[0].times == 6 and p[1] == "dense_0" for p in paths)


def test_a_fold_never_begins_inside_a_cluster() -> None:
    y = ag.ops.tanh(variable())
    for k in range(6):
        with scope(f"block_{k}", Layer()):
            y = ag.ops.tanh(ag.ops.exp(y))
    (repeat,) = repeats_of(drawing(y * 2))
    assert repeat.times == 6 and repeats_of(drawing(y * 2))[repeat] == ["exp", "tanh"]


def test_different_scalars_do_not_fold() -> None:
    y = variable()
    for k in range(12):
        y = y * (1.5 + k)
    assert not repeats_of(drawing(y)) and len(drawing(y).nodes) == 13


def test_different_types_of_layers_do_not_fold() -> None:
    class Other(Layer):
        pass

    y = variable()
    for k in range(12):
        with scope(f"layer_{k}", Layer() if k % 2 else Other()):
            y = ag.ops.tanh(y)
    ((repeat, names),) = repeats_of(drawing(y * 2)).items()
    assert repeat.times == 6 and names == ["tanh", "tanh"]


def test_a_change_of_wiring_ends_the_fold() -> None:
    steps = [variable()]
    for k in range(12):
        steps.append(ag.ops.tanh(steps[-1]) * steps[-1 if k < 6 else -2])
    found = repeats_of(drawing(steps[-1] * 2))
    assert [repeat.times for repeat in found] == [6, 6]
    assert set(map(tuple, found.values())) == {("tanh", "multiply")}


def test_few_repeats_stay() -> None:
    y = variable()
    for _ in range(FEWEST_REPEATS - 1):
        for function in (ag.ops.tanh, ag.ops.exp, ag.ops.sin, ag.ops.cos):
            y = function(y)
    assert not repeats_of(drawing(y))
    assert FEWEST_SAVED > FEWEST_REPEATS - 1


def test_repeats_inside_a_repeat() -> None:
    y = variable()
    for _ in range(5):
        y = ag.ops.exp(y)
        for _ in range(8):
            y = ag.ops.tanh(y)
    times = sorted(repeat.times for repeat in repeats_of(drawing(y * 2)))
    assert times == [5, 8]


@given(st.lists(st.sampled_from(["tanh", "cos", "sin"]), min_size=1, max_size=40), st.integers(1, 9))
def test_folded_graphs_stand_for_every_operation(names: list[str], times: int) -> None:
    y = variable()
    for name in names * times:
        y = ag.ops.__dict__[name](y)
    drawn = drawing(y)
    assert sum(repetitions(node) for node in drawn.nodes.values() if node.kind is Kind.OPERATION) == len(names) * times


@pytest.mark.parametrize("repeats", [True, False])
def test_without_repeats_nothing_changes(repeats: bool) -> None:
    x = variable()
    y = ag.ops.exp(x) + ag.ops.tanh(x) * ag.ops.sin(x)
    drawn = drawing(y, None, repeats)
    assert len(drawn.nodes) == 6 and len(drawn.edges.sources) == 7 and not drawn.edges.carried.any()
