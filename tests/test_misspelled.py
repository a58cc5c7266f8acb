"""Calls of every public function with arguments that it does not have: the error names the right one."""

import inspect
import warnings

import pytest

import autograd_nn as ag
from autograd_nn import (
    activations,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    transforms,
    utils,
)
from autograd_nn.engine.op import OPS
from autograd_nn.errors import FIRST_LINE, ArgumentTypeError, InvalidArgument

K = ag.backend
CALLS = {name: op.call for name, op in sorted(OPS.items()) if op.call is not None}
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def line_of(call, *args, **kwargs):
    with pytest.raises(ArgumentTypeError) as caught:
        call(*args, **kwargs)
    line = str(caught.value).partition("\n")[0]
    assert len(line) <= FIRST_LINE
    return line


def named_of(call):
    return [p.name for p in inspect.signature(call).parameters.values() if p.kind in NAMED]


def takes_any_name(call):
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(call).parameters.values())


# --- ops


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if not takes_any_name(call)])
def test_an_op_with_a_misspelled_keyword(name):
    for right in named_of(CALLS[name]):
        wrong = f"{right}_"
        line = line_of(CALLS[name], **{wrong: 1})
        assert f"unknown argument {wrong!r}; did you mean {right!r}?" in line and name.rpartition(".")[2] in line


@pytest.mark.parametrize("name", CALLS)
def test_an_op_with_a_wrong_number_of_arguments(name):
    given = inspect.signature(CALLS[name]).parameters.values()
    if any(p.default is p.empty for p in given if p.kind in NAMED):
        assert "is missing; write" in line_of(CALLS[name])
    if not any(p.kind is p.VAR_POSITIONAL for p in given):
        assert "arguments by position" in line_of(CALLS[name], *[1.0] * (len(given) + 1))


def test_an_argument_given_twice():
    for call in (ops.relu, ops.add, ops.power, ops.matmul):
        first = named_of(call)[0]
        assert f"argument {first!r} is given twice" in line_of(call, 1.0, **{first: 2.0})


def test_arguments_by_name():
    assert ops.subtract(x1=3.0, x2=1.0).tolist() == ops.subtract(3.0, x2=1.0).tolist() == 2.0
    assert ops.power(x1=3.0, x2=2).tolist() == 9.0 and ops.negative(x=1.0).tolist() == -1.0
    assert ag.grad(lambda t: ops.multiply(x2=t, x1=t))(3.0).tolist() == 6.0


def test_signatures_are_those_that_users_see():
    assert [list(inspect.signature(f).parameters) for f in (ops.relu, ops.add, ops.power)] == [
        ["x"], ["x1", "x2"], ["x1", "x2"],
    ]  # fmt: skip


def test_a_method_of_a_tensor():
    assert "did you mean 'axis'" in line_of(ag.tensor([1.0]).sum, axs=0)


# --- every other function

ROOMS = {
    "activations": activations, "backend": K, "callbacks": callbacks, "config": ag.config, "constraints": constraints,
    "initializers": initializers, "layers": layers, "losses": losses, "metrics": metrics, "models": models,
    "ops": ops, "optimizers": optimizers, "random": random, "regularizers": regularizers, "saving": saving,
    "schedules": optimizers.schedules, "testing": ag.testing, "tree": ag.tree, "utils": utils,
    "": ag, "transforms": transforms,
    **{f"datasets.{name}": getattr(datasets, name) for name in datasets.__all__},
}  # fmt: skip
# Contexts, which are made by the standard library.
CONTEXTS = ("CustomObjectScope", "custom_object_scope", "no_grad")


def functions_of(room):
    names = getattr(room, "__all__", None) or [name for name in vars(room) if not name.startswith("_")]
    found = {name: getattr(room, name) for name in names if name not in CONTEXTS}
    return {
        name: item
        for name, item in found.items()
        if inspect.isfunction(item) and item.__module__.startswith("autograd_nn.") and not takes_any_name(item)
    }


FUNCTIONS = {
    f"{where}.{name}": item
    for where, room in ROOMS.items()
    for name, item in functions_of(room).items()
    if hasattr(room, "__all__") or item.__module__ == room.__name__
}


def test_there_are_functions_in_every_room():
    without = {where for where in ROOMS if not any(name.startswith(f"{where}.") for name in FUNCTIONS)}
    assert without == {"callbacks"} and len(FUNCTIONS) > 400


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_with_an_unknown_keyword(name):
    assert "no_such_argument" in line_of(FUNCTIONS[name], no_such_argument=1)


OLD_NAMES = [name for name in dir(K) if name not in K.__all__ and not name.startswith("_")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", OLD_NAMES)
def test_an_old_function_with_an_unknown_keyword(name):
    assert "no_such_argument" in line_of(getattr(K, name), no_such_argument=1)


# --- configs


def classes_of(room):
    own = [item for name, item in vars(room).items() if inspect.isclass(item) and not name.startswith("_")]
    return [item for item in own if hasattr(item, "from_config")]


ALL_CLASSES = [
    cls
    for room in (
        layers, models, losses, metrics, optimizers, optimizers.schedules, initializers, regularizers, constraints,
    )
    for cls in classes_of(room)
]  # fmt: skip


@pytest.mark.parametrize("cls", dict.fromkeys(ALL_CLASSES), ids=lambda cls: cls.__name__)
def test_no_config(cls):
    for wrong in (3, None, "relu", [1]):
        line = line_of(cls.from_config, wrong)
        assert line.startswith(f"{cls.__name__}.from_config expects a dict such as get_config() gives, got ")
    assert "'config'" in line_of(cls.from_config)


@pytest.mark.parametrize(
    "cls, config, message",
    [
        (models.Sequential, {"layers": 3}, "Sequential.from_config expects a dict"),
        (models.Sequential, {"layers": [3]}, "expects a layer, got 3"),
        (models.Model, {"layers": [{"a": 1}]}, "Model: unknown argument 'layers'"),
        (optimizers.SGD, {}, "SGD.from_config expects a dict .*; 'learning_rate' is missing"),
        (layers.Dense, {"unit": 3}, "Dense: unknown argument 'unit'; did you mean 'units'"),
        (metrics.AUC, {"num_threshold": 3}, "did you mean 'num_thresholds'"),
    ],
)
def test_a_config_of_another_class(cls, config, message):
    with pytest.raises((ArgumentTypeError, InvalidArgument), match=message) as caught:
        cls.from_config(config)
    assert len(str(caught.value).partition("\n")[0]) <= FIRST_LINE


class Failing(layers.Layer):
    @classmethod
    def from_config(cls, config):
        raise KeyError("my own mistake")


def test_a_mistake_in_a_class_of_the_user_stays_as_it_is():
    config = {"layers": [{"class_name": "Failing", "config": {}, "module": "m", "registered_name": "Failing"}]}
    with pytest.raises(KeyError, match="my own mistake"):
        models.Sequential.from_config(config, custom_objects={"Failing": Failing})


def test_no_text_of_a_model():
    assert "expects the text that to_json() gives, got 3" in line_of(models.model_from_json, 3)


# --- variables


def test_a_variable():
    assert "did you mean 'trainable'" in line_of(ag.Variable, 1.0, trainble=False)


def test_a_warning_still_points_at_the_callers_line(recwarn):
    warnings.simplefilter("always")
    ag.testing.gradcheck(ops.tanh, [ag.tensor([0.5], dtype="float32")])
    assert [w.filename for w in recwarn if "float64" in str(w.message)] == [__file__]
