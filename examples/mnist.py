"""Handwritten digits, the first model of the Keras chapter, and the convnet that follows it.

Result to expect: 95.5 % of the test set for the dense model, over 99 % for the convnet.
Writes mnist_model.svg, the dense model, and mnist_misread.svg, digits that the convnet misread.
"""

import numpy as np
from pictures import command_line, image_sheet

from autograd_nn import layers, models, utils
from autograd_nn.datasets import mnist

quick, folder = command_line(__doc__)
count = 2_000 if quick else 60_000
utils.set_random_seed(0)

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
train_images = train_images[:count].astype("float32") / 255
test_images = test_images.astype("float32") / 255
train_labels = utils.to_categorical(train_labels[:count])
test_targets = utils.to_categorical(test_labels)

# A model is a list of layers ...
model = models.Sequential()
model.add(layers.Dense(32, activation="relu", input_shape=(784,)))
model.add(layers.Dense(10, activation="softmax"))

# ... or a function of its input. Both are the same model; the second is trained here.
input_tensor = layers.Input(shape=(784,))
x = layers.Dense(32, activation="relu")(input_tensor)
output_tensor = layers.Dense(10, activation="softmax")(x)
model = models.Model(inputs=input_tensor, outputs=output_tensor)
model.summary()

model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_images.reshape(-1, 784), train_labels, epochs=1 if quick else 5, batch_size=128, verbose=2)
loss, accuracy = model.evaluate(test_images.reshape(-1, 784), test_targets, verbose=0)
print(f"dense model: test accuracy {accuracy:.4f}, loss {loss:.4f}")
utils.plot_model(model, to_file=folder / "mnist_model.svg", show_shapes=True, show_layer_names=True)

# The convnet sees where pixels are: it shifts small filters over the image.
convnet = models.Sequential()
convnet.add(layers.Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)))
convnet.add(layers.MaxPooling2D(2))
convnet.add(layers.Conv2D(64, 3, activation="relu"))
convnet.add(layers.MaxPooling2D(2))
convnet.add(layers.Flatten())
convnet.add(layers.Dense(128, activation="relu"))
convnet.add(layers.Dropout(0.5))
convnet.add(layers.Dense(10, activation="softmax"))

convnet.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
convnet.fit(train_images[..., None], train_labels, epochs=1 if quick else 8, batch_size=128, verbose=2)
loss, accuracy = convnet.evaluate(test_images[..., None], test_targets, verbose=0)
print(f"convnet: test accuracy {accuracy:.4f}, loss {loss:.4f}")

chances = convnet.predict(test_images[..., None], verbose=0)
read = chances.argmax(axis=1)
misread = np.flatnonzero(read != test_labels)
worst = misread[np.argsort(-chances[misread].max(axis=1))][:40]
captions = [f"{label}, not {guess}" for label, guess in zip(test_labels[worst], read[worst])]
title = f"{len(misread)} of {len(read):,} digits misread by the convnet; those of which it was most sure"
image_sheet(folder / "mnist_misread.svg", title, test_images[worst], columns=10, captions=captions)
if not quick and accuracy < 0.99:
    raise SystemExit("expected at least 99 % of the test set")
