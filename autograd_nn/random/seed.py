"""Seeds: where keys of random numbers come from."""

import itertools
import os
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.signatures import Checked, suggest_calls
from ..engine.tensor import Tensor
from ..engine.variable import Variable
from ..errors import ArgumentTypeError, short
from ..ops.random import philox

_WORD = 0xFFFFFFFF
# The last counter words of derived seeds, which no generator reaches.
_SEEDS = (_WORD, _WORD)
_NEXT_DRAW = np.array([0, 0, 0, 1], np.uint32)


class _Global:
    """The seed of the process, and how many seeds were drawn from it."""

    seed: int | None = None
    drawn = itertools.count()
    generator: "SeedGenerator | None" = None


def set_global_seed(seed: int) -> None:
    """Make every later unseeded generator deterministic: the same seed gives the same bits in every process.

    >>> from autograd_nn import random
    >>> random.set_global_seed(7)
    >>> a = random.uniform((2,)).tolist()
    >>> random.set_global_seed(7)
    >>> a == random.uniform((2,)).tolist()
    True
    """
    checked = _checked(seed, "set_random_seed")
    generator = global_generator()
    _Global.seed, _Global.drawn = checked, itertools.count()
    # The generator itself is kept: compiled programs hold its state.
    generator.state.assign(_state(make_seed()))


def global_state() -> dict[str, Any]:
    """The seed of the process, how many seeds were drawn from it, and the state of the generator behind `seed=None`."""
    place = next(_Global.drawn)
    _Global.drawn = itertools.count(place)
    return {"seed": _Global.seed, "drawn": place, "state": np.array(global_generator().state.value)}


def set_global_state(state: dict[str, Any]) -> None:
    """Go on as from the moment at which `global_state` gave this."""
    _Global.seed, _Global.drawn = state["seed"], itertools.count(state["drawn"])
    global_generator().state.assign(state["state"])


def make_seed(seed: int | None = None) -> int:
    """The seed given; else a new one, from the global seed if it was set, from the operating system if not.

    New seeds are below 2**53. Raises ArgumentTypeError for anything but an int.

    >>> from autograd_nn import random
    >>> random.make_seed(5)
    5
    """
    if seed is not None:
        return _checked(seed, "make_seed")
    if _Global.seed is None:
        return int.from_bytes(os.urandom(8), "little") >> 11
    place = next(_Global.drawn)
    counter = np.array([[place & _WORD], [place >> 32], [_SEEDS[0]], [_SEEDS[1]]], np.uint32)
    low, high = philox(counter, _state(_Global.seed)[:2])[:2, 0]
    return (int(high) << 32 | int(low)) >> 11


def _checked(seed: Any, what: str) -> int:
    if isinstance(seed, (bool, np.bool_)) or not hasattr(seed, "__index__"):
        hint = "; write SeedGenerator(...)" if seed is SeedGenerator else ""
        raise ArgumentTypeError(f"{what}: seed must be an int, a SeedGenerator or None, got {short(seed)}{hint}")
    return seed.__index__()


def _state(seed: int) -> np.ndarray:
    """The two words of a seed, stream 0, no draws yet."""
    return np.array([seed & _WORD, seed >> 32 & _WORD, 0, 0], np.uint32)


class SeedGenerator(metaclass=Checked):
    """A stream of random keys: each draw gives new bits, the same ones again for the same seed.

    seed:  an int, of which 64 bits count; None for a new one (see `make_seed`)
    state: Variable, uint32 of shape (4,): low and high word of the seed, the stream, the number of draws

    After 2**32 draws the keys come again.

    >>> from autograd_nn import random
    >>> generator = random.SeedGenerator(seed=1)
    >>> generator.next().tolist(), generator.next().tolist()
    ([1, 0, 0, 0], [1, 0, 0, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or "seed_generator"
        self.seed = make_seed(seed)
        self.state = Variable(_state(self.seed), trainable=False, name=f"{self.name}/state")

    def next(self, ordered: bool = True) -> Tensor:
        """The key of the next draw, uint32 of shape (4,); the state moves on.

        ordered: accepted for Keras; draws are always in order.
        """
        now = self.state.current()
        # A copy, since the state is about to be replaced; inside a trace every read stands for itself.
        key = now if now.is_symbolic else now.detach()
        self.state.assign(key + _NEXT_DRAW)
        return key

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        return cls(**config)

    def __repr__(self) -> str:
        return f"<SeedGenerator seed={self.seed}>"


def global_generator() -> SeedGenerator:
    """The generator behind `seed=None`."""
    if _Global.generator is None:
        _Global.generator = SeedGenerator(name="global_seed_generator")
    return _Global.generator


def draw_key(seed: int | SeedGenerator | None) -> Tensor:
    """The key for one draw: of a generator, or of an int, which gives the same key each time."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_generator().next()
    return as_tensor(_state(_checked(seed, "random")))


suggest_calls(globals())
