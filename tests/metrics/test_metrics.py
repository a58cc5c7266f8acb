"""Metrics: state over batches, weights, the stateless face, tracing, and errors; tests/oracle compares with Keras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn import jit, metrics, ops
from autograd_nn.errors import ArgumentTypeError, GraphError, InvalidArgument, ShapeError, UnknownName

RNG = np.random.default_rng(0)
CLASSES, SAMPLES = 4, 12
PROBABILITIES = RNG.dirichlet(np.ones(CLASSES), SAMPLES)
IDS = RNG.integers(0, CLASSES, SAMPLES)
ONE_HOT = np.eye(CLASSES)[IDS]
BINARY = RNG.integers(0, 2, (SAMPLES, 3)).astype(float)
SHARES = RNG.random((SAMPLES, 3))
WEIGHTS = RNG.random(SAMPLES)

CASES = {
    "Accuracy": (metrics.Accuracy, BINARY, BINARY.round()),
    "BinaryAccuracy": (metrics.BinaryAccuracy, BINARY, SHARES),
    "CategoricalAccuracy": (metrics.CategoricalAccuracy, ONE_HOT, PROBABILITIES),
    "SparseCategoricalAccuracy": (metrics.SparseCategoricalAccuracy, IDS, PROBABILITIES),
    "TopK": (lambda **o: metrics.TopKCategoricalAccuracy(k=2, **o), ONE_HOT, PROBABILITIES),
    "SparseTopK": (lambda **o: metrics.SparseTopKCategoricalAccuracy(k=2, **o), IDS, PROBABILITIES),
    "MeanSquaredError": (metrics.MeanSquaredError, BINARY, SHARES),
    "MeanAbsoluteError": (metrics.MeanAbsoluteError, BINARY, SHARES),
    "RootMeanSquaredError": (metrics.RootMeanSquaredError, BINARY, SHARES),
    "BinaryCrossentropy": (metrics.BinaryCrossentropy, BINARY, SHARES),
    "CategoricalCrossentropy": (metrics.CategoricalCrossentropy, ONE_HOT, PROBABILITIES),
    "SparseCategoricalCrossentropy": (metrics.SparseCategoricalCrossentropy, IDS, PROBABILITIES),
    "MeanAbsolutePercentageError": (metrics.MeanAbsolutePercentageError, BINARY + 1, SHARES),
    "MeanSquaredLogarithmicError": (metrics.MeanSquaredLogarithmicError, BINARY, SHARES),
    "CosineSimilarity": (metrics.CosineSimilarity, BINARY, SHARES),
    "LogCoshError": (metrics.LogCoshError, BINARY, SHARES),
    "Hinge": (metrics.Hinge, 2 * BINARY - 1, SHARES),
    "SquaredHinge": (metrics.SquaredHinge, 2 * BINARY - 1, SHARES),
    "CategoricalHinge": (metrics.CategoricalHinge, ONE_HOT, PROBABILITIES),
    "KLDivergence": (metrics.KLDivergence, ONE_HOT, PROBABILITIES),
    "Poisson": (metrics.Poisson, BINARY, SHARES),
    "PearsonCorrelation": (metrics.PearsonCorrelation, ONE_HOT, PROBABILITIES),
    "ConcordanceCorrelation": (metrics.ConcordanceCorrelation, ONE_HOT, PROBABILITIES),
    "R2Score": (metrics.R2Score, BINARY, SHARES),
    "TruePositives": (metrics.TruePositives, BINARY, SHARES),
    "FalsePositives": (metrics.FalsePositives, BINARY, SHARES),
    "TrueNegatives": (metrics.TrueNegatives, BINARY, SHARES),
    "FalseNegatives": (metrics.FalseNegatives, BINARY, SHARES),
    "Precision": (metrics.Precision, BINARY, SHARES),
    "Precision top k": (lambda **o: metrics.Precision(top_k=2, **o), ONE_HOT, PROBABILITIES),
    "Recall": (lambda **o: metrics.Recall(class_id=1, thresholds=0.3, **o), ONE_HOT, PROBABILITIES),
    "AUC": (metrics.AUC, BINARY, SHARES),
    "AUC PR": (lambda **o: metrics.AUC(curve="pr", multi_label=True, num_labels=3, **o), BINARY, SHARES),
    "SensitivityAtSpecificity": (lambda **o: metrics.SensitivityAtSpecificity(0.5, **o), BINARY, SHARES),
    "SpecificityAtSensitivity": (lambda **o: metrics.SpecificityAtSensitivity(0.5, **o), BINARY, SHARES),
    "PrecisionAtRecall": (lambda **o: metrics.PrecisionAtRecall(0.5, **o), BINARY, SHARES),
    "RecallAtPrecision": (lambda **o: metrics.RecallAtPrecision(0.5, **o), BINARY, SHARES),
    "F1Score": (lambda **o: metrics.F1Score("macro", **o), ONE_HOT, PROBABILITIES),
    "FBetaScore": (lambda **o: metrics.FBetaScore("micro", 2.0, 0.4, **o), BINARY, SHARES),
    "IoU": (lambda **o: metrics.IoU(CLASSES, [0, 2], **o), IDS, IDS[::-1].copy()),
    "BinaryIoU": (metrics.BinaryIoU, BINARY, SHARES),
    "MeanIoU": (lambda **o: metrics.MeanIoU(CLASSES, **o), IDS, IDS[::-1].copy()),
    "OneHotIoU": (lambda **o: metrics.OneHotIoU(CLASSES, [1], **o), ONE_HOT, PROBABILITIES),
    "OneHotMeanIoU": (lambda **o: metrics.OneHotMeanIoU(CLASSES, **o), ONE_HOT, PROBABILITIES),
}
every_metric = pytest.mark.parametrize("make, y, p", CASES.values(), ids=CASES)


@every_metric
def test_batches_add_up_to_the_whole(make, y, p):
    whole, parts = make(dtype="float64"), make(dtype="float64")
    whole.update_state(y, p)
    for start in range(0, SAMPLES, 5):
        parts.update_state(y[start : start + 5], p[start : start + 5])
    assert np.isclose(float(whole.result()), float(parts.result()))


@every_metric
def test_whole_weights_count_like_repetition(make, y, p):
    weighted, repeated = make(dtype="float64"), make(dtype="float64")
    counts = np.arange(SAMPLES) % 3
    weighted.update_state(y, p, sample_weight=counts.astype(float))
    repeated.update_state(np.repeat(y, counts, 0), np.repeat(p, counts, 0))
    assert np.isclose(float(weighted.result()), float(repeated.result()))


@every_metric
def test_reset_forgets(make, y, p):
    metric = make()
    metric.update_state(y, p)
    metric.reset_state()
    assert not any(v.numpy().any() for v in metric.variables)
    assert np.isclose(float(metric(y, p)), float(make()(y, p)))


@every_metric
def test_a_traced_update_agrees_with_an_eager_one(make, y, p):
    metric, eager = make(), make()
    step = jit(lambda y, p: metric(y, p), batched=True)
    for start, stop in ((0, 5), (5, 10), (10, SAMPLES)):
        result = step(y[start:stop], p[start:stop])
        assert np.isclose(float(result), float(eager(y[start:stop], p[start:stop])))
    assert step.traces == 1
    assert np.isclose(float(metric.result()), float(eager.result()))


@every_metric
def test_the_stateless_face_leaves_the_state_alone(make, y, p):
    metric, other = make(), make()
    metric.update_state(y[:3], p[:3])
    before = [v.numpy().copy() for v in metric.variables]
    state = metric.stateless_reset_state()
    for half in (slice(0, 6), slice(6, None)):
        state = metric.stateless_update_state(state, y[half], p[half])
    assert np.isclose(float(metric.stateless_result(state)), float(other(y, p)))
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, metric.variables))
    traced = jit(lambda s, y, p: metric.stateless_update_state(s, y, p))(metric.stateless_reset_state(), y, p)
    assert np.isclose(float(metric.stateless_result(traced)), float(other.result()))


@every_metric
def test_config_round_trip(make, y, p):
    metric = make(name="mine", dtype="float64")
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert (again.name, again.dtype) == ("mine", "float64")
    assert np.isclose(float(again(y, p)), float(metric(y, p)))


@every_metric
def test_shapes_are_never_broadcast(make, y, p):
    with pytest.raises(ShapeError):
        make().update_state(y[:1], p)


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20), st.integers(1, 5))
def test_mean_and_sum(values, size):
    mean, total = metrics.Mean(dtype="float64"), metrics.Sum(dtype="float64")
    for start in range(0, len(values), size):
        mean.update_state(values[start : start + size])
        total.update_state(values[start : start + size])
    assert np.isclose(float(mean.result()), np.mean(values))
    assert np.isclose(float(total.result()), np.sum(values))


def test_mean_of_nothing_is_zero():
    assert float(metrics.Mean().result()) == 0
    assert float(metrics.Mean()([1.0], sample_weight=[0.0])) == 0


def test_mean_of_values_with_several_axes_counts_samples():
    values = np.arange(12.0).reshape(2, 3, 2)
    mean = metrics.Mean(dtype="float64")
    mean.update_state(values)
    assert float(mean.count) == 2
    assert np.isclose(float(mean.result()), values.mean())
    weights = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
    expected = (values.mean(-1) * weights).mean(-1).sum() / weights.mean(-1).sum()
    assert np.isclose(float(metrics.Mean(dtype="float64")(values, weights)), expected)
    assert np.isclose(float(metrics.Mean(dtype="float64")(values, [1.0, 3.0])), (values.mean((1, 2)) @ [1, 3]) / 4)
    with pytest.raises(ShapeError, match="sample_weight"):
        mean.update_state(values, np.ones(3))


def test_a_function_of_the_user_is_a_metric():
    metric = metrics.MeanMetricWrapper(lambda t, p, scale: ops.mean(p - t, -1) * scale, name="bias", scale=2.0)
    assert float(metric(np.zeros((2, 1)), np.ones((2, 1)))) == 2.0
    assert metric.name == "bias"
    wrapped = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="mine", threshold=0.9)
    again = metrics.deserialize(metrics.serialize(wrapped))
    assert (again.name, float(again([[1.0]], [[0.8]])), float(again([[1.0]], [[0.95]]))) == ("mine", 0.0, 0.5)


def test_metrics_inside_a_metric_are_its_state():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.mean = metrics.Mean()
            self.calls = self.add_weight(name="calls")

        def update_state(self, values, sample_weight=None):
            self.mean.update_state(values)
            self.calls.assign_add(1)

        def result(self):
            return self.mean.result() * self.calls

    both = Both()
    both.update_state([1.0, 3.0])
    both.update_state([1.0, 3.0])
    assert float(both.result()) == 4.0
    assert len(both.variables) == 3
    both.reset_state()
    assert float(both.result()) == 0.0


def test_state_before_super_init():
    class Early(metrics.Metric):
        def __init__(self):
            self.mean = metrics.Mean()

    with pytest.raises(GraphError, match=r"must call super\(\).__init__\(\)"):
        Early()


def test_top_k_with_ties_and_with_sorted_ids():
    p = [[0.4, 0.4, 0.2], [0.1, 0.1, 0.8]]
    assert metrics.sparse_top_k_categorical_accuracy([1, 1], p, k=1).tolist() == [1.0, 0.0]
    assert metrics.sparse_top_k_categorical_accuracy(
        [7, 9], [[3, 7, 9], [3, 7, 9]], k=2, from_sorted_ids=True
    ).tolist() == [1, 0]
    for k in (0, -1, 2.5, True, "5"):
        with pytest.raises(InvalidArgument, match="k must be an int"):
            metrics.TopKCategoricalAccuracy(k=k)


def test_a_label_that_is_no_class_is_never_among_the_largest():
    p = [[-1.0, -2.0, -3.0], [0.5, 0.2, 0.3]]
    assert metrics.sparse_top_k_categorical_accuracy([7, -1], p, k=3).tolist() == [0, 0]


@pytest.mark.parametrize("threshold", [-0.1, 1.0, "0.5"])
def test_threshold(threshold):
    with pytest.raises(InvalidArgument, match="threshold"):
        metrics.BinaryAccuracy(threshold=threshold)


def test_get():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("categorical_accuracy"), metrics.CategoricalAccuracy)
    assert isinstance(metrics.get("RootMeanSquaredError"), metrics.RootMeanSquaredError)
    mean = metrics.Mean()
    assert metrics.get(mean) is mean
    assert metrics.get(None) is None
    with pytest.raises(UnknownName, match="did you mean 'categorical_accuracy'"):
        metrics.get("categorical_acuracy")
    with pytest.raises(ArgumentTypeError, match=r"write Mean\("):
        metrics.get(metrics.Mean)
    with pytest.raises(ArgumentTypeError, match="expected 2 metric_variables"):
        mean.stateless_result([0.0])
