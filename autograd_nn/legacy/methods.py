"""Methods and attributes of models and optimizers that Keras has given up."""

from typing import Any

import numpy as np

from ..errors import deprecated

OF_MODELS = ("fit_generator", "evaluate_generator", "predict_generator", "predict_classes", "predict_proba")


def fit_generator(
    self: Any,
    generator: Any,
    steps_per_epoch: int | None = None,
    epochs: int = 1,
    verbose: Any = 1,
    callbacks: Any = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    validation_freq: Any = 1,
    class_weight: dict[int, float] | None = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    shuffle: bool = True,
    initial_epoch: int = 0,
    nb_epoch: int | None = None,
) -> Any:
    """`fit` on a generator, by its old name; the three arguments about queues have no effect.

    >>> import warnings
    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> model = ag.Sequential([ag.layers.Dense(1, input_shape=(2,))])
    >>> model.compile(loss="mse")
    >>> batches = ((np.ones((4, 2)), np.ones((4, 1))) for _ in range(2))
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     history = model.fit_generator(batches, steps_per_epoch=2, verbose=0)
    >>> history.epoch
    [0]
    """
    deprecated("fit_generator", "use fit, which takes generators too")
    return self.fit(
        generator,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs if nb_epoch is None else nb_epoch,
        verbose=verbose,
        callbacks=callbacks,
        validation_data=validation_data,
        validation_steps=validation_steps,
        validation_freq=validation_freq,
        class_weight=class_weight,
        shuffle=shuffle,
        initial_epoch=initial_epoch,
    )


def evaluate_generator(
    self: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    verbose: Any = 0,
) -> Any:
    """`evaluate` on a generator, by its old name."""
    deprecated("evaluate_generator", "use evaluate, which takes generators too")
    return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)


def predict_generator(
    self: Any,
    generator: Any,
    steps: int | None = None,
    callbacks: Any = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    verbose: Any = 0,
) -> Any:
    """`predict` on a generator, by its old name."""
    deprecated("predict_generator", "use predict, which takes generators too")
    return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)


def predict_classes(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
    """The class of each sample: the largest output, or for one output whether it is above 0.5."""
    deprecated("predict_classes", "use np.argmax(model.predict(x), axis=-1), or model.predict(x) > 0.5 for one output")
    found = self.predict(x, batch_size=batch_size, verbose=verbose)
    return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: Any = 0) -> np.ndarray:
    """`predict`, by its old name."""
    deprecated("predict_proba", "use predict")
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def _get_lr(self: Any) -> Any:
    deprecated("optimizer.lr", "use optimizer.learning_rate")
    return self.learning_rate


def _set_lr(self: Any, value: Any) -> None:
    deprecated("optimizer.lr", "use optimizer.learning_rate")
    self.learning_rate = value


lr = property(_get_lr, _set_lr)
