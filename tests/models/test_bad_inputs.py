"""Inputs to compile, fit, evaluate and predict that cannot be meant, and the error each deserves.

Every case: the right type, a first line of at most 300 characters that says what to type, and an unchanged model. The
list of rows itself is tested beside the whole library; here stand the neighbours of a row, and its other methods.
"""

import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_nn import callbacks, layers, losses, metrics, models, ops, utils
from autograd_nn.errors import FIRST_LINE, TrainingDiverged

N, FEATURES = 20, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, FEATURES)).astype("float32")
Y = RNG.normal(size=(N, 1)).astype("float32")
IDS = np.arange(N) % 3
ONE_HOT = np.eye(3)[IDS]


def regression(activation=None, units=1, **compile_options):
    model = models.Sequential([layers.Dense(units, activation=activation, input_shape=(FEATURES,), name="last")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile_options})
    return model


def classifier(loss="categorical_crossentropy", units=3, activation="softmax", **compile_options):
    return regression(activation, units, loss=loss, **compile_options)


def three_outputs():
    x = layers.Input(shape=(FEATURES,))
    return models.Model(x, [layers.Dense(1, name=name)(x) for name in "abc"])


def refused(error, message, action, *models):
    """`action` raises `error` with `message` in its first line, and leaves the models as they were."""
    before = [model.get_weights() for model in models]
    with pytest.raises(error) as caught:
        action()
    first = str(caught.value).partition("\n")[0]
    assert len(first) <= FIRST_LINE
    assert re.search(message, first), first
    after = [model.get_weights() for model in models]
    assert all(np.array_equal(a, b) for x, y in zip(before, after) for a, b in zip(x, y))


def case(row, *values, **named):
    return pytest.param(*values, id=f"row {row}", **named)


# --- compile


@pytest.mark.parametrize(
    "error, message, options",
    [
        case("23 metric", ValueError, "unknown metric 'acuracy'; did you mean 'accuracy'", {"metrics": ["acuracy"]}),
        case("26 loss", TypeError, r"got class MeanSquaredError; write", {"loss": losses.MeanSquaredError}),
        case("26 metric", TypeError, r"got class Mean; write Mean\(", {"metrics": [metrics.Mean]}),
        case("26 string", TypeError, r"metrics must be a list.*write metrics=\['mae'\]", {"metrics": "mae"}),
        case("29 type", TypeError, "loss_weights must be numbers", {"loss_weights": ["1"]}),
        case("29 steps", ValueError, "steps_per_execution must be an int >= 1", {"steps_per_execution": 0}),
    ],
)
def test_compile(error, message, options):
    model = regression()
    old = model.optimizer
    refused(error, message, lambda: model.compile(**{"loss": "mse", **options}), model)
    assert model.optimizer is old


def test_row_21_misspelt_method():
    with pytest.raises(AttributeError, match="did you mean 'compile'") as caught:
        regression().complie()
    assert caught.value.name == "complie"


@pytest.mark.parametrize(
    "error, message, options",
    [
        case("28 missing", ValueError, "no entry for output 'c'", {"loss": {"a": "mse", "b": "mse"}}),
        case(
            "29 name", ValueError, "loss_weights: there is no output 'd'", {"loss": "mse", "loss_weights": {"d": 1.0}}
        ),
    ],
)
def test_compile_with_three_outputs(error, message, options):
    model = three_outputs()
    refused(error, message, lambda: model.compile(**options))
    assert not model.compiled


@pytest.mark.parametrize(
    "metrics, message",
    [
        case("28 metrics", ["mae"], "metrics: 1 given for 3 outputs"),
        case("28 metrics name", {"aa": "mae"}, "metrics: there is no output 'aa'"),
    ],
)
def test_metrics_for_three_outputs(metrics, message):
    model = three_outputs()
    model.compile(loss="mse", metrics=metrics)
    refused(ValueError, message, lambda: model.fit(X, [Y, Y, Y], verbose=0), model)


@pytest.mark.parametrize(
    "loss, activation, hint",
    [
        case(
            "30 categorical",
            "categorical_crossentropy",
            None,
            r"'last' is linear.*softmax.*CategoricalCrossentropy\(from_logits=True\)",
        ),
        case("30 sparse", "sparse_categorical_crossentropy", "linear", "'last' is linear.*softmax"),
        case("30 object", losses.BinaryCrossentropy(), None, "'last' is linear.*sigmoid"),
    ],
)
def test_crossentropy_after_a_linear_layer(loss, activation, hint):
    refused(ValueError, hint, lambda: classifier(loss, activation=activation))


def test_row_30_a_model_without_known_shapes_is_checked_in_fit():
    model = models.Sequential([layers.Dense(3)])
    model.compile(loss="categorical_crossentropy")
    refused(ValueError, "is linear", lambda: model.fit(X, ONE_HOT, verbose=0))


def test_row_31_sigmoid_twice():
    with pytest.warns(UserWarning, match="applies sigmoid again"):
        classifier(losses.BinaryCrossentropy(from_logits=True), activation="sigmoid")


def test_row_32_crossentropy_of_one_unit():
    message = "softmax over 1 unit.*always 1; use activation='sigmoid'"
    refused(ValueError, message, lambda: classifier("categorical_crossentropy", units=1))


def test_row_34_targets_that_a_sigmoid_cannot_reach():
    with pytest.warns(UserWarning, match=r"leaves 0..1, but layer 'last' ends with sigmoid"):
        regression("sigmoid").fit(X, Y + 10, verbose=0)


# --- fit: the data


def test_row_35_before_compile():
    model = models.Sequential([layers.Dense(1, input_shape=(FEATURES,))])
    for action in (model.evaluate, model.train_on_batch, model.test_on_batch):
        refused(
            RuntimeError, r"call model.compile\(optimizer=..., loss=...\) first", lambda act=action: act(X, Y), model
        )


with_nan, with_inf = X.copy(), Y.copy()
with_nan[[4, 5], 2], with_inf[3] = np.nan, -np.inf
TEXT = np.array([["1", "2"], ["3", "b"]])
OBJECTS = np.array([[1.0, 2.0], [3.0, "b"]], dtype=object)
MASKED = np.ma.masked_array(X, mask=X > 1)


@pytest.mark.parametrize(
    "error, message, x, y",
    [
        case("36", ValueError, "x has 20 samples, y has 19 samples", X, Y[:19]),
        case(
            "41 columns",
            ValueError,
            r"y has shape \(20, 3\), output 'last' has \(None, 1\).*never broadcast",
            X,
            ONE_HOT,
        ),
        case("41 axes", ValueError, "never broadcast", X, np.zeros((N, 1, 2))),
        case("42 text", TypeError, "expected numbers, got dtype <U1", TEXT, Y[:2]),
        case("42 object", TypeError, r"first non-number 'b' at \[1, 1\]", OBJECTS, Y[:2]),
        case("42 list", TypeError, "expected numbers", [["a", "b"], ["c", "d"]], Y[:2]),
        case("42 word", TypeError, "x must be an array, got 'images'", "images", Y),
        case("43", ValueError, "row 1 has length 1, row 0 has 2", [[1.0, 2.0], [3.0]], Y[:2]),
        case("44 x", ValueError, r"x has 2 non-finite values, the first is nan at x\[4, 2\]", with_nan, Y),
        case("44 y", ValueError, r"y has 1 non-finite value, the first is -inf at y\[3, 0\]", X, with_inf),
        case("46 complex", TypeError, "complex128 is not supported", X.astype(complex), Y),
        case("46 dates", TypeError, "datetime64", np.zeros((N, FEATURES), "datetime64[s]"), Y),
        case("47 masked x", TypeError, "masked array would lose its mask.*filled", MASKED, Y),
        case("47 masked y", TypeError, "masked array would lose its mask", X, np.ma.masked_array(Y, mask=Y > 0)),
        case("48", ValueError, r"x has 0 samples, shape \(0, 4\)", X[:0], Y[:0]),
        case("48 None", ValueError, "x is None", None, Y),
        case("48 y None", ValueError, "y is None; the loss needs targets", X, None),
        case("48 number", ValueError, "x must be an array with samples along its first axis", 3.0, Y),
        case("48 width", ValueError, r"x has shape \(20, 3\), the model expects \(n, 4\)", X[:, :3], Y),
        case(
            "48 rows",
            ValueError,
            r"x has 20 arrays, the model has 1 inputs; for rows of one array pass np.stack\(x\)",
            list(X),
            Y,
        ),
    ],
)
def test_data(error, message, x, y):
    model = regression()
    refused(error, message, lambda: model.fit(x, y, verbose=0), model)
    refused(error, message, lambda: model.evaluate(x, y, verbose=0), model)
    refused(error, message, lambda: model.train_on_batch(x, y), model)


@pytest.mark.parametrize(
    "error, message, loss, y",
    [
        case(
            "37 vector",
            ValueError,
            r"looks like class ids.*sparse_categorical.*to_categorical\(y, 3\)",
            "categorical_crossentropy",
            IDS,
        ),
        case("37 column", ValueError, "looks like class ids", "categorical_crossentropy", IDS[:, None]),
        case("38", ValueError, "looks one-hot.*categorical_crossentropy", "sparse_categorical_crossentropy", ONE_HOT),
        case(
            "39 large",
            ValueError,
            r"label 10 at y\[5\] is outside 0..2",
            "sparse_categorical_crossentropy",
            np.where(np.arange(N) == 5, 10, IDS),
        ),
        case("39 negative", ValueError, r"label -1 at y\[0\]", "sparse_categorical_crossentropy", IDS - 1),
        case("39 one-based", ValueError, "look 1-based, subtract 1", "sparse_categorical_crossentropy", IDS + 1),
        case("39 column", ValueError, r"label 3 at y\[2, 0\]", "sparse_categorical_crossentropy", IDS[:, None] + 1),
        case("40", ValueError, r"must be class ids, got 0.5 at y\[1\]", "sparse_categorical_crossentropy", IDS / 2),
        case("39 binary", ValueError, r"must be in 0..1, got 2", "binary_crossentropy", ONE_HOT * 2),
        case("41", ValueError, "never broadcast", "categorical_crossentropy", np.eye(4)[IDS]),
    ],
)
def test_labels(error, message, loss, y):
    model = classifier(loss)
    refused(error, message, lambda: model.fit(X, y, verbose=0), model)
    refused(error, message, lambda: model.evaluate(X, y, verbose=0), model)


def test_row_39_an_ignored_class_may_be_any_number():
    model = classifier(losses.SparseCategoricalCrossentropy(ignore_class=255))
    model.fit(X, np.where(IDS == 2, 255, IDS), verbose=0)


@pytest.mark.parametrize("y", [Y[:, 0], Y, Y[:, 0].tolist(), Y.tolist()], ids=lambda y: f"row 41 {np.shape(y)}")
def test_a_missing_last_axis_of_size_one(y):
    expected = regression()
    weights = expected.get_weights()
    expected.fit(X, Y, verbose=0, shuffle=False)
    model = regression()
    model.set_weights(weights)
    model.fit(X.tolist(), y, verbose=0, shuffle=False)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), expected.get_weights()))


def test_row_45_unscaled_images():
    images = RNG.integers(0, 256, (N, FEATURES)).astype("uint8")
    with pytest.warns(UserWarning, match=r"uint8 with values up to .* / 255") as caught:
        regression().fit(images, Y, epochs=3, verbose=0)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regression().fit(images // 255, Y, verbose=0)


@pytest.mark.parametrize(
    "dtype", ["int64", "bool", "float16", "float64", ">f4", ">i4", "uint8", "int8"], ids=lambda d: f"row 46 {d}"
)
def test_dtypes_are_converted(dtype):
    model = regression()
    whole = (X > 0).astype(dtype)
    history = model.fit(whole, (Y > 0).astype(dtype), verbose=0, validation_data=(whole, Y))
    assert np.isfinite(history.history["loss"][0])
    assert model.predict(whole, verbose=0).dtype == np.float32


class Frame:
    """What a pandas DataFrame shows of itself."""

    __module__ = "pandas.core.frame"

    def __init__(self, array, kinds):
        self.array, self.columns = array, [f"c{k}" for k in range(array.shape[1])]
        self.dtypes, self.shape = [np.dtype(kind) for kind in kinds], array.shape

    def to_numpy(self):
        return self.array


class Sparse:
    """What a sparse matrix of scipy shows of itself."""

    __module__ = "scipy.sparse._csr"
    shape = (N, FEATURES)

    def toarray(self):
        return X


def test_row_47_matrices_tables_and_sparse_matrices():
    model = regression()
    for x in (np.asmatrix(X), Frame(X, ["f4"] * 4)):
        assert np.array_equal(model.predict(x, verbose=0), model.predict(X, verbose=0))
    table = Frame(X, ["f4", "O", "f4", "f4"])
    refused(TypeError, "x: column 'c1' has dtype object; expected numbers", lambda: model.fit(table, Y), model)
    refused(TypeError, r"x is a sparse matrix \(20, 4\); pass x.toarray\(\)", lambda: model.fit(Sparse(), Y), model)


# --- fit: the other arguments


@pytest.mark.parametrize(
    "error, message, options",
    [
        case("52 steps", ValueError, "steps_per_epoch must be an int >= 1", {"steps_per_epoch": 0}),
        case("52 verbose", ValueError, "verbose must be 'auto', 0, 1 or 2", {"verbose": 3}),
        case("52 freq", ValueError, "validation_freq must be an int >= 1", {"validation_freq": 0}),
        case("52 shuffle", ValueError, "shuffle must be True or False", {"shuffle": "yes"}),
        case("52 data", TypeError, "validation_data must be", {"validation_data": X}),
        case("52 val x", ValueError, r"validation x has shape \(20, 2\)", {"validation_data": (X[:, :2], Y)}),
        case(
            "52 val lengths",
            ValueError,
            "validation x has 20 samples, validation y has 3",
            {"validation_data": (X, Y[:3])},
        ),
        case("52 val nan", ValueError, "validation x has 2 non-finite", {"validation_data": (with_nan, Y)}),
        case("58 nan", ValueError, "sample_weight has 20 non-finite", {"sample_weight": np.full(N, np.nan)}),
        case("58 shape", ValueError, "sample_weight has shape", {"sample_weight": np.ones((N, 3))}),
        case(
            "59 class",
            TypeError,
            r"got class EarlyStopping; write EarlyStopping\(",
            {"callbacks": [callbacks.EarlyStopping]},
        ),
        case("59 number", TypeError, "expected Callback objects, got 3", {"callbacks": [3]}),
        case(
            "59 metric",
            ValueError,
            "no result 'maee'; did you mean 'mae'",
            {"callbacks": [callbacks.ReduceLROnPlateau("maee")]},
        ),
    ],
)
def test_fit_arguments(error, message, options):
    model = regression(metrics=["mae"])
    refused(error, message, lambda: model.fit(X, Y, **{"verbose": 0, **options}), model)


def test_row_51_no_epochs_is_no_training():
    model = regression()
    before = model.get_weights()
    assert model.fit(X, Y, epochs=0, verbose=0).history == {}
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize(
    "error, message, weights",
    [
        case("58 below", ValueError, "weight of class 0 must be a number >= 0", {0: -1.0, 1: 2.0, 2: 3.0}),
        case("58 list", TypeError, "class_weight must be a dict", [1.0, 2.0, 3.0]),
    ],
)
def test_class_weight(error, message, weights):
    model = classifier("sparse_categorical_crossentropy")
    refused(error, message, lambda: model.fit(X, IDS, class_weight=weights, verbose=0), model)


def test_row_58_both_kinds_of_weights():
    model = classifier("sparse_categorical_crossentropy")
    weights = {"class_weight": {0: 1.0, 1: 1.0, 2: 1.0}, "sample_weight": np.ones(N)}
    refused(ValueError, "cannot be given both", lambda: model.fit(X, IDS, verbose=0, **weights), model)


# --- fit: generators


def forever(*batches):
    while True:
        yield from batches


GOOD = (X[:5], Y[:5])


def test_row_54_generators_without_an_end():
    model = regression()
    refused(
        ValueError, "pass validation_steps", lambda: model.fit(X, Y, validation_data=forever(GOOD), verbose=0), model
    )
    refused(TypeError, "leave out y", lambda: model.fit(forever(GOOD), Y, steps_per_epoch=2), model)


def test_row_55_a_generator_without_batches():
    model = regression()
    refused(ValueError, "yields no batch", lambda: model.fit(iter([]), steps_per_epoch=2, verbose=0), model)


@pytest.mark.parametrize(
    "message, batch",
    [
        case("56 x only", "the data source must yield .*ndarray without y", X[:5]),
        case("56 x in a tuple", "yields x only; the loss needs", (X[:5],)),
        case("56 four", "got a tuple of 4", (X[:5], Y[:5], np.ones(5), 1)),
        case("56 lengths", "batch 2: numbers of samples differ: x has 5 samples, y has 4", (X[:5], Y[:4])),
        case("56 axes", r"batch 2 has arrays of shapes \[\(5,\), \(5, 1\)\], the first batch had", (X[:5, 0], Y[:5])),
        case("56 text", "batch 2: x: expected numbers", (TEXT, Y[:2])),
    ],
)
def test_batches_of_a_generator(message, batch):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        regression().fit(iter([GOOD, GOOD, batch]), steps_per_epoch=3, verbose=0)
    assert "batch 2" in str(caught.value)
    with pytest.raises((ValueError, TypeError)):
        regression().fit(forever(batch), steps_per_epoch=3, verbose=0)


def test_row_56_labels_of_a_generator():
    model = classifier("sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"batch 1: label -1 at y\[0\] is outside 0..2"):
        model.fit(iter([(X, IDS), (X, IDS - 1)]), steps_per_epoch=2, verbose=0)


def test_row_57_a_generator_that_raises():
    def broken():
        yield GOOD
        raise OSError("disk on fire")

    with pytest.raises(OSError, match="disk on fire") as caught:
        regression().fit(broken(), steps_per_epoch=3, verbose=0)
    assert "batch 1 of epoch 1" in caught.value.__notes__[0]


def test_row_57_a_generator_that_stalls(monkeypatch):
    import threading

    from autograd_nn.models import data

    monkeypatch.setattr(data, "STALL_SECONDS", 0.05)
    warned = threading.Event()
    monkeypatch.setattr(data, "warnings", SimpleNamespace(warn=lambda message: (warned.set(), said.append(message))))
    said = []

    def slow():
        yield GOOD
        assert warned.wait(30)
        yield GOOD

    regression().fit(slow(), steps_per_epoch=2, verbose=0)
    assert "has not given the next batch for 0.05 seconds" in said[0]


# --- diverging, predict


def test_row_61_the_gradient_that_is_not_finite():
    model = models.Sequential(
        [layers.Dense(1, input_shape=(1,), name="last", kernel_initializer="zeros"), layers.Lambda(ops.sqrt)]
    )
    model.compile(optimizer="sgd", loss=lambda t, p: ops.sum(p / p, -1))
    with pytest.raises(
        TrainingDiverged, match=r"the loss is nan at batch 0 of epoch 1; first non-finite: gradient of 'last/bias'"
    ):
        model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_row_62_one_sample():
    model = regression()
    refused(ValueError, r"the model expects \(n, 4\); for one sample", lambda: model.predict_on_batch(X[0]), model)
    assert model.predict(X[0][None], verbose=0).shape == (1, 1)


def test_training_after_an_error_goes_on_as_if_nothing_had_happened():
    model, other = regression(), regression()
    other.set_weights(model.get_weights())
    for bad in ({"x": with_nan, "y": Y}, {"x": X, "y": ONE_HOT}, {"x": X, "y": Y, "callbacks": [3]}):
        with pytest.raises((ValueError, TypeError)):
            model.fit(**bad, verbose=0)
    utils.set_random_seed(1)
    first = model.fit(X, Y, epochs=3, verbose=0).history
    utils.set_random_seed(1)
    assert first == other.fit(X, Y, epochs=3, verbose=0).history


@pytest.mark.parametrize(
    "loss, units, y, message",
    [
        ("huber", 1, np.zeros((N, 3)), "never broadcast"),
        ("log_cosh", 3, np.zeros((N, 1)), "never broadcast"),
        ("mape", 2, np.zeros(N), "must be equal"),
        ("dice", 3, np.zeros((N, 2)), "must be equal"),
        ("kld", 3, np.zeros((N, 2)), "must be equal"),
        ("categorical_hinge", 3, IDS, "must be equal"),
        ("poisson", 1, np.full((N, 1), -1.0), r"poisson must be counts >= 0, got -1.0 at y\[0, 0\]"),
        ("binary_focal_crossentropy", 1, np.full((N, 1), 2.0), "binary_focal_crossentropy must be in 0..1"),
        ("categorical_focal_crossentropy", 3, IDS, r"looks like class ids.*to_categorical\(y, 3\)"),
        (losses.CategoricalGeneralizedCrossEntropy(), 3, IDS + 1, "label 3 at .* outside 0..2.*subtract 1"),
        (losses.CategoricalGeneralizedCrossEntropy(), 3, ONE_HOT, "looks one-hot, categorical_generalized"),
    ],
)
def test_targets_of_every_loss_are_checked_before_training(loss, units, y, message):
    model = regression("sigmoid" if units == 1 else "softmax", units, loss=loss)
    refused(ValueError, message, lambda: model.fit(X, y, verbose=0), model)


@pytest.mark.parametrize(
    "loss, last", [("binary_focal_crossentropy", "sigmoid"), ("categorical_focal_crossentropy", "softmax")]
)
def test_a_focal_loss_needs_probabilities(loss, last):
    name = "".join(part.capitalize() for part in loss.split("_"))
    message = rf"{loss} expects probabilities.*activation='{last}' or use losses.{name}\(from_logits=True\)"
    refused(ValueError, message, lambda: regression(None, 3, loss=loss))
    regression(None, 3, loss=getattr(losses, name)(from_logits=True))
