"""What the compiled backend makes of one program, written into a folder: its kernels and its list of steps.

`python -m benchmarks.kernels NAME FOLDER [--ir] [--quick]`, in a process of its own, because kernels are shared within
a process.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_nn as ag
from autograd_nn import backends
from autograd_nn.backends.numba.machine.kernel import LIBRARY

from . import in_keras
from .workloads import WORKLOADS

Run = Callable[[], object]


def _array(*shape: int) -> Any:
    return np.linspace(0.1, 0.9, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def _gradient(f: Callable[..., Any], *arguments: Any) -> Run:
    run = ag.jit(ag.value_and_grad(f, argnums=tuple(range(len(arguments)))))
    return lambda: run(*arguments)


def _norm(x: Any, scale: Any) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True)
    return (centred / ag.ops.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * scale).sum()


OPS: dict[str, Callable[[], Run]] = {
    "op_elementwise": lambda: _gradient(lambda x, y: (ag.ops.tanh(x) * y + 1).sum(), _array(64, 64), _array(64)),
    "op_matmul": lambda: _gradient(lambda x, y: ag.ops.relu(x @ y).sum(), _array(33, 65), _array(65, 17)),
    "op_softmax": lambda: _gradient(lambda x: (ag.ops.softmax(x) * x).sum(), _array(64, 65)),
    "op_norm": lambda: _gradient(_norm, _array(64, 128), _array(128)),
    "op_gather": lambda: _gradient(lambda x: ag.ops.take(x, [3, 1, 3], axis=0).sum(), _array(5, 32)),
}
STEPS = tuple(name for name, w in WORKLOADS.items() if w.model != "chain")
NAMES = (*STEPS, *OPS)


def _program(name: str, quick: bool) -> Run:
    """One run of what is named."""
    if name in OPS:
        return OPS[name]()
    w = WORKLOADS[name].quick() if quick else WORKLOADS[name]
    made = in_keras.make(w, 1, "autograd_nn")
    return lambda: made.step(0)


def recorded() -> list[Any]:
    """From now on, gathers the programs that the compiled backend makes."""
    found: list[Any] = []
    compile_graph: Any = backends.BACKENDS["numba"]

    def compile_and_note(*given: Any) -> Any:
        found.append(compile_graph(*given))
        return found[-1]

    backends.BACKENDS["numba"] = compile_and_note
    return found


def steps(program: Any) -> str:
    """The list of a program's steps, without what differs from run to run."""
    lines: list[str] = program.explain().splitlines()
    return "\n".join(re.sub(r" \(\d+ from the disk, [\d.]+ s to make\)", "", line) for line in lines)


def file_name(kernel: Any) -> str:
    """A name from the kernel's note and its structure."""
    words = re.sub(r"[^a-z0-9]+", "_", kernel.note.lower()).strip("_")[:48]
    return f"{words}-{hashlib.sha256(kernel.source.encode()).hexdigest()[:8]}"


def write(name: str, folder: Path, ir: bool, quick: bool) -> None:
    """Run the program once and write its steps and kernels."""
    programs = recorded()
    ag.set_backend("numba")
    _program(name, quick)()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "steps.txt").write_text("\n\n".join(map(steps, programs)) + "\n", encoding="utf-8")
    for kernel in LIBRARY.kernels.values():
        (folder / f"{file_name(kernel)}.py").write_text(kernel.source, encoding="utf-8")
        if ir:
            (folder / f"{file_name(kernel)}.ll").write_text(_ir(kernel), encoding="utf-8")


def _ir(kernel: Any) -> str:
    text: str = kernel.ir
    return text if text.endswith("\n") else text + "\n"


def main() -> None:
    """Write the program that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ir", action="store_true")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    write(given.name, given.folder, given.ir, given.quick)


if __name__ == "__main__":
    main()
