"""What plot_graph draws of tensors, functions, programs, graphs and models, and the errors it answers with."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.tensor import RENDERER
from autograd_nn.visualize import plot_graph

Read = Callable[[str], Any]


def leaf(values: Any = (1.0, 2.0), name: str = "a") -> ag.Tensor:
    return ag.tensor(values, requires_grad=True, name=name)


def drawn(read: Read, obj: Any, **options: Any) -> Any:
    return read(plot_graph(obj, to_file=None, **options).svg)


# --- nodes


def test_nodes_carry_name_shape_and_dtype(read: Read) -> None:
    page = drawn(read, ag.ops.tanh(leaf([[1.0, 2.0]]) * leaf(name="b")))
    assert [node.words for node in page.nodes] == [
        ["a", "(1, 2) float32"], ["b", "(2,) float32"], ["multiply", "(1, 2) float32"], ["tanh", "(1, 2) float32"],
    ]  # fmt: skip


def test_kinds_of_nodes_differ_in_shape_and_colour(read: Read) -> None:
    w, counter = ag.Variable(np.ones(3), name="w"), ag.Variable(np.ones(3), name="counter", trainable=False)
    page = drawn(read, (lambda x: (x * w + counter) * np.arange(3.0), np.ones(3)))
    assert [(node.name, node.kind) for node in page.nodes] == [
        ("x", "input"), ("w", "parameter"), ("multiply", "operation"), ("counter", "state"), ("add", "operation"),
        ("constant", "constant"), ("multiply", "operation"),
    ]  # fmt: skip
    legend = [part.name for part in page.parts if part.kind == "legend" and part.what == "node"]
    assert legend == ["input", "parameter", "state", "constant", "operation", "output"]


def test_scalars_stand_in_the_label(read: Read) -> None:
    x = leaf()
    y = ag.ops.maximum(1 - x * 2, 0.5) ** 3
    assert drawn(read, y).names == ["1 - x", "a", "maximum(x, 0.5)", "x * 2", "x ** 3"]


def test_a_constant_is_drawn_once_per_use(read: Read) -> None:
    c = ag.tensor([3.0, 4.0])
    page = drawn(read, leaf() * c + c)
    assert [node.kind for node in page.nodes].count("constant") == 2 and len(page.edges) == 4


def test_an_operation_that_reads_a_tensor_twice_has_two_edges(read: Read) -> None:
    x = leaf()
    assert len(drawn(read, x * x).edges) == 2


def test_arguments_stand_beside_the_operation(read: Read) -> None:
    x = leaf(np.ones((2, 3, 4)))
    page = drawn(read, ag.ops.transpose(x[0, ..., 1:3], (1, 0)).sum(axis=0))
    names = {node.name: node.words[1] for node in page.nodes}
    assert names["sum"].strip() == "axis=0" and names["transpose"].strip() == "axes=(1, 0)"
    assert names["getitem"].strip() == "[0, ..., 1:3]"


def test_named_results_show_name_and_operation(read: Read) -> None:
    y = leaf() * 2
    y.name = "doubled"
    assert drawn(read, y).nodes[-1].words[:2] == ["doubled", "  = x * 2"]


def test_tooltips_name_the_line_and_show_it(read: Read) -> None:
    y = ag.ops.tanh(leaf()) + 1  # the line in the tooltip
    tip = drawn(read, y).nodes[-1].tip
    assert "test_plot.py:" in tip and "y = ag.ops.tanh(leaf()) + 1  # the line in the tooltip" in tip
    assert "test_plot.py:" not in drawn(read, y, show_source=False).nodes[-1].tip


def test_edges_say_what_they_join(read: Read) -> None:
    assert [edge.tip for edge in drawn(read, leaf() * 2).edges] == ["a: parameter → multiply"]


def test_layers_are_clusters_and_hold_their_weights(read: Read) -> None:
    class Block:
        pass

    w = ag.Variable(np.ones(2), name="block/w")
    with ag.engine.tensor.scope("block", Block()):
        y = ag.ops.tanh(leaf() * w)
    page = drawn(read, y)
    assert [cluster.words for cluster in page.clusters] == [["block", "  Block"]]
    assert "w" in page.names and "block/w" not in page.names


# --- values and gradients


def test_values_small_and_large(read: Read) -> None:
    x = leaf([1.0, 2.0])
    words = drawn(read, (ag.ops.broadcast_to(x, (50, 2)) * 2).sum(), show_values=True).words
    assert "[1, 2]" in words and "min 2  mean 3  max 4" in words and "300" in words


def test_gradients_of_leaves_and_of_every_node(read: Read) -> None:
    x = leaf([1.0, 2.0])
    loss = (x * x * 3).sum()
    loss.backward(retain_graph=True)
    page = drawn(read, loss, show_grads=True)
    found = {node.name: node.words[-1] for node in page.nodes}
    assert found == {"a": "grad [6, 12]", "multiply": "grad [3, 3]", "x * 3": "grad [1, 1]", "sum": "grad 1"}
    assert "gradient" in page.words


def test_the_gradient_shown_on_a_leaf_is_its_own(read: Read) -> None:
    x = leaf([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward(retain_graph=True)
    assert drawn(read, loss, show_grads=True).nodes[0].words[-1] == "grad [4, 8]"


def test_values_and_gradients_of_a_function(read: Read) -> None:
    page = drawn(read, (lambda x: (x * x).sum(), np.array([1.0, 3.0])), show_values=True, show_grads=True)
    assert page.nodes[0].words == ["x", "(2,) float64", "[1, 3]", "grad [2, 6]"]


def test_operations_of_the_pullback_are_gradients(read: Read) -> None:
    page = drawn(read, (ag.grad(lambda x: (ag.ops.tanh(x) ** 2).sum()), np.ones(3)))
    assert [node.name for node in page.of("node", "operation")][:1] == ["tanh"]
    assert "x * 2" in [node.name for node in page.of("node", "gradient")]


def test_a_training_step_keeps_weights_in_their_layers(read: Read) -> None:
    model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,), name="dense")])
    steps = ag.Variable(0, name="steps", trainable=False)

    @ag.jit
    def step(x: Any) -> Any:
        steps.assign_add(1)
        found = ag.gradients((model(x) ** 2).mean(), model.trainable_variables)
        for variable, g in zip(model.trainable_variables, found):
            variable.assign_sub(0.1 * g)

    step(np.ones((4, 3), "float32"))
    page = drawn(read, step)
    assert sorted(node.name for node in page.of("node", "parameter")) == ["bias", "kernel"]
    assert [node.name for node in page.of("node", "state")] == ["steps"]
    assert [node.name for node in page.of("node", "input")] == ["input"]
    assert page.of("node", "gradient")


# --- what can be drawn


def test_functions_with_one_several_and_nested_arguments(read: Read) -> None:
    def f(x: Any, more: Any) -> Any:
        return x * more["w"] + more["b"], x - 1

    page = drawn(read, (f, (2.0, {"w": np.ones(2), "b": np.ones(2)})))
    assert page.names == ["add", "more[0]", "more[1]", "multiply", "x", "x - 1"]


def test_functions_that_ask_for_values_are_run_with_them(read: Read) -> None:
    def f(x: Any) -> Any:
        return x * 2 if float(x.sum()) > 0 else x * 3

    assert drawn(read, (f, np.ones(2))).names == ["x", "x * 2"]


def test_a_function_is_drawn_with_operations_that_have_no_gradient(read: Read) -> None:
    assert "x > 0" in drawn(read, (lambda x: ag.ops.where(x > 0, x, 0), np.ones(2))).names


def test_jitted_functions_graphs_and_symbols(read: Read) -> None:
    f = ag.jit(lambda x: ag.ops.tanh(x) * 2)
    f(np.ones(3))
    assert drawn(read, f).nodes[-1].name == drawn(read, f.graph).nodes[-1].name == "x * 2"
    symbolic = f.graph.outputs[0]
    assert drawn(read, symbolic).nodes[-1].name == "x * 2"
    assert drawn(read, (f, np.ones(3))).names == ["tanh", "x", "x * 2"]


def test_a_plain_leaf_is_one_node(read: Read) -> None:
    assert drawn(read, ag.tensor([1.0], name="alone")).names == ["alone"]


def test_models_show_the_operations_inside_their_layers(read: Read) -> None:
    x = ag.layers.Input((4,), name="pixels")
    model = ag.models.Model(x, ag.layers.Dense(3, activation="relu", name="first")(x))
    page = drawn(read, model)
    assert page.names == ["add", "bias", "kernel", "matmul", "pixels", "relu"]
    assert [cluster.words for cluster in page.clusters] == [["first", "  Dense"]]
    assert page.nodes[0].words[1] == "(None, 4) float32"
    shown = drawn(read, model, show_values=True)
    assert {node.name: len(node.words) for node in shown.nodes}["kernel"] == 3


def test_drawing_changes_nothing() -> None:
    x = leaf()
    loss = (x * x).sum()
    plot_graph(loss, to_file=None, show_values=True, show_grads=True)
    assert x.grad is None
    loss.backward()
    assert x.grad.tolist() == [2.0, 4.0]


# --- many nodes


def test_five_thousand_equal_blocks_fold(read: Read) -> None:
    y = leaf()
    for _ in range(2_500):
        y = ag.ops.tanh(y) * 1.01
    page = drawn(read, y * 2)
    assert page.names == ["a", "tanh", "x * 1.01", "x * 2"] and [part.name for part in page.clusters] == ["× 2500"]


def chain(length: int) -> ag.Tensor:
    y = leaf()
    for _ in range(length):
        y = ag.ops.tanh(y)
    return y


def test_every_one_of_five_thousand_nodes(read: Read) -> None:
    assert len(drawn(read, chain(5_000), collapse=False).nodes) == 5_001


@pytest.mark.parametrize("off", [False, None])
def test_folding_can_be_turned_off(read: Read, off: bool | None) -> None:
    assert len(drawn(read, chain(20), collapse=off).nodes) == 21
    assert len(drawn(read, chain(20)).nodes) < 5


def test_a_number_limits_the_nodes(read: Read) -> None:
    y = leaf()
    for k in range(100):
        y = ag.ops.tanh(y) * (k + 2)
    assert len(drawn(read, y, collapse=10).nodes) == 10
    assert len(drawn(read, y).nodes) == 200


def test_values_keep_small_graphs_unfolded(read: Read) -> None:
    assert len(drawn(read, chain(12)).nodes) < 5
    assert len(drawn(read, chain(12), show_values=True).nodes) == 13


# --- in a notebook


def test_tensors_graphs_and_models_show_themselves(read: Read) -> None:
    assert RENDERER.svg is not None
    y = leaf() * 2
    assert "[2, 4]" in read(y._repr_svg_()).words
    f = ag.jit(lambda x: x + 1)
    f(1.0)
    assert read(f.graph._repr_svg_()).names == ["input", "x + 1"]
    model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    assert "matmul" in read(model._repr_svg_()).names


def test_text_serves_better_for_a_value_without_history_or_a_freed_graph() -> None:
    assert ag.tensor([1.0])._repr_svg_() is None
    loss = (leaf() * 2).sum()
    loss.backward()
    assert loss._repr_svg_() is None


def test_cells_of_a_notebook_are_named_as_such(read: Read) -> None:
    made: dict[str, Any] = {"ag": ag}
    exec(compile("\n\ny = ag.tensor([1.0], requires_grad=True) * 2", "/tmp/ipykernel_77/1234.py", "exec"), made)
    assert "cell line 3" in drawn(read, made["y"]).nodes[-1].tip


# --- the same in every run

SCRIPT = """
import numpy as np
import autograd_nn as ag
w = ag.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True, name="w")
y = (ag.ops.tanh(w * 2) + w.sum(axis=0) - np.ones((2, 3))).mean()
print(ag.plot_graph(y, to_file=None, show_values=True, show_grads=True).svg)
"""


def test_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, str(script)]
        return subprocess.run(command, capture_output=True, check=True, env=environment).stdout

    first = run("1")
    assert first == run("2") and b"<svg" in first


# --- errors


def freed() -> ag.Tensor:
    loss = (leaf() * 2).sum()
    loss.backward()
    return loss


@pytest.mark.parametrize(
    ("obj", "options", "kind", "words"),
    [
        (3, {}, errors.ArgumentTypeError, "expected a Tensor"),
        (np.ones(3), {}, errors.ArgumentTypeError, "expected a Tensor"),
        (lambda x: x, {}, errors.ArgumentTypeError, "example inputs"),
        ((lambda x: x, (1.0, 2.0)), {}, errors.ArgumentTypeError, "does not take 2"),
        ((lambda x: 3, 1.0), {}, errors.GraphError, "returned 3"),
        (ag.jit(lambda x: x), {}, errors.GraphError, "first call"),
        (freed(), {}, errors.GraphError, "retain_graph=True"),
        (leaf() * 2, {"show_grads": True}, errors.GradientError, "scalar"),
        (ag.layers.Input((3,)), {"show_values": True}, errors.GraphError, "no values"),
        (ag.models.Sequential([ag.layers.Dense(2)]), {}, errors.NotBuiltError, "input_shape"),
        (leaf(), {"collapse": "all"}, errors.InvalidArgument, "collapse"),
        (leaf(), {"collapse": 0}, errors.InvalidArgument, "collapse"),
        (leaf(), {"collapse": 2.5}, errors.InvalidArgument, "collapse"),
        (leaf(), {"to_file": "graph.jpg"}, errors.InvalidArgument, "'.jpg'"),
        (leaf(), {"to_file": "graph"}, errors.InvalidArgument, "no ending"),
        (leaf(), {"to_file": ""}, errors.InvalidArgument, "no ending"),
        (leaf(), {"to_file": 7}, errors.ArgumentTypeError, "file name"),
        (leaf(), {"to_file": "nowhere/graph.svg"}, FileNotFoundError, "makedirs"),
    ],
)
def test_errors_say_what_to_do(obj: Any, options: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        plot_graph(obj, **{"to_file": None, **options})
    first = str(caught.value).splitlines()[0]
    assert words in first and len(first) <= 300


def test_errors_come_before_any_work(tmp_path: Path) -> None:
    called = []
    with pytest.raises(FileNotFoundError):
        plot_graph((called.append, 1.0), to_file=tmp_path / "missing" / "graph.svg")
    folder = tmp_path / "graph.svg"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        plot_graph((called.append, 1.0), to_file=folder)
    assert not called


def test_the_error_of_the_users_own_function_is_theirs() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plot_graph((f, 1.0), to_file=None)


def test_a_graph_of_layer_nodes_draws_layers(read: Read) -> None:
    x = ag.layers.Input((4,), name="pixels")
    y = ag.layers.Dense(3, name="first")(x)
    page = drawn(read, Graph([x], [y]))
    assert [(node.kind, node.words) for node in page.nodes] == [
        ("input", ["pixels", "(None, 4) float32"]),
        ("layer", ["first", "  Dense", "(None, 3) float32"]),
    ]
