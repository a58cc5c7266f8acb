"""Reading lines of handwritten digits without being told where a digit stands.

Each line holds 1 to 6 MNIST digits that overlap, jump up and down, and stand at uneven distances. The target is only
what the line says. A small convnet looks at the image, a recurrent layer walks along it in both directions, and for
each of 36 columns the network names a digit or nothing. The loss (CTC: Graves et al. 2006, "Connectionist Temporal
Classification") sums over all ways in which the columns can say the target, so the network finds out by itself where
digits are. Test lines are made of digits that no training line contains.

Result to expect: about 2 % label errors: digits missed, added or misread, per digit of the lines.
Writes ctc_ocr.svg, test lines with what was read, and below each line how surely a column names a digit.
"""

import numpy as np
from pictures import command_line, image_sheet

from autograd_nn import layers, models, ops, optimizers, utils
from autograd_nn.datasets import mnist

HEIGHT, WIDTH, LONGEST = 32, 144, 6
COLUMNS, STEP = 36, WIDTH // 36
BLANK = 0
Lines = tuple[np.ndarray, np.ndarray]


def compose(images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator) -> Lines:
    """Lines, shape (count, HEIGHT, WIDTH) from 0 to 1, and their digits plus 1, padded with BLANK."""
    x = np.zeros((count, HEIGHT, WIDTH), "float32")
    y = np.full((count, LONGEST), BLANK, "int32")
    for line, target in zip(x, y):
        digits = rng.integers(0, len(images), rng.integers(1, LONGEST, endpoint=True))
        steps = rng.integers(15, 23, len(digits), endpoint=True)
        left = rng.integers(0, WIDTH - 28 - steps[1:].sum(), endpoint=True)
        for k, digit in enumerate(digits):
            left += steps[k] if k else 0
            top = rng.integers(0, HEIGHT - 28, endpoint=True)
            place = line[top : top + 28, left : left + 28]
            np.maximum(place, images[digit] / 255, out=place)
            target[k] = labels[digit] + 1
    return x, y


def text(labels: np.ndarray) -> str:
    """What labels say, without blanks and padding."""
    return "".join(str(label - 1) for label in labels if label > BLANK)


def errors(read: str, truth: str) -> int:
    """The fewest digits to add, remove or replace (Levenshtein 1966)."""
    row = list(range(len(truth) + 1))
    for i, a in enumerate(read, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(truth, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def main(seed: int = 0) -> None:
    quick, folder = command_line(__doc__)
    count, held_out, epochs = (320, 40, 2) if quick else (12_000, 1_000, 8)
    utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)

    (train_images, train_labels), (test_images, test_labels) = mnist.load_data()
    x, y = compose(train_images, train_labels, count, rng)
    test_x, test_y = compose(test_images, test_labels, held_out, rng)

    model = models.Sequential(
        [
            layers.Input((HEIGHT, WIDTH, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Permute((2, 1, 3)),
            layers.Reshape((COLUMNS, HEIGHT // STEP * 32)),
            layers.Dense(64, activation="relu"),
            layers.Bidirectional(layers.GRU(48, return_sequences=True)),
            layers.Dense(11),
        ]
    )
    steps = epochs * -(-count // 32)
    model.compile(optimizers.Adam(optimizers.schedules.CosineDecay(4e-3, steps), clipnorm=1.0), loss="ctc")
    model.fit(x[..., None], y, batch_size=32, epochs=epochs, verbose=2, validation_data=(test_x[..., None], test_y))

    logits = model.predict(test_x[..., None], verbose=0)
    frames = np.full(held_out, COLUMNS)
    truth = [text(labels) for labels in test_y]
    rates = {}
    for strategy in ("greedy", "beam_search"):
        labels, _ = ops.ctc_decode(logits, frames, strategy, beam_width=10)
        read = [text(row) for row in labels[0].numpy()]
        wrong = [errors(a, b) for a, b in zip(read, truth)]
        rates[strategy] = sum(wrong) / sum(map(len, truth))
        exact = np.mean(np.equal(wrong, 0))
        print(f"{strategy}: label error rate {rates[strategy]:.2%}, {exact:.1%} of {held_out} test lines without error")

    # The last answers are those of the beam search. As many misread lines as the sheet has room for, then others.
    chosen = [*np.flatnonzero(wrong)[:8], *np.flatnonzero(np.equal(wrong, 0))][:24]
    chances = ops.softmax(logits).numpy()
    named = np.repeat(1 - chances[chosen, :, BLANK], STEP, axis=1)
    bars = named[:, None] >= np.linspace(1, 0.1, 10)[:, None]
    sheet = np.concatenate([test_x[chosen], np.where(bars, 0.55, 0.06)], axis=1)
    captions = [f"!{read[k] or 'nothing'}, not {truth[k]}" if wrong[k] else read[k] for k in chosen]
    title = f"{rates['beam_search']:.1%} label errors on {held_out:,} test lines; grey bars: columns that name a digit"
    image_sheet(folder / "ctc_ocr.svg", title, sheet, columns=4, captions=captions, zoom=1.6)
    if not quick and rates["greedy"] > 0.05:
        raise SystemExit("expected at most 5 % label errors")


if __name__ == "__main__":
    main()
