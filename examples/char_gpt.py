"""A small transformer learns to write like Python's own manual, letter by letter.

Its text is the help that ships with every Python (what `help("LAMBDAS")` prints): a third of a million letters. Three
blocks of causal self-attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; the order within a block is that
of GPT-2) guess each next letter from at most 128 before it. How good the guesses are is counted in bits per letter, on
the last tenth of the text, which it never sees, beside models that count letter pairs and triples. Result to expect:
about 2.1 bits, where the counts need 3.4 and 2.6, and a page that looks like the manual. Writes char_gpt.svg.
"""

from collections.abc import Iterator
from pydoc_data.topics import topics
from typing import Any

import numpy as np
from pictures import command_line, line_chart

import autograd_nn as ag
from autograd_nn import callbacks, layers, losses, ops

CONTEXT, WIDTH, HEADS, BLOCKS, BATCH = 128, 96, 3, 3, 8


def manual() -> str:
    """The topics of Python's help, each paragraph once: many topics quote others."""
    paragraphs = {" ".join(p.split()): p for topic in topics.values() for p in topic.split("\n\n")}
    return "\n\n".join(paragraphs.values())


class Place(layers.Layer):
    """Adds a learned vector for each place, so that order can be told."""

    def build(self, input_shape: Any) -> None:
        self.vectors = self.add_weight((CONTEXT, input_shape[-1]), "random_normal", name="vectors")

    def call(self, x: ag.Tensor) -> ag.Tensor:
        return x + self.vectors[: ops.shape(x)[1]]


def block(x: ag.Tensor) -> ag.Tensor:
    """Look back at what came before, then think about it."""
    y = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y, use_causal_mask=True)
    y = layers.LayerNormalization()(x)
    return x + layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(y))


def make(letters: int) -> ag.Model:
    """From letters (batch, time) to the logits of the next one after each: (batch, time, letters)."""
    seen = layers.Input((None,), dtype="int32")
    x = Place()(layers.Embedding(letters, WIDTH)(seen))
    for _ in range(BLOCKS):
        x = block(x)
    return ag.Model(seen, layers.Dense(letters)(layers.LayerNormalization()(x)))


def windows(text: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pieces from anywhere in the text, and the same moved on by one letter."""
    while True:
        starts = rng.integers(0, len(text) - CONTEXT, (BATCH, 1))
        piece = text[starts + np.arange(CONTEXT + 1)]
        yield piece[:, :-1], piece[:, 1:]


def counted(order: int, train: np.ndarray, test: np.ndarray, letters: int) -> float:
    """Bits per letter of `test` under the shares of each letter after `order` others in `train`."""

    def groups(text: np.ndarray) -> np.ndarray:
        return sum(text[order - k : len(text) - k] * letters ** (order - k) for k in range(order + 1))

    seen = np.bincount(groups(train), minlength=letters ** (order + 1)).reshape(letters, -1) + 0.05
    return float(-np.log2((seen / seen.sum(0)).ravel()[groups(test)]).mean())


def written(model: ag.Model, start: list[int], count: int, rng: np.random.Generator, warmth: float = 0.7) -> list[int]:
    """`start` and `count` more letters, each drawn from what the model expects next, the likely ones favoured."""
    text, window = list(start), np.zeros((1, CONTEXT), "int32")
    for _ in range(count):
        last = text[-CONTEXT:]
        window[0, : len(last)] = last
        logits = model.predict_on_batch(window)[0, len(last) - 1] / warmth
        text.append(int(np.argmax(logits + rng.gumbel(size=logits.shape))))
    return text


def main(seed: int = 0) -> None:
    quick, folder = command_line(__doc__)
    ag.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    text = manual()
    letters = sorted(set(text))
    places = {letter: k for k, letter in enumerate(letters)}
    numbers = np.array([places[letter] for letter in text])
    train, test = np.split(numbers, [len(numbers) * 9 // 10])

    model = make(len(letters))
    epochs, steps = (2, 3) if quick else (10, 150)
    rate = ag.optimizers.schedules.CosineDecay(0.0, epochs * steps, warmup_target=3e-3, warmup_steps=100)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(ag.optimizers.AdamW(rate, weight_decay=0.1, clipnorm=1.0), loss)
    held = test[: len(test) // (CONTEXT + 1) * (CONTEXT + 1)].reshape(-1, CONTEXT + 1)[: 2 if quick else None]
    told = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(f"epoch {epoch + 1:2d}: {logs['val_loss'] / np.log(2):.3f} bits")
    )
    given = {"epochs": epochs, "steps_per_epoch": steps, "validation_data": (held[:, :-1], held[:, 1:]), "verbose": 0}
    history = model.fit(windows(train, rng), callbacks=[told], **given).history

    sample = written(model, [places[c] for c in "The "], 20 if quick else 600, rng)
    print("".join(letters[k] for k in sample), "\n")
    million = np.arange(1, epochs + 1) * steps * BATCH * CONTEXT / 1e6
    pairs, triples = (counted(order, train, test, len(letters)) for order in (1, 2))
    unseen, training = (np.array(history[name]) / np.log(2) for name in ("val_loss", "loss"))
    bits = {"counting pairs": pairs, "counting triples": triples, "unseen text": unseen, "training": training}
    curves = {name: (million, values + np.zeros(epochs)) for name, values in bits.items()}
    title = f"Python's manual, the unseen part: {unseen[-1]:.2f} bits per letter"
    line_chart(folder / "char_gpt.svg", title, curves, "million letters read", "bits per letter")
    print(f"{unseen[-1]:.3f} bits per unseen letter; counting pairs {pairs:.3f}, triples {triples:.3f}")


if __name__ == "__main__":
    main()
