"""Callbacks that watch a result, against Keras on random results."""

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_nn import callbacks, optimizers

results = st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 1.0]), min_size=1, max_size=12)
stopping = st.fixed_dictionaries(
    {
        "patience": st.integers(0, 3),
        "min_delta": st.sampled_from([0, 0.1]),
        "mode": st.sampled_from(["auto", "min", "max"]),
        "baseline": st.sampled_from([None, 0.2]),
        "start_from_epoch": st.integers(0, 3),
        "restore_best_weights": st.booleans(),
    }
)
plateau = st.fixed_dictionaries(
    {
        "patience": st.integers(1, 3),
        "min_delta": st.sampled_from([1e-4, 0.1]),
        "mode": st.sampled_from(["auto", "min", "max"]),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 0.05]),
        "factor": st.sampled_from([0.1, 0.5]),
    }
)


class Model:
    def __init__(self, optimizer):
        self.optimizer, self.stop_training, self.weights = optimizer, False, -1

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def trail(callback, optimizer, values):
    """What is seen of a model and its callback, epoch by epoch and at the end."""
    model = Model(optimizer)
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_end(epoch, {"val_loss": value})
        rate = (
            float(np.asarray(keras.ops.convert_to_numpy(optimizer.learning_rate)))
            if hasattr(optimizer, "_tracker")
            else float(optimizer.learning_rate)
        )
        seen.append((model.stop_training, round(rate, 6)))
        if model.stop_training:
            break
    callback.on_train_end({})
    return seen, model.weights


@given(stopping, results)
@settings(max_examples=200)
def test_early_stopping(options, values):
    ours = trail(callbacks.EarlyStopping(**options), optimizers.SGD(0.5), values)
    assert ours == trail(keras.callbacks.EarlyStopping(**options), keras.optimizers.SGD(0.5), values)


@given(plateau, results)
@settings(max_examples=200)
def test_reduce_on_plateau(options, values):
    ours = trail(callbacks.ReduceLROnPlateau(**options), optimizers.SGD(0.5), values)
    assert ours == trail(keras.callbacks.ReduceLROnPlateau(**options), keras.optimizers.SGD(0.5), values)
