"""A model with three inputs and three outputs: it reads two digits and an operator, and says what comes out.

The inputs are two MNIST images and the number of an operator (+, − or ×); the outputs are what the left and the right
digit are, and the result. One convnet reads both images: a layer that is called twice has one set of weights. The
losses are a dict by the names of the outputs. Test problems use digits of the test set.
Result to expect: over 98 % of the digits and 97 % of the results right.
Writes functional_multi.svg, problems with the model's answers, and functional_multi_model.svg, the model.
"""

from pathlib import Path

import numpy as np
from pictures import command_line, image_sheet

from autograd_nn import layers, models, utils
from autograd_nn.datasets import mnist

SIGNS = "+−×"
LOWEST = -9
Arrays = dict[str, np.ndarray]


def make_reader() -> models.Sequential:
    """A convnet from an image to 64 features."""
    reader = models.Sequential(name="reader")
    reader.add(layers.Conv2D(16, 5, strides=2, activation="relu", input_shape=(28, 28, 1)))
    reader.add(layers.Conv2D(32, 3, strides=2, activation="relu"))
    reader.add(layers.Flatten())
    reader.add(layers.Dense(64, activation="relu"))
    return reader


def make_model() -> models.Model:
    """Inputs left, right and sign; outputs of the same names for the digits, and the result as one of 91 classes."""
    left = layers.Input(shape=(28, 28, 1), name="left_image")
    right = layers.Input(shape=(28, 28, 1), name="right_image")
    sign = layers.Input(shape=(), dtype="int32", name="sign")
    reader = make_reader()
    left_digit = layers.Dense(10, activation="softmax", name="left")(reader(left))
    right_digit = layers.Dense(10, activation="softmax", name="right")(reader(right))
    meaning = layers.Embedding(3, 8)(sign)
    x = layers.Concatenate()([left_digit, right_digit, meaning])
    x = layers.Dense(256, activation="relu")(x)
    result = layers.Dense(81 - LOWEST + 1, activation="softmax", name="result")(x)
    return models.Model(inputs=[left, right, sign], outputs=[left_digit, right_digit, result])


def make_problems(images: np.ndarray, labels: np.ndarray, count: int, seed: int) -> tuple[Arrays, Arrays]:
    """Random pairs of digits with a random operator, and the answers."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(images), (2, count))
    sign = rng.integers(0, 3, count).astype("int32")
    a, b = labels[first].astype("int32"), labels[second].astype("int32")
    result = np.choose(sign, [a + b, a - b, a * b])
    x = {"left_image": images[first], "right_image": images[second], "sign": sign}
    return x, {"left": a, "right": b, "result": result - LOWEST}


def draw(file: Path, x: Arrays, answers: list[np.ndarray], wrong: np.ndarray) -> None:
    """Problems as pictures, each with what the model read and reckoned below, in red where the result is wrong."""
    pairs = np.concatenate([x["left_image"], x["right_image"]], axis=2)[..., 0]
    captions = [
        f"{'!' if miss else ''}{a} {SIGNS[sign]} {b} = {'−' if c < 0 else ''}{abs(c)}"
        for a, b, c, sign, miss in zip(*answers, x["sign"], wrong)
    ]
    title = "Two digits and an operator: what the model reads and reckons (red: wrong)"
    image_sheet(file, title, pairs, columns=8, captions=captions, zoom=1.5)


def main() -> None:
    quick, folder = command_line(__doc__)
    utils.set_random_seed(0)
    (images, labels), (test_images, test_labels) = mnist.load_data()
    images, test_images = (x[..., None].astype("float32") / 255 for x in (images, test_images))
    x, y = make_problems(images, labels, 4_000 if quick else 120_000, seed=1)
    test_x, test_y = make_problems(test_images, test_labels, 10_000, seed=2)

    model = make_model()
    utils.plot_model(model, folder / "functional_multi_model.svg", show_shapes=True, show_layer_names=True)
    model.compile(
        optimizer="adam",
        loss=dict.fromkeys(y, "sparse_categorical_crossentropy"),
        loss_weights={"left": 0.5, "right": 0.5, "result": 1.0},
        metrics=dict.fromkeys(y, "accuracy"),
    )
    model.fit(x, y, epochs=1 if quick else 6, batch_size=128, verbose=2)

    scores = model.evaluate(test_x, test_y, verbose=0, return_dict=True)
    print("test accuracy: " + ", ".join(f"{name} {scores[f'{name}_accuracy']:.4f}" for name in y))
    left, right, result = (chances.argmax(axis=1) for chances in model.predict(test_x, batch_size=500, verbose=0))
    wrong = result != test_y["result"]
    # Mostly right answers, and a few of the wrong ones.
    k = np.concatenate([np.flatnonzero(~wrong)[:32], np.flatnonzero(wrong)[:8]])
    shown = {name: array[k] for name, array in test_x.items()}
    draw(folder / "functional_multi.svg", shown, [left[k], right[k], result[k] + LOWEST], wrong[k])
    if not quick and wrong.mean() > 0.05:
        raise SystemExit("expected at least 95 % of the results right")


if __name__ == "__main__":
    main()
