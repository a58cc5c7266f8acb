"""Same digit or not: one network on two images, trained on pairs (Bromley et al. 1993; Hadsell, Chopra, LeCun 2006).

The network maps an image to a point, and is called for both images of a pair. The contrastive loss draws the points
of the same digit together, and pushes those of different digits apart until they are one unit from each other: so the
distance tells, without a word about what the digits are. Test pairs are made of the test set, half of them the same.
Result to expect: over 98 % of the test pairs told apart at the distance 0.5.
Writes siamese.svg, pairs with their distances, and siamese_distances.svg, how far apart pairs are.
"""

from pathlib import Path

import numpy as np
from pictures import command_line, image_sheet, line_chart

import autograd_nn as ag
from autograd_nn import layers, models, ops, utils
from autograd_nn.datasets import mnist

LIMIT = 0.5


def make_tower() -> models.Sequential:
    """From an image to a point in 16 dimensions."""
    tower = models.Sequential(name="tower")
    tower.add(layers.Conv2D(16, 5, strides=2, activation="relu", input_shape=(28, 28, 1)))
    tower.add(layers.Conv2D(32, 3, strides=2, activation="relu"))
    tower.add(layers.Flatten())
    tower.add(layers.Dense(128, activation="relu"))
    tower.add(layers.Dense(16))
    return tower


def distance(points: list[ag.Tensor]) -> ag.Tensor:
    """The Euclidean distance of two points, shape (batch, 1); the small number keeps the slope finite at zero."""
    return ops.sqrt(ops.sum((points[0] - points[1]) ** 2, axis=1, keepdims=True) + 1e-6)


def contrastive(same: ag.Tensor, distance: ag.Tensor) -> ag.Tensor:
    """The same digit should have no distance, others at least one."""
    return same * distance**2 + (1 - same) * ops.maximum(1 - distance, 0.0) ** 2


def make_model() -> models.Model:
    left, right = (layers.Input(shape=(28, 28, 1), name=name) for name in ("left", "right"))
    tower = make_tower()
    return models.Model([left, right], layers.Lambda(distance, name="distance")([tower(left), tower(right)]))


def make_pairs(images: np.ndarray, labels: np.ndarray, count: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Random pairs, every second of the same digit; and 1 for the same, 0 for others, shape (count, 1)."""
    rng = np.random.default_rng(seed)
    of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]
    first = rng.integers(0, len(images), count)
    same = np.arange(count) % 2
    digits = (labels[first] + (1 - same) * rng.integers(1, 10, count)) % 10
    second = np.array([rng.choice(of_digit[digit]) for digit in digits])
    return [images[first], images[second]], same[:, None].astype("float32")


def draw_pairs(folder: Path, pairs: list[np.ndarray], same: np.ndarray, far: np.ndarray) -> None:
    """The first pairs, and the first that were told wrongly, each with its distance."""
    wrong = (far < LIMIT) != (same == 1)
    shown = np.concatenate([np.arange(24), np.flatnonzero(wrong)[:8]])
    both = np.concatenate([pairs[0][shown], pairs[1][shown]], axis=2)[..., 0]
    captions = [f"{'!' if wrong[k] else ''}{far[k]:.2f} {'same' if far[k] < LIMIT else 'other'}" for k in shown]
    title = "Pairs of the test set and their distances (last row: pairs it took for the wrong kind)"
    image_sheet(folder / "siamese.svg", title, both, columns=8, captions=captions, zoom=1.5)


def draw_distances(folder: Path, same: np.ndarray, far: np.ndarray) -> None:
    """Two histograms: pairs of the same digit, and of others."""
    edges = np.linspace(0, max(1.5, far.max()), 61)
    middles = (edges[1:] + edges[:-1]) / 2
    curves = {}
    for name, kind in (("same digit", 1), ("different digits", 0)):
        curves[name] = (middles, np.histogram(far[same == kind], edges)[0] + 0.5)
    line_chart(folder / "siamese_distances.svg", "How far apart pairs are", curves, "distance", "pairs", log_y=True)


def main() -> None:
    quick, folder = command_line(__doc__)
    utils.set_random_seed(0)
    (images, labels), (test_images, test_labels) = mnist.load_data()
    images, test_images = (x[..., None].astype("float32") / 255 for x in (images, test_images))
    pairs, same = make_pairs(images, labels, 4_000 if quick else 120_000, seed=1)
    test_pairs, test_same = make_pairs(test_images, test_labels, 20_000, seed=2)

    model = make_model()
    model.compile(optimizer="adam", loss=contrastive)
    model.fit(pairs, same, epochs=1 if quick else 8, batch_size=128, verbose=2)

    far, same = model.predict(test_pairs, batch_size=500, verbose=0)[:, 0], test_same[:, 0]
    accuracy = ((far < LIMIT) == (same == 1)).mean()
    print(f"test pairs told apart: {accuracy:.4f} of {len(far)}")
    draw_pairs(folder, test_pairs, same, far)
    draw_distances(folder, same, far)
    if not quick and accuracy < 0.98:
        raise SystemExit("expected at least 98 % of the pairs")


if __name__ == "__main__":
    main()
