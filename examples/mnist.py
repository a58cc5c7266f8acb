"""The first model of the Keras chapter, on real MNIST: `python examples/mnist.py [--quick]`. Writes model.svg."""

import sys

from autograd_nn import layers, models, utils
from autograd_nn.datasets import mnist

QUICK = "--quick" in sys.argv
TRAINING, EPOCHS = (6_000, 1) if QUICK else (60_000, 5)

utils.set_random_seed(0)
(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
train_images = train_images[:TRAINING].reshape((-1, 784)).astype("float32") / 255
test_images = test_images.reshape((-1, 784)).astype("float32") / 255
train_labels = utils.to_categorical(train_labels[:TRAINING])
test_labels = utils.to_categorical(test_labels)

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
model.fit(train_images, train_labels, epochs=EPOCHS, batch_size=128)
loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}")

utils.plot_model(model, to_file="model.svg", show_shapes=True, show_layer_names=True)
print("the model as a picture: model.svg")
