"""Lines of the project by room: `python3 tools/loc.py`. Code counts apart from blank lines, comments and docstrings."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

from environment import ROOT

PACKAGE = ROOT / "autograd_nn"
OTHERS = ("tests", "tools", "examples")
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def docstring_lines(tree: ast.Module) -> set[int]:
    """The numbers of the lines that docstrings fill."""
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    first = [body[0] for body in bodies if body]
    texts = [node for node in first if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    return {line for node in texts for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def count(file: Path) -> Counter[str]:
    """Files, lines, and lines of code of one file."""
    text = file.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    spans = [range(t.start[0], t.end[0] + 1) for t in tokens if t.type not in SILENT]
    code = {line for span in spans for line in span} - docstring_lines(ast.parse(text))
    return Counter(files=1, lines=len(text.splitlines()), code=len(code))


def rooms() -> dict[str, list[Path]]:
    """The Python files of each room of the package, and of each folder beside it."""
    found: dict[str, list[Path]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        found.setdefault(file.relative_to(PACKAGE).with_suffix("").parts[0], []).append(file)
    beside = {f"{name}/": sorted((ROOT / name).rglob("*.py")) for name in OTHERS}
    return {**dict(sorted(found.items())), **beside}


def main() -> None:
    """Print the table, and the longest file of each room."""
    print(f"{'room':<16}{'files':>7}{'lines':>8}{'code':>8}  longest file")
    package: Counter[str] = Counter()
    for room, files in rooms().items():
        counts = {file: count(file) for file in files}
        total = sum(counts.values(), Counter[str]())
        longest = max(files, key=lambda file: counts[file]["lines"], default=None)
        name = f"{longest.relative_to(ROOT)} ({counts[longest]['lines']})" if longest else ""
        print(f"{room:<16}{total['files']:>7}{total['lines']:>8}{total['code']:>8}  {name}")
        package += total if not room.endswith("/") else Counter()
    print(f"{'the package':<16}{package['files']:>7}{package['lines']:>8}{package['code']:>8}")


if __name__ == "__main__":
    main()
