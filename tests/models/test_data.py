"""Sources of batches: generators, iterables and data sets train as arrays do; weights of samples and classes."""

import numpy as np
import pytest

from autograd_nn import layers, models, ops, utils
from autograd_nn.engine.tree import flatten

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")
IDS = (Y[:, 0] > 0).astype(int)


def linear(optimizer="sgd", loss="mse", **options):
    model = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
    model.compile(optimizer=optimizer, loss=loss, **options)
    return model


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights()))


def batches(size=6, weights=False):
    for start in range(0, len(X), size):
        part = slice(start, start + size)
        yield (X[part], Y[part], np.ones(len(X[part]))) if weights else (X[part], Y[part])


def forever():
    while True:
        yield from batches()


class Batches(utils.PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.begun = self.ended = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[6 * index : 6 * index + 6], Y[6 * index : 6 * index + 6]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


@pytest.mark.parametrize(
    "given, alone",
    [
        (X, True), ([X], False), (iter([X]), True), (iter([(X,)]), False),
    ],
)  # fmt: skip
def test_x_alone_comes_to_the_steps_as_it_was_given(given, alone):
    seen = []

    class Looks(models.Sequential):
        def train_step(self, data):
            seen.append(data)
            return {}

    model = Looks([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", run_eagerly=True)
    model.fit(given, batch_size=24, steps_per_epoch=1, shuffle=False, verbose=0)
    (data,) = seen
    assert np.array_equal(data if alone else flatten(data[0])[0][0], X)


class Loader:
    def __iter__(self):
        return batches()

    def __len__(self):
        return 4


@pytest.mark.parametrize(
    "source, options",
    [
        (lambda: forever(), {"steps_per_epoch": 4}),
        (lambda: Batches(), {"shuffle": False}),
        (Loader, {}),
        (lambda: Batches(workers=3, max_queue_size=2), {"shuffle": False}),
        (lambda: iter([*batches()] * 2), {"steps_per_epoch": 4}),
        (lambda: [X.tolist(), Y.tolist()], {}),
        (lambda: (ops.convert_to_tensor(X), ops.convert_to_tensor(Y)), {}),
    ],
    ids=["generator", "dataset", "iterable", "workers", "iterator", "lists", "tensors"],
)
def test_sources_agree_with_arrays(source, options):
    arrays, other = linear(), linear()
    expected = arrays.fit(X, Y, epochs=2, batch_size=6, shuffle=False, verbose=0).history
    data = source()
    if isinstance(data, (list, tuple)):
        history = other.fit(*data, epochs=2, batch_size=6, shuffle=False, verbose=0).history
    else:
        history = other.fit(data, epochs=2, verbose=0, **options).history
    assert same(arrays, other)
    assert history == expected


def test_a_dataset_is_told_of_epochs_and_shuffled():
    data, seen = Batches(), []
    data_get = Batches.__getitem__

    class Looks(Batches):
        def __getitem__(self, index):
            seen.append(index)
            return data_get(self, index)

    looks = Looks()
    linear().fit(looks, epochs=3, verbose=0)
    assert (looks.begun, looks.ended) == (3, 3)
    epochs = [seen[k : k + 4] for k in range(len(seen) - 12, len(seen), 4)]
    assert all(sorted(epoch) == [0, 1, 2, 3] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    model = linear()
    assert np.isclose(model.evaluate(data, verbose=0), model.evaluate(X, Y, verbose=0))
    assert model.predict(data, verbose=0).shape == (24, 1)


def test_generators_to_evaluate_predict_and_validate_with():
    model = linear()
    assert np.isclose(model.evaluate(batches(), verbose=0), model.evaluate(X, Y, verbose=0))
    assert np.isclose(model.evaluate(forever(), steps=2, verbose=0), model.evaluate(X[:12], Y[:12], verbose=0))
    assert model.predict(batches(), verbose=0).shape == (24, 1)
    assert model.predict((x for x, _ in batches()), verbose=0).shape == (24, 1)
    history = model.fit(
        forever(), steps_per_epoch=2, epochs=2, validation_data=forever(), validation_steps=1, verbose=0
    ).history
    assert len(history["val_loss"]) == 2
    assert model.predict(X, steps=2, batch_size=5, verbose=0).shape == (10, 1)


def test_weights_of_a_generator_count():
    a, b = linear(), linear()
    a.fit(iter(batches(weights=True)), steps_per_epoch=4, verbose=0)
    b.fit(X, Y, sample_weight=np.ones(24), batch_size=6, shuffle=False, verbose=0)
    assert same(a, b)


def test_class_weight_is_a_weight_per_sample():
    def classifier():
        model = models.Sequential([layers.Dense(2, activation="softmax", input_shape=(4,), kernel_initializer="zeros")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    a, b, c = classifier(), classifier(), classifier()
    a.fit(X, IDS, class_weight={0: 0.5, 1: 2.0}, verbose=0, shuffle=False)
    b.fit(X, IDS, sample_weight=np.where(IDS == 1, 2.0, 0.5), verbose=0, shuffle=False)
    c.fit(iter([(X, IDS)]), steps_per_epoch=1, class_weight={0: 0.5, 1: 2.0}, verbose=0)
    assert same(a, b)
    assert same(a, c)


# --- batches of different lengths


class OfAnyLength(models.Model):
    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3)

    def call(self, inputs):
        return self.last(inputs)


def functional_of_any_length():
    inputs = layers.Input((None, 4))
    return models.Model(inputs, layers.Dense(3)(inputs))


@pytest.mark.parametrize("make", [functional_of_any_length, OfAnyLength])
def test_batches_of_different_lengths(make):
    given = [(np.ones((2, n, 4), "float32"), np.ones((2, n, 3), "float32")) for n in (3, 5, 2)]
    model = make()
    model.compile("sgd", "mse")
    losses = model.fit(iter(given), steps_per_epoch=3, verbose=0).history["loss"]
    assert np.isfinite(losses[0])
    assert model.predict(given[1][0], verbose=0).shape == (2, 5, 3)
    with pytest.raises(ValueError, match="never broadcast"):
        model.fit(iter([(given[0][0], given[0][1][..., :2])]), steps_per_epoch=1, verbose=0)
