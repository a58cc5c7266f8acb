"""Every loss, metric and optimizer runs compiled in `fit`: what is left to Python steps is known here."""

import inspect

import numpy as np
import pytest

from autograd_nn import Sequential, initializers, layers, losses, metrics, optimizers
from autograd_nn.optimizers import schedules

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
IDS = RNG.integers(0, 4, 12)
ONE_HOT = np.eye(4, dtype="float32")[IDS]
BY_IDS = {"SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy", "Circle"}
METRICS_BY_IDS = {
    "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "SparseCategoricalCrossentropy",
}  # fmt: skip
OPTIONS = {
    "SparseTopKCategoricalAccuracy": {"k": 2}, "TopKCategoricalAccuracy": {"k": 2},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "IoU": {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False},
    "MeanIoU": {"num_classes": 4, "sparse_y_pred": False}, "OneHotMeanIoU": {"num_classes": 4},
    "OneHotIoU": {"num_classes": 4, "target_class_ids": [1]},
}  # fmt: skip
# CTC is trained on sequences, in tests/losses/test_ctc.py.
CLASSES = [cls for cls in dict.fromkeys(losses.KNOWN.values()) if inspect.isclass(cls) and cls is not losses.CTC]
METRICS = [cls for cls in dict.fromkeys(metrics.KNOWN.values()) if inspect.isclass(cls)]
WATCHED = [cls for cls in METRICS if cls not in (metrics.Mean, metrics.Sum)]


def train(optimizer, loss, watched, y):
    model = Sequential([layers.Dense(4, "softmax", kernel_initializer=initializers.GlorotUniform(1))])
    model.compile(optimizer, loss, metrics=watched)
    logs = model.fit(X, y, batch_size=6, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    told = model._compiled.programs["train"].explain()
    return {line.split()[1].rstrip(":") for line in told.splitlines() if line.startswith("python")}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_losses(cls):
    assert not train("sgd", cls(), [], IDS if cls.__name__ in BY_IDS else ONE_HOT)


@pytest.mark.parametrize("cls", WATCHED, ids=lambda cls: cls.__name__)
def test_metrics(cls):
    ids = cls.__name__ in METRICS_BY_IDS or cls in (metrics.IoU, metrics.MeanIoU)
    loss = "sparse_categorical_crossentropy" if ids else "categorical_crossentropy"
    assert not train("sgd", loss, [cls(**OPTIONS.get(cls.__name__, {}))], IDS if ids else ONE_HOT)


@pytest.mark.parametrize("name", optimizers.KNOWN)
def test_optimizers(name):
    options = {"use_ema": True, "clipnorm": 1.0, "gradient_accumulation_steps": 2, "loss_scale_factor": 8.0}
    optimizer = optimizers.KNOWN[name](schedules.CosineDecay(0.01, 5), weight_decay=0.01, **options)
    assert not train(optimizer, "categorical_crossentropy", [], ONE_HOT)
