"""Names, signatures, defaults and configs of what is trained with, against Keras."""

import inspect
import re

import keras
import pytest

import autograd_nn as ag

# What Keras has and this library does not: wrappers of other optimizers, files of folders, other frameworks.
LEFT_OUT = {
    "activations": set(),
    "callbacks": {"OrbaxCheckpoint", "RemoteMonitor"},
    "constraints": set(),
    "initializers": set(),
    "losses": set(),
    "metrics": set(),
    "optimizers": {
        "LossScaleOptimizer", "MultiOptimizer", "Muon", "OptimizerMap", "ScheduleFreeAdamW", "legacy",
    },
    "optimizers.schedules": set(),
    "random": set(),
    "regularizers": set(),
    "utils": {
        "Config", "FeatureSpace", "audio_dataset_from_directory", "bounding_boxes", "get_source_inputs",
        "image_dataset_from_directory", "legacy", "standardize_dtype", "text_dataset_from_directory",
    },
}  # fmt: skip
# `format` chooses between two other frameworks, `safe_mode` allows what is never done here, `module_objects` is one
# more place for names.
OTHER_ARGUMENTS = {
    "optimizers.Optimizer", "utils.timeseries_dataset_from_array", "utils.deserialize_keras_object",
    "utils.get_registered_object", "utils.custom_object_scope",
}  # fmt: skip
# The arguments of classes that need some.
ARGUMENTS = {
    "FBetaScore": {"beta": 2.0}, "IoU": {"num_classes": 3, "target_class_ids": [0]}, "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]}, "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 3},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 3},
    "PiecewiseConstantDecay": {"boundaries": [2], "values": [0.1, 0.2]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3},
}  # fmt: skip
# Keras numbers names; the dtype of confusion matrices is a float here.
DIFFERENT_KEYS = {"name", "dtype"}
ABSTRACT = {
    "Loss", "Metric", "MeanMetricWrapper", "Optimizer", "LearningRateSchedule", "Initializer", "RandomInitializer",
    "Regularizer", "Constraint",
}  # fmt: skip


def room(library, path):
    for part in path.split("."):
        library = getattr(library, part)
    return library


def public(path):
    return {name for name in dir(room(keras, path)) if not name.startswith("_")}


def shared(path):
    return sorted(
        name for name in public(path) if callable(getattr(room(keras, path), name)) and hasattr(room(ag, path), name)
    )


PAIRS = [(path, name) for path in LEFT_OUT for name in shared(path)]
CONFIGS = [
    (path, name)
    for path, name in PAIRS
    if path not in ("callbacks", "utils", "random")
    and inspect.isclass(getattr(room(keras, path), name))
    and name not in ABSTRACT
]


@pytest.mark.parametrize("path", LEFT_OUT)
def test_names(path):
    assert {name for name in public(path) if not hasattr(room(ag, path), name)} == LEFT_OUT[path]


def parameters(function):
    kept = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return [(p.name, p.default) for p in kept]


@pytest.mark.parametrize("path, name", PAIRS)
def test_signatures(path, name):
    if f"{path}.{name}" not in OTHER_ARGUMENTS:
        assert parameters(getattr(room(ag, path), name)) == parameters(getattr(room(keras, path), name))


@pytest.mark.parametrize("path, name", CONFIGS)
def test_configs(path, name):
    given = ARGUMENTS.get(name, {})
    ours, theirs = (getattr(room(library, path), name)(**given).get_config() for library in (ag, keras))
    values = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in theirs.items()}
    for key in set(theirs) - DIFFERENT_KEYS:
        assert ours[key] == (pytest.approx(values[key]) if isinstance(values[key], float) else values[key])
    # Keras forgets some arguments.
    assert set(ours) - set(theirs) <= {name for name, _ in parameters(getattr(room(keras, path), name))}
    if path != "metrics":
        assert re.fullmatch(rf"{ours.get('name', '')}(_\d+)?", theirs.get("name", ""))
