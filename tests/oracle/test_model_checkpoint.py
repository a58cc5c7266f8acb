"""ModelCheckpoint beside Keras' on random results: which files are written, in which order, after which epochs."""

import os

import keras
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_nn import callbacks

values = st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 1.0])
histories = st.lists(st.lists(st.tuples(values, values), min_size=1, max_size=5), min_size=1, max_size=5)
options = st.fixed_dictionaries(
    {
        "monitor": st.sampled_from(["loss", "val_loss"]),
        "save_best_only": st.booleans(),
        "mode": st.sampled_from(["auto", "min", "max"]),
        "save_freq": st.one_of(st.just("epoch"), st.integers(1, 7)),
        "initial_value_threshold": st.sampled_from([None, 0.25]),
        "save_weights_only": st.booleans(),
        "verbose": st.sampled_from([0, 1]),
    }
)
names = st.sampled_from(["fixed", "{epoch}", "{epoch:02d}-{loss:.2f}", "{epoch:03d}-{loss:.4f}"])


class Model:
    """Notes what is saved."""

    metrics: list = []

    def __init__(self):
        self.saved = []

    def save(self, path, overwrite=True):
        self.saved.append((os.path.basename(str(path)).partition(".end")[0], "model"))

    def save_weights(self, path, overwrite=True):
        self.saved.append((os.path.basename(str(path)).partition(".end")[0], "weights"))


def saved(callback, history):
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, batches in enumerate(history):
        callback.on_epoch_begin(epoch)
        for batch, (loss, _) in enumerate(batches):
            callback.on_train_batch_end(batch, {"loss": loss})
        callback.on_epoch_end(epoch, {"loss": batches[-1][0], "val_loss": batches[-1][1]})
    return model.saved, callback.best


@settings(max_examples=150)
@given(options=options, history=histories, name=names)
def test_the_same_files_at_the_same_times(tmp_path_factory, options, history, name):
    batches = options["save_freq"] != "epoch"
    if batches:
        # Keras compares with nothing before the first epoch has ended, and finds no validation among a batch's results.
        options = {**options, "save_best_only": False}
        name = name.replace("{epoch}", "{epoch}-{batch}")
    ending = ".end.weights.h5" if options["save_weights_only"] else ".end.keras"
    folder = tmp_path_factory.mktemp("saved", numbered=True)
    theirs = keras.callbacks.ModelCheckpoint(str(folder / (name + ending)), **options)
    ours = callbacks.ModelCheckpoint(folder / f"{name}.end.safetensors", **options)
    assert saved(ours, history) == saved(theirs, history)
