"""Two models against each other: handwritten digits out of noise (Goodfellow et al. 2014; Radford et al. 2015).

The generator makes images of 64 random numbers; the discriminator learns to tell them from MNIST, and the generator
learns to be taken for MNIST. `train_step` holds the game, and `fit` runs it as one compiled program. Nobody tells the
generator what a digit is or that there are ten. A classifier trained on MNIST judges 1,000 of its samples at the end.
Result to expect: all ten digits, most samples with a probability over 0.9. Writes gan.svg.
"""

import numpy as np
from pictures import command_line, image_sheet

import autograd_nn as ag
from autograd_nn import layers, losses, models, ops, optimizers, utils
from autograd_nn.datasets import mnist

NOISE, CONFIDENT, SAMPLES = 64, 0.9, 1000


def make_generator() -> models.Sequential:
    """From noise to an image of 28 x 28 pixels between 0 and 1: two transposed convolutions."""
    generator = models.Sequential(name="generator")
    generator.add(layers.Dense(7 * 7 * 64, use_bias=False, input_shape=(NOISE,)))
    generator.add(layers.BatchNormalization(momentum=0.9))
    generator.add(layers.ReLU())
    generator.add(layers.Reshape((7, 7, 64)))
    generator.add(layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False))
    generator.add(layers.BatchNormalization(momentum=0.9))
    generator.add(layers.ReLU())
    generator.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"))
    return generator


def make_discriminator() -> models.Sequential:
    """From an image to one number: above zero for "real"."""
    discriminator = models.Sequential(name="discriminator")
    discriminator.add(layers.Conv2D(32, 4, strides=2, padding="same", input_shape=(28, 28, 1)))
    discriminator.add(layers.LeakyReLU(negative_slope=0.2))
    discriminator.add(layers.Conv2D(64, 4, strides=2, padding="same", use_bias=False))
    discriminator.add(layers.BatchNormalization())
    discriminator.add(layers.LeakyReLU(negative_slope=0.2))
    discriminator.add(layers.Flatten())
    discriminator.add(layers.Dense(1))
    return discriminator


class Game(models.Model):
    """Both models; a training step moves each of them against the other."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = make_generator(), make_discriminator()
        self.verdict = losses.BinaryCrossentropy(from_logits=True)
        # The samples are drawn with a moving average of the generator's weights: calmer than its last step.
        self.g_optimizer = optimizers.Adam(5e-4, beta_1=0.5, use_ema=True, ema_momentum=0.998)
        self.d_optimizer = optimizers.Adam(5e-4, beta_1=0.5)

    def train_step(self, real: ag.Tensor) -> dict[str, ag.Tensor]:
        """One step of the discriminator and one of the generator, from the same images."""
        fake = self.generator(ag.random.normal((ops.shape(real)[0], NOISE)), training=True)
        on_real, on_fake = self.discriminator(real, training=True), self.discriminator(fake, training=True)
        yes, no = ops.ones_like(on_real), ops.zeros_like(on_fake)
        d_loss = self.verdict(0.9 * yes, on_real) + self.verdict(no, on_fake)
        g_loss = self.verdict(yes, on_fake)
        moves = []
        for model, optimizer, loss in (
            (self.discriminator, self.d_optimizer, d_loss),
            (self.generator, self.g_optimizer, g_loss),
        ):
            moves.append((optimizer, ag.gradients(loss, model.trainable_variables), model.trainable_variables))
        for optimizer, gradients, variables in moves:
            optimizer.apply(gradients, variables)
        return {"discriminator": d_loss, "generator": g_loss}


def make_judge(images: np.ndarray, labels: np.ndarray, epochs: int) -> models.Sequential:
    """A convnet that reads digits."""
    judge = models.Sequential(name="judge")
    judge.add(layers.Conv2D(16, 5, strides=2, activation="relu", input_shape=(28, 28, 1)))
    judge.add(layers.Conv2D(32, 3, strides=2, activation="relu"))
    judge.add(layers.Flatten())
    judge.add(layers.Dense(128, activation="relu"))
    judge.add(layers.Dense(10, activation="softmax"))
    judge.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    judge.fit(images, labels, epochs=epochs, batch_size=128, verbose=2)
    return judge


def main() -> None:
    quick, folder = command_line(__doc__)
    utils.set_random_seed(0)
    (images, labels), (test_images, test_labels) = mnist.load_data()
    count, epochs = (1280, 1) if quick else (60_000, 10)
    images, test_images = (x[..., None].astype("float32") / 255 for x in (images[:count], test_images))

    game = Game()
    game.compile(optimizer=None)
    game.fit(images, epochs=epochs, batch_size=64, verbose=2)
    game.g_optimizer.finalize_variable_values(game.generator.trainable_variables)
    noise = np.random.default_rng(0).normal(size=(SAMPLES, NOISE)).astype("float32")
    samples = game.generator.predict(noise, verbose=0)

    judge = make_judge(images, labels[:count], 1 if quick else 4)
    _, accuracy = judge.evaluate(test_images, test_labels, verbose=0)
    chances = judge.predict(samples, verbose=0)
    digits, sure = chances.argmax(axis=1), chances.max(axis=1) > CONFIDENT
    found = np.bincount(digits[sure], minlength=10)
    print(f"the judge reads {accuracy:.2%} of the test set")
    print(f"{sure.mean():.1%} of {SAMPLES} samples are digits with a probability over {CONFIDENT}:")
    print("  ".join(f"{digit}: {n}" for digit, n in enumerate(found)))
    title = "Digits that nobody wrote: the first 100 samples of the generator"
    image_sheet(folder / "gan.svg", title, samples[:100, ..., 0], columns=20, zoom=1.4)
    if not quick and found.min() < 10:
        raise SystemExit("a digit is missing: fewer than 10 confident samples")


if __name__ == "__main__":
    main()
