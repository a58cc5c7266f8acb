"""A network that learns to use a tape, and copies sequences longer than any it saw.

The neural Turing machine of Graves, Wayne and Danihelka (2014, https://arxiv.org/abs/1410.5401): a small network with
no memory of its own steers a read head and a write head over a tape. Every motion is soft, so all of it is learned from
one wish: here is a sequence, give it back. It trains on at most 10 steps of 8 bits. Result to expect: sequences of 20
and of 30 come back with less than 1 % of the bits wrong, for what it learned is a procedure: write each step one cell
on, return to the start, read one cell on at a time. The picture shows the heads do so. Writes ntm.svg.
"""

from itertools import count
from typing import Any

import numpy as np
from pictures import command_line, image_sheet

import autograd_nn as ag
from autograd_nn import layers, ops

BITS, CELLS, WIDTH, HIDDEN, LONGEST = 8, 40, 12, 64, 10
PANELS = ("heard", "the write head", "said", "the read head")


class TuringCell(layers.Layer):
    """One step: write, read, answer. States: the memory, what was read last, and where each head stands.

    Inputs: (batch, features). Output: (batch, BITS + 2 * CELLS), the answer and the weights of the two heads.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = [(CELLS, WIDTH), WIDTH, CELLS, CELLS]
        self.output_size = BITS + 2 * CELLS
        self.controller = layers.Dense(HIDDEN, activation="tanh")
        self.reader = layers.Dense(WIDTH + 6)
        self.writer = layers.Dense(WIDTH + 6 + 2 * WIDTH)
        self.answer = layers.Dense(BITS, activation="sigmoid")

    def build(self, input_shape: Any) -> None:
        self.controller.build((None, input_shape[-1] + WIDTH))
        self.reader.build((None, HIDDEN))
        self.writer.build((None, HIDDEN))
        self.answer.build((None, HIDDEN + WIDTH))

    def get_initial_state(self, batch_size: Any = None) -> list[ag.Tensor]:
        """A blank tape, both heads at its first cell."""
        first = ops.broadcast_to(ops.one_hot(0, CELLS), (batch_size, CELLS))
        return [ops.full((batch_size, CELLS, WIDTH), 1e-6), ops.zeros((batch_size, WIDTH)), first, first]

    def call(self, inputs: ag.Tensor, states: list[ag.Tensor]) -> tuple[ag.Tensor, list[ag.Tensor]]:
        memory, heard, reading, writing = states
        hidden = self.controller(ops.concatenate([inputs, heard], axis=-1))
        orders, erase, add = ops.split(self.writer(hidden), [WIDTH + 6, 2 * WIDTH + 6], axis=-1)
        writing = self.aim(orders, memory, writing)
        where, erase, add = writing[:, :, None], ops.sigmoid(erase)[:, None, :], ops.tanh(add)[:, None, :]
        memory = memory * (1 - where * erase) + where * add
        reading = self.aim(self.reader(hidden), memory, reading)
        heard = ops.sum(reading[:, :, None] * memory, axis=1)
        answer = self.answer(ops.concatenate([hidden, heard], axis=-1))
        return ops.concatenate([answer, reading, writing], axis=-1), [memory, heard, reading, writing]

    def aim(self, orders: ag.Tensor, memory: ag.Tensor, before: ag.Tensor) -> ag.Tensor:
        """Where a head looks next: at what is like its key, or where it was, then moved, then focused (section 3.3)."""
        key, strength, gate, moves, focus = ops.split(orders, [WIDTH, WIDTH + 1, WIDTH + 2, WIDTH + 5], axis=-1)
        key, gate, moves = ops.tanh(key), ops.sigmoid(gate), ops.softmax(moves)
        lengths = ops.sqrt(ops.sum(memory**2, axis=-1) * ops.sum(key**2, axis=-1, keepdims=True) + 1e-6)
        likeness = ops.sum(memory * key[:, None, :], axis=-1) / lengths
        looked = gate * ops.softmax(ops.softplus(strength) * likeness) + (1 - gate) * before
        moved = sum(moves[:, k : k + 1] * ops.roll(looked, k - 1, axis=1) for k in range(3))
        sharp = (moved + 1e-8) ** (1 + ops.softplus(focus))
        return sharp / ops.sum(sharp, axis=-1, keepdims=True)


def batch_of(length: int, size: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Bits as -1 and 1 between two signs, "listen" and "speak", then silence; the bits; the weight of each step."""
    bits, steps = rng.integers(0, 2, (size, length, BITS)), 2 * length + 2
    x, y, counts = (np.zeros((size, steps, *last), "float32") for last in ((BITS + 2,), (BITS,), ()))
    x[:, 0, BITS] = x[:, length + 1, BITS + 1] = 1
    x[:, 1 : length + 1, :BITS] = 2 * bits - 1
    y[:, length + 2 :] = bits
    counts[:, length + 2 :] = 1
    return x, y, counts


def traced(machine: ag.Model, length: int, rng: np.random.Generator) -> np.ndarray:
    """What is heard, where it is written, what is said, where it is read: four images, time to the right."""
    x, _, counts = batch_of(length, 1, rng)
    said, reading, writing = np.split(machine.predict(x, verbose=0)[0], [BITS, BITS + CELLS], axis=1)
    said = np.pad(np.where(counts[0][:, None] > 0, 0.2 + 0.8 * said, 0), ((0, 0), (0, 2)))
    heard, said = (np.repeat(bits.T, CELLS // (BITS + 2), axis=0) for bits in (np.where(x[0] < 0, 0.2, x[0]), said))
    images = np.array([heard, writing.T, said, reading.T])
    images = np.kron(np.pad(images, ((0, 0), (0, 0), (0, 4 * LONGEST - 2 * length))), np.ones((6, 6)))
    images[:, [0, -1]] = images[:, :, [0, -1]] = 0.4
    return images


def main(seed: int = 0) -> None:
    quick, folder = command_line(__doc__)
    ag.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    inputs = layers.Input((None, BITS + 2))
    trace = layers.RNN(TuringCell(), return_sequences=True)(inputs)
    machine, model = ag.Model(inputs, trace), ag.Model(inputs, trace[:, :, :BITS])
    rate = ag.optimizers.schedules.CosineDecay(1e-3, 5000)
    model.compile(ag.optimizers.Adam(rate, clipnorm=1.0), loss="binary_crossentropy")
    lessons = (batch_of(int(rng.integers(1, LONGEST + 1)), 32, rng) for _ in count())
    model.fit(lessons, epochs=1 if quick else 20, steps_per_epoch=4 if quick else 250, verbose=2)

    wrong = {}
    for length in (LONGEST, 2 * LONGEST, 3 * LONGEST):
        x, y, counts = batch_of(length, 500, rng)
        wrong[length] = np.mean((model.predict(x, verbose=0) > 0.5) != y, where=counts[:, :, None] > 0)
    images = np.concatenate([traced(machine, length, rng) for length in (LONGEST, 2 * LONGEST)])
    captions = [f"{length} steps: {what}" for length in (LONGEST, 2 * LONGEST) for what in PANELS]
    title = f"Trained on at most {LONGEST} steps, it copies {2 * LONGEST}. Time runs to the right"
    image_sheet(folder / "ntm.svg", title, images, 4, captions, zoom=1)
    print("bits wrong: " + ", ".join(f"{share:.2%} at {length} steps" for length, share in wrong.items()))


if __name__ == "__main__":
    main()
