"""One line per op, what the tests check of it: `python3 tools/op_table.py [NAME ...]`. Exits 1 where there is a gap.

order:   the highest order of derivative that is compared with differences, - where there is no gradient
layouts: memory layouts of the inputs that give the same values and gradients: F(ortran), s(trided), r(eversed)
sizes:   0 for inputs without axes, e for inputs without elements
errors:  how many inputs are seen to be refused
"""

from __future__ import annotations

import sys

from environment import enter


def main() -> int:
    """Print the table, of all ops or of those named."""
    enter("test")
    # The package can only be imported in the environment that was entered just now.
    from autograd_nn.engine.op import OPS
    from autograd_nn.errors import did_you_mean
    from autograd_nn.testing import Coverage, coverage

    def cells(c: Coverage) -> list[str]:
        order = "-" if c.order is None else str(c.order)
        layouts = "".join(name[0] for name in c.layouts) or "-"
        sizes = "".join(name[0] for name in c.sizes) or "-"
        return [c.name, c.family, c.rule, order, layouts, sizes, str(c.errors), c.emit, ", ".join(c.gaps)]

    unknown = [name for name in sys.argv[1:] if name not in OPS]
    if unknown:
        print(f"no op {unknown[0]!r}{did_you_mean(unknown[0], OPS)}", file=sys.stderr)
        return 2
    found = [coverage(OPS[name]) for name in sorted(sys.argv[1:] or OPS)]
    head = ["op", "family", "shape rule", "order", "layouts", "sizes", "errors", "emit", "gaps"]
    print_table([head, *map(cells, found)])
    gaps = sum(len(c.gaps) for c in found)
    differentiated, refused = sum(c.order is not None for c in found), sum(c.errors for c in found)
    print(f"\n{len(found)} ops, {differentiated} with a gradient, {refused} refused inputs, {gaps} gaps")
    return 1 if gaps else 0


def print_table(rows: list[list[str]]) -> None:
    """Print rows with their columns below each other; long cells are cut."""
    shown = [[cell if len(cell) <= 40 else cell[:37] + "..." for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown)]
    for row in shown:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
