"""Which weights are trained: as `compile` found them, until it is called again."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Flags:
    """What was trainable at one moment, by layer and by variable.

    `compile` freezes these: a discriminator compiled first and then set to `trainable = False` inside a GAN is still
    trained on its own.
    """

    def __init__(self, model: Any) -> None:
        self._layers = [(layer, layer._trainable) for layer in model._flatten_layers()]
        self._variables = [(v, v.trainable, v.requires_grad) for v in model.variables]
        self._warned = False

    def _changed(self) -> list[str]:
        return [layer.name for layer, flag in self._layers if layer._trainable != flag]

    def warn_of_changes(self) -> None:
        """Warn once of layers frozen or thawed since."""
        names = self._changed()
        if names and not self._warned:
            self._warned = True
            warnings.warn(
                f"trainable of {', '.join(map(repr, names[:3]))}{' ...' if names[3:] else ''} was changed after "
                "compile(); training goes on as it was then: call compile() again for the change to count",
                stacklevel=5,
            )

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, everything is as trainable as it was."""
        if not self._changed() and all(v.trainable == flag for v, flag, _ in self._variables):
            yield
            return
        now_layers = [(layer, layer._trainable) for layer, _ in self._layers]
        now_variables = [(v, v.trainable, v.requires_grad) for v, _, _ in self._variables]
        try:
            _set(self._layers, self._variables)
            yield
        finally:
            _set(now_layers, now_variables)


def _set(layers: list[tuple[Any, bool]], variables: list[tuple[Any, bool, bool]]) -> None:
    for layer, flag in layers:
        layer._trainable = flag
    for variable, trainable, requires_grad in variables:
        variable.trainable, variable.requires_grad = trainable, requires_grad
