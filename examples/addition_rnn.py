"""Learning to add from examples alone: sequence to sequence.

The network reads "535+61" as letters, one after another, and writes "596". Nobody tells it what a digit is worth. One
LSTM reads the question into a vector (an encoder), another writes the answer from it (a decoder), as in Sutskever,
Vinyals and Le (2014, https://arxiv.org/abs/1409.3215), who also found that such networks learn better from questions
that are read backwards: what is needed first was then read last. Result to expect: more than 99 % of the held-out sums
exact. Writes addition_rnn.svg.
"""

import numpy as np
from pictures import command_line, line_chart

import autograd_nn as ag
from autograd_nn import callbacks, layers, ops

LETTERS = "0123456789+ "
DIGITS, QUESTIONS, HELD_OUT = 3, 50_000, 5_000
ASKED, ANSWERED = 2 * DIGITS + 1, DIGITS + 1


def pairs(count: int, rng: np.random.Generator) -> np.ndarray:
    """Different pairs (a, b), a <= b, of numbers with up to 3 digits, small ones not rare: shape (count, 2).

    "5+61" and "61+5" are one question, so that no held-out answer was seen the other way around.
    """
    most = 10 ** rng.integers(1, DIGITS + 1, (4 * count, 2))
    drawn = np.unique(np.sort(rng.integers(0, most), axis=1), axis=0)
    return rng.permutation(drawn)[:count]


def spelled(texts: list[str], length: int) -> np.ndarray:
    """Texts, filled up with blanks, as places in LETTERS: shape (texts, length)."""
    return np.array([[LETTERS.index(letter) for letter in text.ljust(length)] for text in texts])


def exact(y_true: ag.Tensor, y_pred: ag.Tensor) -> ag.Tensor:
    """1 for each answer with all letters right, else 0."""
    right = ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true, "int64"))
    return ops.cast(ops.all(right, axis=-1), "float32")


def main(seed: int = 0) -> None:
    quick, folder = command_line(__doc__)
    questions, epochs = (1000, 2) if quick else (QUESTIONS, 20)
    ag.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)

    numbers = pairs(questions, rng)
    asked = [f"{a}+{b}" for a, b in rng.permuted(numbers, axis=1)]
    x = spelled(asked, ASKED)[:, ::-1]
    y = spelled([str(a + b) for a, b in numbers], ANSWERED)
    held_out = HELD_OUT * questions // QUESTIONS

    model = ag.Sequential(
        [
            layers.Input((ASKED,), dtype="int32"),
            layers.Embedding(len(LETTERS), 16),
            layers.LSTM(128),
            layers.RepeatVector(ANSWERED),
            layers.LSTM(128, return_sequences=True),
            layers.Dense(len(LETTERS), activation="softmax"),
        ]
    )
    steps = epochs * -(-(questions - held_out) // 128)
    rate = ag.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(
        ag.optimizers.Adam(rate, clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy", exact]
    )
    told = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(
            f"epoch {epoch + 1:2d}: {logs['val_exact']:.2%} of the held-out sums right"
        )
    )
    history = model.fit(
        x[held_out:], y[held_out:], batch_size=128, epochs=epochs, verbose=0, callbacks=[told],
        validation_data=(x[:held_out], y[:held_out]),
    ).history  # fmt: skip

    answers = model.predict(x[:held_out], batch_size=500, verbose=0).argmax(-1)
    right = (answers == y[:held_out]).all(1)
    for k in [*range(6), *np.flatnonzero(~right)[:2]]:
        said = "".join(LETTERS[place] for place in answers[k]).strip()
        print(f"{asked[k]:>7} = {said}" + ("" if right[k] else f"  wrong, it is {numbers[k].sum()}"))
    print(f"{right.mean():.2%} of {held_out} held-out sums exact, after {questions - held_out} questions x {epochs}")

    epoch = np.arange(1, epochs + 1)
    line_chart(
        folder / "addition_rnn.svg",
        f"Sums never seen before: {right.mean():.1%} of {held_out} exact",
        {
            "single digits": (epoch, 100 * np.array(history["val_accuracy"])),
            "whole answers": (epoch, 100 * np.array(history["val_exact"])),
        },
        "epochs", "% right",
    )  # fmt: skip


if __name__ == "__main__":
    main()
