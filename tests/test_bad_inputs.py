"""Every row of the list of inputs that cannot be meant: the error each deserves.

The number of the row stands first in the id of its cases. Rows 1 to 20 are about building, 21 to 34 about `compile`,
35 to 61 about `fit`, 62 about `predict`; those named "engine" have no number. Files, 63 to 68, have tests of their own.
"""

import re
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import callbacks, layers, losses, models, ops, optimizers, testing
from autograd_nn.errors import FIRST_LINE, TrainingDiverged

N, FEATURES = 20, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, FEATURES)).astype("float32")
Y = RNG.normal(size=(N, 1)).astype("float32")
IDS = np.arange(N) % 3
ONE_HOT = np.eye(3)[IDS]
# Seconds of processor time from the call to its error.
QUICK = 0.5


class Case(NamedTuple):
    """One bad input. `action` gets the model that `make` makes, or nothing."""

    row: int | str
    label: str
    error: type[Exception]
    message: str
    action: Callable[..., Any]
    make: Callable[[], Any] | None = None
    late: bool = False


CASES: list[Case] = []


def bad(row, label, error, message, action, make=None, late=False):
    CASES.append(Case(row, label, error, message, action, make, late))


def dense(units=1, activation=None):
    return models.Sequential([layers.Dense(units, activation=activation, input_shape=(FEATURES,), name="last")])


def regression():
    model = dense()
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def classifier(loss="sparse_categorical_crossentropy", units=3, activation="softmax"):
    model = dense(units, activation)
    model.compile("sgd", loss)
    return model


def three_outputs():
    x = layers.Input((FEATURES,))
    return models.Model(x, [layers.Dense(1, name=name)(x) for name in "abc"])


def fit(**options):
    return lambda model: model.fit(X, Y, **{"verbose": 0, **options})


def fit_on(x, y, **options):
    return lambda model: model.fit(x, y, verbose=0, **options)


def forever(*batches):
    while True:
        yield from batches


# --- building


def built_for_four():
    layer = layers.Dense(2, name="dense_2")
    layer(np.ones((1, 4)))
    return layer


def unknown_size():
    return models.Sequential([layers.Conv2D(2, 3, input_shape=(None, None, 1)), layers.Flatten(), layers.Dense(2)])


def same_names():
    return models.Sequential(
        [layers.Dense(2, name="twin", input_shape=(3,)), layers.Dense(2, name="twin"), layers.Dense(1)]
    )


def shared():
    layer = layers.Dense(2, name="shared")
    layer(layers.Input((8,)))
    return layer(layers.Input((5,)))


def cycle():
    x = ops.exp(ag.tensor([1.0], requires_grad=True))
    x.inputs = (x,)
    return ag.Graph([], [x])


def unreachable():
    first, second = layers.Input((2,), name="first"), layers.Input((2,), name="second")
    return models.Model(first, layers.Add()([first, second]))


def unused():
    first, second = layers.Input((2,), name="first"), layers.Input((2,), name="second")
    return models.Model([first, second], layers.Dense(1)(first))


def of_another_model():
    inner = layers.Dense(2)(layers.Input((2,), name="elsewhere"))
    return models.Model(layers.Input((2,)), layers.Dense(1)(inner))


bad(1, "width", ValueError, r"'dense_2' expects last axis 4 \(built at .*got input \(2, 3\)",
    lambda: built_for_four()(np.ones((2, 3))))  # fmt: skip
bad(2, "conv-axes", ValueError, r"expects 4 axes \(batch, height, width, channels\), got",
    lambda: layers.Conv2D(2, 3)(np.ones((2, 28))))  # fmt: skip
bad(3, "channels-first", ValueError, "channels first\\?",
    lambda: layers.Conv2D(2, 5)(np.ones((2, 3, 32, 32), "float32")))  # fmt: skip
bad(4, "kernel-too-large", ValueError, "kernel_size 5 is larger than input 3",
    lambda: layers.Conv2D(2, 5, name="conv_4")(np.ones((1, 3, 3, 1), "float32")))  # fmt: skip
bad(5, "flatten-unknown", ValueError, "needs to know the last size of its input.*give all sizes", unknown_size)
bad(6, "summary-not-built", ValueError, "not built.*input_shape",
    lambda: models.Sequential([layers.Dense(2)]).summary())  # fmt: skip
bad(7, "no-layers", ValueError, "has no layers", lambda: models.Sequential([]).build((None, 3)))
bad(8, "class", TypeError, r"got class Dense; write Dense\(", lambda: models.Sequential().add(layers.Dense))
bad(9, "string", TypeError, "expected a layer, got 'dense'|'dense'", lambda: models.Sequential().add("dense"))
bad(9, "none", TypeError, "got None", lambda: models.Sequential().add(None))
for units in (0, -3, 2.5, "10", True):
    bad(
        10, f"units-{units}", (ValueError, TypeError), "units must be an int >= 1, got", lambda u=units: layers.Dense(u)
    )
bad(11, "activation", ValueError, "Dense: unknown activation 'relue'; did you mean 'relu'",
    lambda: layers.Dense(2, activation="relue"))  # fmt: skip
for rate in (50, 1.0, -0.1):
    hint = "50 means 0.5" if rate == 50 else "rate must be a number with 0 <= rate < 1"
    bad(12, f"dropout-{rate}", ValueError, hint, lambda r=rate: layers.Dropout(r))
bad(13, "same-names", ValueError, "'twin'", same_names)
for name in ("a\nb", "a'b", "../b", "a/b"):
    bad(14, f"name-{name!r}", ValueError, "characters that are not allowed", lambda n=name: layers.Dense(2, name=n))
bad(15, "shared", ValueError, r"'shared' expects last axis 8 \(built at .*\), got input \(None, 5\)", shared)
bad(16, "merge", ValueError, r"\(2, 3\).*\(2, 4\)", lambda: layers.Add()([np.ones((2, 3)), np.ones((2, 4))]))
bad(17, "cycle", RuntimeError, "cycle", cycle)
bad(18, "unreachable", RuntimeError, "'second'", unreachable)
bad(19, "unused", (ValueError, UserWarning), "'second'", unused)
bad(20, "another-model", RuntimeError, "'elsewhere'", of_another_model)

# --- compile


def compile_with(**options):
    return lambda model: model.compile(**{"loss": "mse", **options})


bad(21, "complie", AttributeError, "did you mean 'compile'", lambda m: m.complie("sgd"), regression)
bad(22, "optimizer", ValueError, "unknown optimizer 'rmsprp'; did you mean 'rmsprop'", compile_with(optimizer="rmsprp"),
    regression)  # fmt: skip
bad(23, "loss", ValueError, "did you mean 'categorical_crossentropy'", compile_with(loss="categorical_crossentrpy"),
    regression)  # fmt: skip
bad(24, "optimiser", TypeError, "'optimiser'; did you mean 'optimizer'", compile_with(optimiser="sgd"), regression)
bad(24, "metric", TypeError, "'metric'; did you mean 'metrics'", compile_with(metric=["mae"]), regression)
bad(24, "rate", TypeError, "'learnin_rate'; did you mean 'learning_rate'", lambda: optimizers.SGD(learnin_rate=0.1))
for rate in (0, -1, float("nan"), "1e-3"):
    bad(25, f"rate-{rate}", ValueError, "learning_rate must be a finite number > 0", lambda r=rate: optimizers.SGD(r))
bad(26, "optimizer-class", TypeError, r"got class SGD; write SGD\(", compile_with(optimizer=optimizers.SGD), regression)
bad(27, "losses", ValueError, r"loss: 2 given for 3 outputs \['a', 'b', 'c'\]", compile_with(loss=["mse", "mae"]),
    three_outputs)  # fmt: skip
bad(28, "loss-key", ValueError, "there is no output 'aa'", compile_with(loss={"aa": "mse", "b": "mse", "c": "mse"}),
    three_outputs)  # fmt: skip
bad(29, "loss-weights", ValueError, "loss_weights: 2 given for 3", compile_with(loss_weights=[1.0, 2.0]), three_outputs)
bad(30, "linear-last", ValueError, r"'last' is linear.*from_logits=True",
    compile_with(loss="binary_crossentropy"), dense)  # fmt: skip
bad(31, "softmax-twice", UserWarning, "applies softmax again",
    compile_with(loss=losses.CategoricalCrossentropy(from_logits=True)), lambda: dense(3, "softmax"))  # fmt: skip
bad(32, "softmax-of-one", ValueError, "softmax over 1 unit, whose output is always 1", compile_with(),
    lambda: dense(1, "softmax"))  # fmt: skip
bad(33, "ids-binary", ValueError, "use loss='sparse_categorical_crossentropy'", fit_on(X, IDS),
    lambda: classifier("binary_crossentropy"))  # fmt: skip
bad(34, "relu-negative", UserWarning, "ends with relu and cannot be negative", fit_on(X, Y - 10),
    lambda: classifier("mse", 1, "relu"), late=True)  # fmt: skip

# --- fit

with_nan, with_inf = X.copy(), Y.copy()
with_nan[[4, 5], 2], with_inf[3] = np.nan, -np.inf
TEXT, OBJECTS = np.array([["1", "2"], ["3", "b"]]), np.array([[1.0, 2.0], [3.0, "b"]], dtype=object)
MASKED = np.ma.masked_array(X, mask=X > 1)
UNSCALED = RNG.integers(0, 256, (N, FEATURES)).astype("uint8")
GOOD = (X[:5], Y[:5])

bad(35, "not-compiled", RuntimeError, r"call model.compile\(optimizer=..., loss=...\) first", fit(), dense)
bad(36, "lengths", ValueError, "x has 20 samples, y has 19 samples", fit_on(X, Y[:19]), regression)
bad(37, "ids-categorical", ValueError, r"looks like class ids.*to_categorical\(y, 3\)", fit_on(X, IDS),
    lambda: classifier("categorical_crossentropy"))  # fmt: skip
bad(38, "one-hot-sparse", ValueError, "looks one-hot.*categorical_crossentropy", fit_on(X, ONE_HOT), classifier)
bad(39, "label-10", ValueError, r"label 10 at y\[5\] is outside 0..2",
    fit_on(X, np.where(np.arange(N) == 5, 10, IDS)), classifier)  # fmt: skip
bad(39, "label-minus-1", ValueError, r"label -1 at y\[0\]", fit_on(X, IDS - 1), classifier)
bad(39, "one-based", ValueError, "look 1-based, subtract 1", fit_on(X, IDS + 1), classifier)
bad(40, "label-0.5", ValueError, r"must be class ids, got 0.5 at y\[1\]", fit_on(X, IDS / 2), classifier)
bad(41, "columns", ValueError, "never broadcast", fit_on(X, ONE_HOT), regression)
bad(41, "square", ValueError, "never broadcast", fit_on(X, Y[:, 0]), lambda: classifier("mse", N, None))
bad(42, "text", TypeError, "expected numbers, got dtype <U1", fit_on(TEXT, Y[:2]), regression)
bad(42, "object", TypeError, r"first non-number 'b' at \[1, 1\]", fit_on(OBJECTS, Y[:2]), regression)
bad(43, "ragged", ValueError, "row 1 has length 1, row 0 has 2", fit_on([[1.0, 2.0], [3.0]], Y[:2]), regression)
bad(44, "nan", ValueError, r"x has 2 non-finite values, the first is nan at x\[4, 2\]", fit_on(with_nan, Y), regression)
bad(44, "inf", ValueError, r"y has 1 non-finite value, the first is -inf at y\[3, 0\]", fit_on(X, with_inf), regression)
bad(45, "uint8", UserWarning, "uint8 with values up to .* / 255", fit_on(UNSCALED, Y), regression, late=True)
bad(46, "complex", TypeError, "complex128 is not supported", fit_on(X.astype(complex), Y), regression)
bad(47, "masked", TypeError, "masked array would lose its mask.*filled", fit_on(MASKED, Y), regression)
bad(48, "empty", ValueError, r"x has 0 samples, shape \(0, 4\); at least 1", fit_on(X[:0], Y[:0]), regression)
for size in (0, -1, 2.5, "32", True):
    bad(49, f"batch-size-{size}", ValueError, "batch_size must be an int >= 1, got", fit(batch_size=size), regression)
bad(50, "batch", TypeError, "'batch'; did you mean 'batch_size'", fit(batch=32), regression)
bad(50, "epoch", TypeError, "'epoch'; did you mean 'epochs'", fit(epoch=5), regression)
bad(50, "val_split", TypeError, "'val_split'; did you mean 'validation_split'", fit(val_split=0.5), regression)
for count in (-1, "10", 2.5, None, True):
    bad(51, f"epochs-{count}", ValueError, "epochs must be an int >= 0, got", fit(epochs=count), regression)
for split in (1.0, -0.2, 20, "0.2", True):
    bad(52, f"split-{split}", ValueError, "validation_split must be a number with 0 <= split < 1",
        fit(validation_split=split), regression)  # fmt: skip
bad(52, "split-leaves-none", ValueError, "leaves 0 to train on and 20", fit(validation_split=0.99), regression)
bad(53, "split-generator", ValueError, "validation_split needs arrays, x is a generator",
    lambda m: m.fit(forever(GOOD), validation_split=0.5), regression)  # fmt: skip
bad(54, "endless", ValueError, "pass steps_per_epoch", lambda m: m.fit(forever(GOOD), verbose=0), regression)
bad(55, "exhausted", ValueError, r"ended after 1 of 2 batches in epoch 2.*exhausted",
    lambda m: m.fit(iter([GOOD] * 3), steps_per_epoch=2, epochs=5, verbose=0), regression, late=True)  # fmt: skip
bad(56, "x-only", ValueError, "yields x only; the loss needs",
    lambda m: m.fit(iter([(X[:5],)]), steps_per_epoch=1, verbose=0), regression)  # fmt: skip
bad(56, "four-parts", ValueError, "got a tuple of 4",
    lambda m: m.fit(iter([(X[:5], Y[:5], np.ones(5), 1)]), steps_per_epoch=1, verbose=0), regression)  # fmt: skip
bad(56, "changing-shape", ValueError, "batch 1",
    lambda m: m.fit(iter([GOOD, (X[:5, 0], Y[:5])]), steps_per_epoch=2, verbose=0), regression, late=True)  # fmt: skip


def broken():
    yield GOOD
    raise OSError("disk on fire")


bad(57, "raises", OSError, "disk on fire", lambda m: m.fit(broken(), steps_per_epoch=3, verbose=0), regression,
    late=True)  # fmt: skip
bad(58, "class-weight-missing", ValueError, "class_weight has no weight for class 2",
    fit_on(X, IDS, class_weight={0: 1.0, 1: 2.0}), classifier)  # fmt: skip
bad(58, "class-weight-text", ValueError, "keys must be class ids",
    fit_on(X, IDS, class_weight={"0": 1.0, "1": 2.0, "2": 3.0}), classifier)  # fmt: skip
bad(58, "sample-weight-length", ValueError, "x has 20 samples, y has 20 samples, sample_weight has 3",
    fit(sample_weight=np.ones(3)), regression)  # fmt: skip
bad(58, "sample-weight-negative", ValueError, r"sample_weight must be >= 0, got -1.0 at sample_weight\[2\]",
    fit(sample_weight=np.where(np.arange(N) == 2, -1.0, 1.0)), regression)  # fmt: skip
bad(59, "callback-class", TypeError, r"got class EarlyStopping; write EarlyStopping\(",
    fit(callbacks=callbacks.EarlyStopping), regression)  # fmt: skip
bad(59, "monitor", ValueError, "no result 'val_los'; did you mean 'val_loss'.*available: loss, ",
    fit(callbacks=[callbacks.EarlyStopping("val_los")], validation_split=0.5), regression)  # fmt: skip
bad(60, "no-validation", ValueError, "EarlyStopping watches 'val_loss', but there is no validation",
    fit(callbacks=[callbacks.EarlyStopping()]), regression)  # fmt: skip


def with_rate(rate):
    model = dense()
    model.compile(optimizers.SGD(rate), "mse")
    return model


bad(61, "diverged", TrainingDiverged, r"the loss is (inf|nan) at batch \d+ of epoch 1; .*'last/.*learning_rate is 1e",
    lambda m: m.fit(X * 100, Y, batch_size=2, epochs=3, verbose=0), lambda: with_rate(1e30), late=True)  # fmt: skip
bad(62, "one-sample", ValueError, r"x has shape \(4,\), the model expects \(n, 4\); for one sample pass x\[None\]",
    lambda m: m.predict(X[0], verbose=0), regression)  # fmt: skip

# --- the engine


def backward_twice():
    x = ag.tensor([2.0], requires_grad=True)
    y = ops.sum(x * x)
    y.backward()
    y.backward()


def written_in_place():
    w = ag.Variable([1.0, 2.0], name="w")
    y = ops.sum(w * w)
    w.assign([3.0, 4.0])
    y.backward()


def custom_gradient(gradient):
    op = ag.custom_op(lambda x, y: x * y, vjp=lambda g, y, a, b: gradient(g), name="mine")
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    ops.sum(op(x, x)).backward()


bad("engine", "backward-vector", (ValueError, RuntimeError), "scalar",
    lambda: (ag.tensor([1.0, 2.0], requires_grad=True) * 2).backward())  # fmt: skip
bad("engine", "backward-twice", (ValueError, RuntimeError), "backward|graph", backward_twice)
bad("engine", "integer-gradient", TypeError, "int", lambda: ag.tensor([1, 2], requires_grad=True))
bad("engine", "written-in-place", (ValueError, RuntimeError), "'?w'?", written_in_place)
bad("engine", "if-many", (ValueError, TypeError), "ambiguous; use t.any",
    lambda: bool(ag.tensor([1.0, 2.0])))  # fmt: skip
bad("engine", "broadcast", ValueError, r"add.*\(2, 3\).*\(4,\)", lambda: ops.add(np.ones((2, 3)), np.ones(4)))
bad("engine", "axis", (ValueError, IndexError), "axis 5", lambda: ops.sum(np.ones((2, 3)), axis=5))
bad("engine", "custom-number", ValueError, "mine", lambda: custom_gradient(lambda g: (g,)))
bad("engine", "custom-shape", ValueError, "mine", lambda: custom_gradient(lambda g: (ops.sum(g), g)))
bad("engine", "gradcheck-float32", UserWarning, "float64",
    lambda: testing.gradcheck(ops.exp, np.ones(2, "float32")))  # fmt: skip
bad("engine", "gradcheck-kink", (ValueError, RuntimeError), "kink",
    lambda: testing.gradcheck(ops.relu, np.zeros(2)))  # fmt: skip


# --- the tests


def state(model):
    """All that a failed call must leave as it was."""
    if model is None:
        return None
    optimizer = model.optimizer
    kept = [v.numpy().tolist() for v in optimizer.variables] if optimizer else None
    weights = [w.tolist() for w in model.get_weights()]
    return (
        weights,
        kept,
        id(optimizer),
        model.compiled,
        model.stop_training,
        id(model.loss),
        len(model._compiled.programs),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"row-{case.row}-{case.label}")
def test_row(case):
    model = case.make() if case.make else None
    before, start = state(model), time.process_time()
    if isinstance(case.error, type) and issubclass(case.error, Warning):
        with pytest.warns(case.error, match=case.message):
            case.action(*[model] if case.make else [])
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(case.error) as caught:
            case.action(*[model] if case.make else [])
    first = str(caught.value).partition("\n")[0]
    assert re.search(case.message, first), first
    assert len(first) <= FIRST_LINE
    if case.late:
        return
    assert state(model) == before
    assert time.process_time() - start < QUICK
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not re.search("numba|ufunc|ndarray|__init__|NoneType", first), first


def test_every_row_has_a_case():
    assert sorted({case.row for case in CASES if case.row != "engine"}) == list(range(1, 63))
    assert sum(case.row == "engine" for case in CASES) >= 10
