"""What was measured as tables, and beside what was asked for."""

from __future__ import annotations

import math
import statistics
from typing import Any, NamedTuple

from .steps import OURS, peers
from .workloads import WORKLOADS

Report = dict[str, Any]
HEAD = [
    "workload", "contender", "median ms", "min ms", "first step s", "warm", "import to loss s", "warm", "peak MB",
    "above imports", "GFLOP/s", "of peak", "ours / this",
]  # fmt: skip


class Verdict(NamedTuple):
    """Something that was asked for, and what was found."""

    what: str
    found: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.found >= self.limit if self.at_least else self.found <= self.limit


def step_table(reports: Report, peak: dict[str, float]) -> list[list[str]]:
    """A row per workload and contender."""
    rows = [HEAD]
    for name, report in reports.items():
        for contender, row in report["rows"].items():
            rows.append([name, contender, *_cells(report, row, peak)])
    return rows


def _cells(report: Report, row: Report, peak: dict[str, float]) -> list[str]:
    if "median" not in row:
        return [f"failed: {row.get('error') or report.get('error')}"]
    start = [row.get("start", {}).get(state, {}) for state in ("empty", "warm")]
    seconds = [_number(s.get(key), 3) for key in ("first", "total") for s in start]
    rate = rate_of(report, row)
    share = rate / peak[str(report["threads"])] if rate else None
    ratio = ratio_to(report, row)
    return [
        f"{row['median']:.3f}", f"{row['minimum']:.3f}", *seconds, f"{row['memory']['peak']:.0f}",
        f"{row['memory']['above']:.0f}", _number(rate, 1), "" if share is None else f"{share:.0%}", _number(ratio, 2),
    ]  # fmt: skip


def _number(x: float | None, digits: int) -> str:
    return "" if x is None else f"{x:.{digits}f}"


def rate_of(report: Report, row: Report) -> float | None:
    """1e9 floating-point operations per second, by the median; None where there are none to count."""
    return report["flops"] / row["median"] / 1e6 if report["flops"] else None


def ratio_to(report: Report, row: Report) -> float | None:
    """Our step as a share of this one's: the median of the ratios of blocks that were timed one after the other."""
    ours = report["rows"].get(OURS, {})
    if "blocks" not in ours:
        return None
    return statistics.median(a / b for a, b in zip(ours["blocks"], row["blocks"]))


def shown(rows: list[list[str]], markdown: bool) -> str:
    """Rows as text in columns, or as a table of Markdown."""
    if markdown:
        width = len(rows[0])
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
        return "\n".join([lines[0], "|---" * width + "|", *lines[1:]])
    full = [row for row in rows if len(row) == len(rows[0])]
    widths = [max(map(len, column)) for column in zip(*full)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)


# --- what was asked for


def verdicts(result: Report) -> list[Verdict]:
    """Every target of which both sides were measured."""
    found = []
    for name, report in result["steps"].items():
        found += _step_verdicts(name, report, result["peak"])
    others = result["others"]
    for name, judge in _JUDGES.items():
        if name in others:
            found += judge(others[name]["rows"])
    return found


def _step_verdicts(name: str, report: Report, peak: dict[str, float]) -> list[Verdict]:
    w, rows = WORKLOADS[name], report["rows"]
    if OURS not in rows:
        return []
    ours = rows[OURS]
    if "median" not in ours:
        return [Verdict(f"{name}: it runs", math.nan, 0, "")]
    others = {c: rows[c] for c in peers(list(rows)) if "median" in rows[c]}
    found = []
    if w.target is not None and others:
        fastest = min(others, key=lambda c: others[c]["median"])
        ratio = ratio_to(report, others[fastest])
        assert ratio is not None
        found.append(Verdict(f"{name}: step, of {fastest}'s", ratio, w.target, ""))
    if w.share is not None:
        share = report["flops"] / ours["median"] / 1e6 / peak[str(report["threads"])]
        found.append(Verdict(f"{name}: share of the multiply-add peak", share, w.share, "", at_least=True))
    if "jax" in others and "start" in ours:
        limit = others["jax"]["start"]["empty"]["first"]
        first = ours["start"]["empty"]["first"]
        found.append(Verdict(f"{name}: first step with an empty cache, beside jax", first, limit, "s"))
    if "torch" in others and w.target is not None:
        limit = others["torch"]["memory"]["above"]
        found.append(Verdict(f"{name}: memory above imports, beside torch", ours["memory"]["above"], limit, "MB"))
    if name == "mlp_seed" and "start" in ours:
        total = ours["start"]["warm"]["total"]
        found.append(Verdict(f"{name}: import to first loss, warm cache", total, 0.5, "s"))
    return found


def _fit(rows: Report) -> list[Verdict]:
    ours, keras = rows.get(OURS, {}), rows.get("keras", {})
    if "warm" not in ours or "warm" not in keras:
        return []
    limit = keras["warm"]["seconds"] / 8
    apart = ours["warm"]["accuracy"] - keras["warm"]["accuracy"]
    return [
        Verdict("fit: wall time, an eighth of keras'", ours["warm"]["seconds"], limit, "s"),
        Verdict("fit: accuracy above keras'", apart, -0.01, "", at_least=True),
    ]


def _predict(rows: Report) -> list[Verdict]:
    ours = rows.get(OURS, {})
    return [Verdict(f"predict: {way}", ours[way]["median"], 100, "us") for way in ("model.predict(x)",) if way in ours]


def _resize(rows: Report) -> list[Verdict]:
    ours = rows.get(OURS, {})
    return [Verdict("resize: extra, once", ours["extra"], 5, "ms")] if "extra" in ours else []


def _import(rows: Report) -> list[Verdict]:
    ours = rows.get(OURS, {})
    return [Verdict("import autograd_nn", ours["median"], 0.4, "s")] if "median" in ours else []


def spread(costs: list[float]) -> float:
    """How far apart the costs of one unit of work are: the largest over the smallest."""
    return max(costs) / min(costs)


def _scaling(rows: Report) -> list[Verdict]:
    found = []
    for kind, sizes in rows.get(OURS, {}).items():
        if "error" not in sizes:
            costs = [size["minimum"] / size["flops"] for size in sizes]
            found.append(Verdict(f"scaling: {kind}, largest over smallest per unit", spread(costs), 1.25, ""))
    return found


def _nodes(rows: Report) -> list[Verdict]:
    sizes = rows.get(OURS, [])
    if not sizes or any("error" in size for size in sizes):
        return []
    costs = [size["first"] / size["nodes"] for size in sizes]
    return [Verdict("nodes: last over first, seconds per node", costs[-1] / costs[0], 1.25, "")]


_JUDGES = {
    "fit": _fit, "predict": _predict, "resize": _resize, "import": _import, "scaling": _scaling, "nodes": _nodes,
}  # fmt: skip


def verdict_table(found: list[Verdict]) -> list[list[str]]:
    """A row per target."""
    rows = [["target", "found", "limit", ""]]
    for v in found:
        sign = ">=" if v.at_least else "<="
        rows.append([v.what, f"{v.found:.3g} {v.unit}", f"{sign} {v.limit:.3g} {v.unit}", "met" if v.met else "MISSED"])
    return rows


def other_table(report: Report) -> list[list[str]]:
    """The figures of a measurement beside the steps, flattened: a row per contender and place."""
    rows = [["contender", "what", "figures"]]
    for contender, found in report["rows"].items():
        for place, figures in _flat(found):
            rows.append([contender, place, figures])
    return rows


def _flat(found: Any, place: str = "") -> list[tuple[str, str]]:
    if isinstance(found, list):
        return [pair for k, item in enumerate(found) for pair in _flat(item, f"{place} {k + 1}".strip())]
    if any(isinstance(value, (dict, list)) for value in found.values()):
        return [pair for key, value in found.items() for pair in _flat(value, f"{place} {key}".strip())]
    shown = (f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in found.items())
    return [(place, ", ".join(shown))]
