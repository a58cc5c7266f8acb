"""The sources of row programs: one row after the other, or many short rows at a time.

A long row is worked by loops over its elements. Of short rows, as many as fill some vectors lie side by side in
scratch, their first elements first: then a loop runs across the rows, and a sum needs no order of its own.

Scratch is there once per tile. Arguments: x0, x1, ... are read; y0, y1, ... results; the rest is scratch.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..machine.joins import JOINS
from ..machine.kernel import Kernel, build
from .loops import offsets
from .row_program import WHOLE, Node, Reduction, RowProgram

# Words of the geometry before the sizes of the outer axes: elements of a row, rows, rows or blocks of one tile.
HEAD = 3
# Rows side by side, and elements of which one sum is made in any order.
SIDE, PIECE = 32, 512
_EACH = {"c": " + {k}", "2": " + {k} * np.uint64(2)", "3": " + {k} * np.uint64(3)", "4": " + {k} * np.uint64(4)"}


class Layout(NamedTuple):
    """How arrays lie.

    outer:  axes before the row
    kinds:  of the reads: "n" is one number for all, "s" one for each row, "b..." the same row for all, "..." a row
            for each, where "..." is "c" for neighbours, a number for so many elements apart, or "g" for a step
    pieces: whether rows are so long that a sum is made of sums
    """

    outer: int
    kinds: tuple[str, ...]
    pieces: bool


class Made(NamedTuple):
    """A kernel, and its scratch arrays: dtype, whether they hold rows or numbers of rows, and how many per tile."""

    kernel: Kernel
    scratch: tuple[tuple[np.dtype[Any], bool, int], ...]


class _Writer:
    """What both ways share: arguments, and the lines of a section or of a loop's body."""

    def __init__(self, program: RowProgram, layout: Layout) -> None:
        self.program, self.layout = program, layout
        self.scratch: dict[str, tuple[np.dtype[Any], bool, int]] = {}
        self.names = {**program.names}
        for sums, _ in program.sections:
            for reduction in sums:
                self.names.update(reduction.rule.names)
        self.kind = {f"a{k}": kind for k, kind in enumerate(layout.kinds)}
        self.whole = {v for v in program.whole if self.kind.get(v, "c") not in ("n", "s")}
        self.result = {name: f"y{k}" for k, (name, _) in enumerate(program.results)}
        self.at = {f"a{k}": HEAD + layout.outer + k * (layout.outer + 1) for k in range(len(layout.kinds))}

    def made(self, lines: Sequence[str]) -> Made:
        """The kernel of these lines."""
        p, outer = self.program, self.layout.outer
        dtypes = [*(r.dtype for r in p.reads), *(p.dtypes[name] for name, _ in p.results)]
        names = [*(f"x{k}" for k in range(len(p.reads))), *(f"y{k}" for k in range(len(p.results))), *self.scratch]
        dtypes += [dtype for dtype, _, _ in self.scratch.values()]
        words = HEAD + outer + (outer + 1) * len(p.reads)
        return Made(build(lines, names, dtypes, words, self.names, p.note), tuple(self.scratch.values()))

    def head(self) -> list[str]:
        """The lines before all loops: sizes, steps, numbers that stay."""
        lines = ["n, rows, group = g[0], g[1], g[2]"]
        lines += [f"t_{a} = g[{self.at[a] + self.layout.outer}]" for a, kind in self.kind.items() if kind[-1:] == "g"]
        return lines + [f"{a} = {self.x(a)}[np.uint64(0)]" for a, kind in self.kind.items() if kind == "n"]

    def x(self, a: str) -> str:
        return f"x{a[1:]}"

    def starts(self) -> list[str]:
        """Lines that set `p_a` to the place where the row of each read begins."""
        moving = [a for a, kind in self.kind.items() if kind != "n" and kind[0] != "b"]
        return [line for a in moving for line in offsets(f"p_{a}", "row", self.layout.outer, HEAD, self.at[a])]

    def read(self, a: str, k: str) -> str:
        """Element k of the row of a read."""
        kind = self.kind[a]
        each = _EACH.get(kind[-1], f" + {{k}} * t_{a}").format(k=k)
        return f"{self.x(a)}[{each[3:] if kind[0] == 'b' else f'p_{a}{each}'}]"

    def body(self, nodes: Sequence[Node], load: Callable[[str], str | None]) -> list[str]:
        """The statements of nodes, each operand loaded before its first use where `load` has a place for it."""
        lines: list[str] = []
        there: set[str] = set()
        for node in nodes:
            for name in node.operands:
                place = load(name) if name not in there else None
                there.add(name)
                if place is not None:
                    lines.append(f"{name} = {place}")
            lines.append(f"{node.name} = {node.text}")
            there.add(node.name)
        return lines

    def kept(self) -> set[str]:
        """The elements of rows that are computed by a loop and read by a later one."""
        found: set[str] = set()
        for nodes in self.program.loops:
            own = {node.name for node in nodes}
            found |= {name for node in nodes for name in node.operands if name not in own}
        return {name for name in found if name in self.whole and name not in self.kind}


# --- one row after the other


def by_row(program: RowProgram, layout: Layout) -> Made:
    """The kernel that takes one row through the program, then the next."""
    return _ByRow(program, layout).write()


class _ByRow(_Writer):
    def write(self) -> Made:
        p = self.program
        rows = {name for name, way in p.results if way == WHOLE}
        self.place = {name: f"{self.result[name]}[o + {{k}}]" for name in rows}
        for name in sorted(self.kept() - rows, key=_number):
            self._scratch(name)
        inside = [
            *self.starts(),
            "o = row * n",
            *(f"{a} = {self.x(a)}[p_{a}]" for a, kind in self.kind.items() if kind == "s"),
        ]
        for k, (sums, numbers) in enumerate(p.sections):
            inside += self._loop(p.loops[k - 1], sums) if k else []
            inside += [f"{node.name} = {node.text}" for node in numbers]
        inside += [f"{self.result[name]}[row] = {name}" for name, way in p.results if way != WHOLE]
        lines = [
            *self.head(),
            "for tile in range(start, end):",
            *(["    q = tile * n"] if self.scratch else []),
            "    for row in range(tile * group, min(tile * group + group, rows)):",
            *_indent(2, inside),
        ]
        return self.made(lines)

    def _scratch(self, name: str) -> None:
        array = f"s{len(self.scratch)}"
        self.scratch[array] = self.program.dtypes[name], True, 1
        self.place[name] = f"{array}[q + {{k}}]"

    def _loop(self, nodes: Sequence[Node], sums: Sequence[Reduction]) -> list[str]:
        def load(name: str) -> str | None:
            if name not in self.whole:
                return None
            return self.read(name, "k") if name in self.kind else self.place[name].format(k="k")

        own = {node.name for node in nodes}
        lines = [f"{r.operand} = {load(r.operand)}" for r in sums if r.operand not in own and r.operand in self.whole]
        lines = [*dict.fromkeys(lines), *self.body(nodes, load)]
        lines += [f"{self.place[node.name].format(k='k')} = {node.name}" for node in nodes if node.name in self.place]
        if not self.layout.pieces or not sums:
            joined = [self._join(r, r.name, r.rule.term.format(r.operand)) for r in sums]
            starts = [f"{r.name} = {r.rule.start}" for r in sums]
            return [*starts, "for k in range(n):", *_indent(1, [*lines, *joined])] if lines or joined else []
        return [
            *(f"{r.name} = {r.rule.start}" for r in sums),
            f"for base in range(np.uint64(0), n, np.uint64({PIECE})):",
            *_indent(1, [f"part_{r.name} = {r.rule.start}" for r in sums]),
            f"    for k in range(base, min(base + np.uint64({PIECE}), n)):",
            *_indent(2, [*lines, *(self._join(r, f"part_{r.name}", r.rule.term.format(r.operand)) for r in sums)]),
            *_indent(1, [self._join(r, r.name, f"part_{r.name}") for r in sums]),
        ]

    def _join(self, reduction: Reduction, target: str, term: str) -> str:
        name = reduction.join
        if name in JOINS and reduction.rule.dtype.kind == "f":
            self.names[f"{name}_freely"] = JOINS[name]
            return f"{target} = {name}_freely({target}, {term})"
        return f"{target} = {reduction.rule.join.format(target, term)}"


# --- rows side by side


def across_rows(program: RowProgram, layout: Layout) -> Made:
    """The kernel that takes many short rows through the program at a time."""
    return _AcrossRows(program, layout).write()


class _AcrossRows(_Writer):
    def write(self) -> Made:
        p = self.program
        self.place: dict[str, str] = {}
        moved = [a for a, kind in self.kind.items() if kind not in ("n", "s") and kind[0] != "b"]
        numbers = [a for a, kind in self.kind.items() if kind == "s"]
        rows = [name for name, way in p.results if way == WHOLE]
        for name in [*moved, *sorted({*self.kept(), *rows} - self.kind.keys(), key=_number)]:
            self._keep(name, True)
        sums = [r.name for part, _ in p.sections for r in part]
        for name in [*numbers, *sums, *sorted(self._numbers_kept() - {*sums, *self.kind}, key=_number)]:
            self._keep(name, False)
        inside = [*self._enter(moved, numbers), *self._section(0)]
        for k in range(1, len(p.sections)):
            inside += [*self._loop(k), *self._section(k)]
        inside += self._leave()
        lines = [
            *self.head(),
            f"blocks, last = (rows + np.uint64({SIDE - 1})) // np.uint64({SIDE}), rows - np.uint64(1)",
            "for tile in range(start, end):",
            f"    q, w = tile * n * np.uint64({SIDE}), tile * np.uint64({SIDE})",
            "    for block in range(tile * group, min(tile * group + group, blocks)):",
            *_indent(2, [f"first = block * np.uint64({SIDE})", *inside]),
        ]
        return self.made(lines)

    def _keep(self, name: str, whole: bool) -> None:
        array = f"s{len(self.scratch)}"
        self.scratch[array] = self.program.dtypes[name], whole, SIDE
        self.place[name] = f"{array}[i + r]" if whole else f"{array}[w + r]"

    def _numbers_kept(self) -> set[str]:
        """Numbers of rows that are read outside of their section, or written."""
        p = self.program
        found = {name for name, way in p.results if way != WHOLE}
        found |= {name for nodes in p.loops for node in nodes for name in node.operands}
        for _, nodes in p.sections:
            own = {node.name for node in nodes}
            found |= {name for node in nodes for name in node.operands if name not in own}
        return {name for name in found if name not in self.whole and self.kind.get(name) != "n"}

    def _row(self, lines: Sequence[str], whole: Sequence[str]) -> list[str]:
        """Lines for each row of a block, and lines for each element of it; the last row stands for those behind."""
        side = f"np.uint64({SIDE})"
        each = ["for k in range(n):", *_indent(1, [f"i = q + k * {side}", *whole])] if whole else []
        return [f"for r in range({side}):", *_indent(1, ["row = min(first + r, last)", *lines, *each])]

    def _enter(self, moved: Sequence[str], numbers: Sequence[str]) -> list[str]:
        lines = [*self.starts(), *(f"{self.place[a]} = {self.x(a)}[p_{a}]" for a in numbers)]
        return self._row(lines, [f"{self.place[a]} = {self.read(a, 'k')}" for a in moved]) if lines else []

    def _leave(self) -> list[str]:
        results = self.program.results
        lines = [f"{self.result[name]}[row] = {self.place[name]}" for name, way in results if way != WHOLE]
        whole = [f"{self.result[name]}[row * n + k] = {self.place[name]}" for name, way in results if way == WHOLE]
        return self._row(lines, whole)

    def _section(self, k: int) -> list[str]:
        nodes = self.program.sections[k][1]
        if not nodes:
            return []
        lines = self.body(nodes, self.place.get)
        lines += [f"{self.place[node.name]} = {node.name}" for node in nodes if node.name in self.place]
        return [f"for r in range(np.uint64({SIDE})):", *_indent(1, lines)]

    def _loop(self, k: int) -> list[str]:
        nodes, sums = self.program.loops[k - 1], self.program.sections[k][0]
        same = {a for a, kind in self.kind.items() if kind[0] == "b"}
        reads = [*(name for node in nodes for name in node.operands), *(r.operand for r in sums)]
        shared = [f"{a} = {self.read(a, 'k')}" for a in dict.fromkeys(reads) if a in same]
        lines = self.body(nodes, lambda name: None if name in same else self.place.get(name))
        lines += [f"{self.place[node.name]} = {node.name}" for node in nodes if node.name in self.place]
        own = {node.name for node in nodes} | same
        lines += [self._joined(r, own) for r in sums]
        side = f"np.uint64({SIDE})"
        begin = [f"{self.place[r.name]} = {r.rule.start}" for r in sums]
        before = [f"for r in range({side}):", *_indent(1, begin)] if begin else []
        inside = [f"i = q + k * {side}", *shared, f"for r in range({side}):", *_indent(1, lines)]
        return [*before, "for k in range(n):", *_indent(1, inside)]

    def _joined(self, reduction: Reduction, own: set[str]) -> str:
        target, rule = self.place[reduction.name], reduction.rule
        name = reduction.operand
        operand = name if name in own else self.place.get(name, name)
        return f"{target} = {rule.join.format(target, rule.term.format(operand))}"


def _number(name: str) -> int:
    return int(name[1:])


def _indent(depth: int, lines: Sequence[str]) -> list[str]:
    return ["    " * depth + line for line in lines]
