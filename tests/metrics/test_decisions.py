"""Metrics of decisions, overlap and correlation: what they say where it is known, odd inputs, wrong arguments, fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_nn import Sequential, layers, metrics
from autograd_nn.errors import InvalidArgument, NotBuiltError, ShapeError
from autograd_nn.metrics.counting import count

truth = hnp.arrays("float64", st.integers(1, 30), elements=st.sampled_from([0.0, 1.0]))


@given(truth, st.randoms(use_true_random=False), st.booleans())
def test_counts_are_those_of_comparisons(y, random, even):
    p = np.array([random.choice([0.0, 0.25, 0.5, 0.75, 1.0, random.random()]) for _ in y])
    thresholds = [0.0, 0.25, 0.5, 0.75, 1.0] if even else [0.1, 0.25, 0.9]
    counts = count(y, p, thresholds, dtype="float64", what="counts")
    above = p[None] > np.array(thresholds)[:, None]
    assert np.array_equal(counts.true_positives, (above & (y == 1)).sum(1))
    assert np.array_equal(counts.false_positives, (above & (y == 0)).sum(1))
    assert np.array_equal(counts.false_negatives, (~above & (y == 1)).sum(1))
    assert np.array_equal(counts.true_negatives, (~above & (y == 0)).sum(1))


@given(truth)
def test_the_area_is_one_for_the_truth_and_nothing_for_its_opposite(y):
    if y.min() == y.max():
        return
    for curve in ("ROC", "PR"):
        assert np.isclose(float(metrics.AUC(curve=curve, dtype="float64")(y, y)), 1, atol=1e-6)
    assert np.isclose(float(metrics.AUC(dtype="float64")(y, 1 - y)), 0, atol=1e-6)


def test_the_area_is_the_share_of_ordered_pairs():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    p = np.clip(rng.random(200) * 0.7 + 0.3 * y, 0, 1)
    p = np.floor(p * 128) / 128
    pairs = p[y == 1][:, None] - p[y == 0][None]
    expected = (pairs > 0).mean() + 0.5 * (pairs == 0).mean()
    assert np.isclose(float(metrics.AUC(num_thresholds=129, dtype="float64")(y, p)), expected, atol=1e-9)


def test_nan_counts_as_no():
    y, p = [1.0, 1.0, 0.0], [np.nan, 0.9, np.nan]
    for thresholds in (None, [0.0, 0.5, 1.0]):
        assert np.all(metrics.TruePositives(thresholds).__call__(y, p).numpy().reshape(-1)[:2] == 1)
    assert np.isfinite(float(metrics.AUC()(y, p)))


def test_results_of_several_thresholds_are_a_vector():
    precision = metrics.Precision(thresholds=[0.2, 0.5])
    assert precision([0, 1, 1], [0.3, 0.4, 0.9]).numpy().round(4).tolist() == [np.float32(0.6667), 1.0]
    assert metrics.Recall()([0, 0], [0.1, 0.2]).tolist() == 0


def test_only_the_largest_predictions_count():
    y, p = [[0, 0, 1, 0]], [[0.4, 0.3, 0.2, 0.1]]
    assert float(metrics.Recall(top_k=2)(y, p)) == 0
    assert float(metrics.Recall(top_k=3)(y, p)) == 1
    assert round(float(metrics.Precision(top_k=3)(y, p)), 4) == 0.3333
    with pytest.raises(ShapeError, match="top_k=5 needs"):
        metrics.Recall(top_k=5)(y, p)
    with pytest.raises(ShapeError, match="class_id=4 needs"):
        metrics.Recall(class_id=4)(y, p)


@given(hnp.arrays("int64", (20,), elements=st.integers(0, 3)), hnp.arrays("int64", (20,), elements=st.integers(0, 3)))
def test_intersection_over_union(y, p):
    expected = [((y == k) & (p == k)).sum() / max(((y == k) | (p == k)).sum(), 1) for k in range(4)]
    occurs = [k for k in range(4) if ((y == k) | (p == k)).any()]
    assert np.isclose(float(metrics.MeanIoU(4)(y, p)), np.mean([expected[k] for k in occurs]), atol=1e-6)
    hot = metrics.OneHotMeanIoU(4)(np.eye(4)[y], np.eye(4)[p] * 0.9)
    assert np.isclose(float(hot), float(metrics.MeanIoU(4)(y, p)))


def test_weights_of_an_overlap_count_as_they_are():
    iou = metrics.IoU(num_classes=2, target_class_ids=[0])
    assert np.isclose(float(iou([0, 0, 1, 1], [0, 1, 0, 1], [0.3, 0.3, 0.3, 0.1])), 1 / 3)
    ignored = metrics.MeanIoU(num_classes=2, ignore_class=255)
    assert np.isclose(float(ignored([0, 255, 1], [0, 1, 1])), 1)


def test_f_scores():
    y, p = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0]]), np.array([[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
    assert metrics.F1Score(threshold=0.5)(y, p).numpy().round(4).tolist() == [0.5, np.float32(0.8), np.float32(0.6667)]
    beta = metrics.FBetaScore(beta=2.0, threshold=0.5)(y, p).numpy()
    assert np.allclose(beta, [0.3846154, 0.90909094, 0.8333334], atol=1e-6)


def test_scores_of_a_constant_truth():
    y = np.ones((3, 2))
    score = metrics.R2Score(class_aggregation=None)
    assert score(y, np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 1.0]])).tolist() == [1.0, 0.0]
    few = metrics.R2Score(num_regressors=5)
    plain = metrics.R2Score()
    assert float(few([[1.0], [4.0]], [[2.0], [4.0]])) == float(plain([[1.0], [4.0]], [[2.0], [4.0]]))


@pytest.mark.parametrize("make", [metrics.R2Score, metrics.F1Score, lambda: metrics.AUC(multi_label=True)])
def test_no_result_before_the_first_batch(make):
    with pytest.raises(NotBuiltError, match="before the first batch"):
        make().result()


@pytest.mark.parametrize("make", [metrics.R2Score, metrics.F1Score, lambda: metrics.AUC(multi_label=True)])
def test_one_axis_too_few(make):
    with pytest.raises(ShapeError, match=r"expect\w+ .*\(batch, "):
        make()([0.0, 1.0], [0.5, 0.5])


def test_labels_of_an_area_do_not_change():
    area = metrics.AUC(multi_label=True)
    area.update_state(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ShapeError, match=r"\(batch, 3\), got \(2, 2\)"):
        area.update_state(np.ones((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: metrics.Precision(thresholds=1.5), "thresholds must be numbers from 0 to 1"),
        (lambda: metrics.Recall(thresholds=[0.5, "a"]), "thresholds must be"),
        (lambda: metrics.AUC(1), "num_thresholds"),
        (lambda: metrics.TruePositives([]), "must not be empty"),
        (lambda: metrics.Precision(top_k=0), "top_k must be"),
        (lambda: metrics.Recall(class_id=-1), "class_id must be"),
        (lambda: metrics.AUC(curve="ROK"), "did you mean 'ROC'"),
        (lambda: metrics.AUC(summation_method="minorng"), "did you mean 'minoring'"),
        (lambda: metrics.AUC(num_labels=3), "belongs to multi_label"),
        (lambda: metrics.AUC(thresholds=[2]), "thresholds"),
        (lambda: metrics.SensitivityAtSpecificity(1.5), "specificity must be a number from 0 to 1"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "num_thresholds must be"),
        (lambda: metrics.F1Score("marco"), "did you mean 'macro'"),
        (lambda: metrics.FBetaScore(beta=0), "beta must be"),
        (lambda: metrics.F1Score(threshold=0), "threshold must be"),
        (lambda: metrics.MeanIoU(0), "num_classes must be"),
        (lambda: metrics.IoU(2, [2]), "outside 0..1"),
        (lambda: metrics.BinaryIoU(threshold="a"), "threshold must be"),
        (lambda: metrics.R2Score("uniform_avrage"), "did you mean 'uniform_average'"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors must be"),
    ],
)
def test_arguments_that_cannot_be_meant(make, message):
    with pytest.raises(InvalidArgument, match=message):
        make()


@pytest.mark.parametrize(
    "name", ["mape", "MSLE", "cosine_similarity", "huber", "log_cosh", "AUC", "precision", "kl_divergence"]
)
def test_names(name):
    assert metrics.get(name) is not None


def test_a_compiled_fit_agrees_with_an_eager_one():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.integers(0, 2, (20, 1)).astype("float32")
    logs = []
    for eager in (False, True):
        model = Sequential([layers.Dense(1, "sigmoid", kernel_initializer="ones")])
        watched = [
            "AUC",
            "precision",
            "recall",
            metrics.F1Score("micro", threshold=0.5),
            metrics.BinaryIoU(),
            "r2_score",
        ]
        watched += [metrics.TruePositives(thresholds=[0.3, 0.6]), metrics.SensitivityAtSpecificity(0.4), "huber"]
        model.compile("sgd", "bce", metrics=watched, run_eagerly=eager)
        history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=(x, y)).history
        logs.append(history)
    assert list(logs[0]) == list(logs[1])
    assert {"AUC", "val_precision", "f1_score", "sensitivity_at_specificity", "huber"} <= set(logs[0])
    assert all(np.allclose(a, b, rtol=1e-4) for a, b in zip(logs[0].values(), logs[1].values()))
