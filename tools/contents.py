"""Prints README's table of what is in the library, from the library itself: python tools/contents.py [--write]."""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import autograd_nn as ag  # noqa: E402 - from this checkout

README = ROOT / "README.md"
BEGIN, END = "<!-- contents: tools/contents.py --write -->", "<!-- end of contents -->"
CALCULUS = ("grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp", "gradients", "checkpoint", "jit")


def offered(module: ModuleType) -> list[tuple[str, Any]]:
    """The public names of a room that are its own, aliases left out, in the order of the alphabet."""
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    pairs = [(name, getattr(module, name)) for name in names]
    own = [(name, v) for name, v in pairs if getattr(v, "__name__", None) == name and room(v) == room(module)]
    return sorted(own, key=lambda pair: pair[0].lower())


def room(thing: Any) -> str:
    """The room of the library that something comes from."""
    path: str = getattr(thing, "__module__", "") if not isinstance(thing, ModuleType) else thing.__name__
    return ".".join(path.split(".")[:2])


def classes(module: ModuleType) -> list[str]:
    """The classes that a room offers."""
    return [name for name, value in offered(module) if inspect.isclass(value)]


def functions(module: ModuleType) -> list[str]:
    """The functions that a room offers."""
    hidden = ("get", "serialize", "deserialize")
    return [name for name, value in offered(module) if inspect.isfunction(value) and name not in hidden]


def rows() -> list[tuple[str, str]]:
    """Each room and what is in it."""
    rooms = [
        ("layers", classes(ag.layers)),
        ("losses", classes(ag.losses)),
        ("metrics", classes(ag.metrics)),
        ("optimizers", classes(ag.optimizers)),
        ("schedules", classes(ag.optimizers.schedules)),
        ("callbacks", classes(ag.callbacks)),
        ("initializers", classes(ag.initializers)),
        ("activations", functions(ag.activations)),
        ("calculus", [*CALCULUS, "stop_gradient", "no_grad", "custom_op", "gradcheck"]),
    ]
    named = [(f"{room} ({len(names)})", ", ".join(names)) for room, names in rooms]
    # What is loaded when first used stands in `__all__` alone.
    names = {*dir(ag.ops), *ag.ops.__all__}
    ops = sorted(name for name in names if callable(getattr(ag.ops, name)) and name[0].islower())
    return [*named, (f"ops ({len(ops)})", "NumPy's and Keras' functions on tensors: " + ", ".join(ops))]


def table() -> str:
    """The table as Markdown; the long list of ops folded away."""
    *short, (ops, names) = rows()
    lines = ["| | |", "|---|---|", *(f"| {room} | {text} |" for room, text in short)]
    return "\n".join([*lines, "", f"<details><summary>{ops}</summary>", "", names, "", "</details>"])


def written(text: str) -> str:
    """The README with the table of today between its marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Print the table, or write it into the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it into README.md instead of printing it")
    if parser.parse_args().write:
        README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())


if __name__ == "__main__":
    main()
