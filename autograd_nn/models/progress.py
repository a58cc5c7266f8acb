"""The whole state of a training, to be written down and taken up again bit by bit."""

import random as python_random
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..callbacks.callback import Callback
from ..errors import ModelFileError
from ..random.seed import global_state, set_global_state
from . import fingerprint
from .data import Source
from .plain_state import Arrays, as_bytes, from_bytes, from_plain, to_plain

Logs = dict[str, Any]
_STATE = "state"


class Progress:
    """How far a call of `fit` has come: the trainer keeps it up to date, BackupAndRestore writes it and takes it up.

    epoch, batch: of the next step; logs: the results of the last one
    """

    def __init__(
        self,
        model: Any,
        source: Source,
        validation: Source | None,
        steps: int | None,
        callbacks: Sequence[Callback],
        epoch: int,
    ) -> None:
        self._model = model
        self._source = source
        self._validation = validation
        self._steps = steps
        self._callbacks = callbacks
        self._mark: dict[str, Any] | None = None
        self._resumed: tuple[Arrays, dict[str, Any]] | None = None
        self.epoch = epoch
        self.batch = 0
        self.logs: Logs = {}

    # --- the trainer's part

    def epochs(self, wanted: range) -> range:
        """The epochs that are left of those that `fit` was asked for."""
        if self._resumed is None:
            return wanted
        # Training that was told to stop in the middle of an epoch still ends that epoch.
        done = self._model.stop_training and not self.batch
        return range(self.epoch, self.epoch if done else wanted.stop)

    def resumes(self) -> bool:
        """Whether a state was taken up."""
        return self._resumed is not None

    def begin_epoch(self) -> tuple[int, Logs]:
        """The first step to run in an epoch that has begun, and the results so far."""
        if not self.batch:
            return 0, {}
        # What the callbacks and the trainer did to begin the epoch, they had done before.
        self._put()
        return self.batch, self.logs

    def reach(self, epoch: int, batch: int, logs: Logs) -> None:
        """Tell that all steps before this one are done."""
        self.epoch, self.batch, self.logs = epoch, batch, logs

    # --- writing

    def gather(self) -> Arrays:
        """Everything of which the rest of the training depends, as arrays by name."""
        model = self._model
        arrays: Arrays = {}
        for group, variables in self._variables().items():
            arrays.update({f"{group}/{k}": v.value for k, v in enumerate(variables)})
        state = {
            "mark": self._marked(),
            "epoch": self.epoch,
            "batch": self.batch,
            "logs": to_plain(self.logs, arrays, "logs", "logs"),
            "stop_training": bool(model.stop_training),
            "averages_are_in": bool(getattr(model.optimizer, "averages_are_in", False)),
            "source": self._source.get_state(),
            "validation": self._validation.get_state() if self._validation else None,
            "random": to_plain(_random_state(), arrays, "random", "the state of random numbers"),
            "callbacks": [_written(callback, arrays) for callback in self._callbacks],
        }
        return {**arrays, _STATE: as_bytes(state)}

    def _variables(self) -> dict[str, list[Any]]:
        model = self._model
        return {
            "model": model.variables,
            "optimizer": model.optimizer.variables if model.optimizer is not None else [],
            "metrics": list({id(v): v for metric in model.metrics for v in metric.variables}.values()),
        }

    def _marked(self) -> dict[str, Any]:
        if self._mark is None:
            found = fingerprint.of_training(self._model, self._source, self._validation, self._steps)
            self._mark = from_bytes(as_bytes(found))
        return self._mark

    # --- reading

    def resume(self, arrays: Arrays, name: str) -> None:
        """Take up the state that `gather` gave.

        name: of the file, for the message of the ModelFileError that is raised where the state is that of another
              training; nothing has changed then
        """
        try:
            state = from_bytes(arrays[_STATE])
            differs = fingerprint.difference(state["mark"], self._marked())
        except (KeyError, ValueError, TypeError, AttributeError):
            raise ModelFileError(
                f"{name} is not the backup of a training; give BackupAndRestore another folder"
            ) from None
        if differs:
            raise ModelFileError(
                f"{name} is the backup of another training ({differs}); to start anew remove it, to keep it give "
                "BackupAndRestore another folder"
            )
        self._resumed = arrays, state
        self.reach(state["epoch"], state["batch"], from_plain(state["logs"], arrays))
        # Generators draw what they had given before the random numbers are set to what came after.
        self._source.set_state(state["source"])
        if self._validation is not None:
            self._validation.set_state(state["validation"])
        self._put()

    def _put(self) -> None:
        assert self._resumed is not None
        arrays, state = self._resumed
        if self.batch and len(self._variables()["metrics"]) != sum(name.startswith("metrics/") for name in arrays):
            # Some metrics make their state when they see the first batch.
            self._model.make_train_function()(self._source.first())
        for group, variables in self._variables().items():
            if group == "metrics" and not self.batch:
                continue
            for k, variable in enumerate(variables):
                variable.assign(arrays[f"{group}/{k}"])
        self._model.stop_training = state["stop_training"]
        if self._model.optimizer is not None:
            self._model.optimizer.averages_are_in = state["averages_are_in"]
        _restore_callbacks(self._callbacks, state["callbacks"], arrays)
        _set_random_state(from_plain(state["random"], arrays))


def _written(callback: Callback, arrays: Arrays) -> list[Any]:
    kind = type(callback).__name__
    get_state = getattr(callback, "get_state", dict)
    return [kind, to_plain(get_state(), arrays, "callbacks", f"get_state of {kind}")]


def _restore_callbacks(callbacks: Sequence[Callback], written: list[Any], arrays: Arrays) -> None:
    """Each callback gets the state of its class; of several, each in its turn."""
    left = list(written)
    for callback in callbacks:
        found = next((item for item in left if item[0] == type(callback).__name__), None)
        if found is None:
            continue
        left.remove(found)
        state = from_plain(found[1], arrays)
        if state:
            callback.set_state(state)


def _random_state() -> dict[str, Any]:
    version, words, gauss = python_random.getstate()
    kind, keys, place, has_gauss, cached = np.random.get_state()
    return {
        "own": global_state(),
        "python": (version, np.array(words, np.uint64), gauss),
        "numpy": (kind, keys, int(place), int(has_gauss), float(cached)),
    }


def _set_random_state(state: dict[str, Any]) -> None:
    set_global_state(state["own"])
    version, words, gauss = state["python"]
    python_random.setstate((version, tuple(map(int, words)), gauss))
    np.random.set_state(state["numpy"])
