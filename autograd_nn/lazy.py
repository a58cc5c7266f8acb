"""Names of a package that are looked up when first used, so that importing the package stays light (PEP 562)."""

import importlib
from collections.abc import Callable
from typing import Any


def later(space: dict[str, Any], places: dict[str, str]) -> Callable[[str], Any]:
    """A module's `__getattr__`: each name in `places` comes from there, ".module" or ".module:name", on first use.

    space: the module's `globals()`

    >>> space = {"__name__": "autograd_nn", "__package__": "autograd_nn"}
    >>> later(space, {"checks": ".testing:gradcheck"})("checks").__name__
    'gradcheck'
    """

    def __getattr__(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {space['__name__']!r} has no attribute {name!r}")
        path, _, inside = places[name].partition(":")
        found = importlib.import_module(path, space["__package__"])
        space[name] = getattr(found, inside) if inside else found
        return space[name]

    return __getattr__
