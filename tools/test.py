"""Check style, types and behaviour: `python3 tools/test.py [--oracle] [arguments for pytest]`.

With --oracle, torch and Keras are installed too, and every op, layer, loss and optimizer is compared with theirs.
"""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, enter, say

ORACLE = "--oracle"


def steps(arguments: list[str]) -> dict[str, list[str]]:
    """The command of each check, in the order in which they run."""
    python = sys.executable
    return {
        "ruff": [python, "-m", "ruff", "check", "."],
        "mypy": [python, "-m", "mypy"],
        "pytest": [python, "-m", "pytest", *workers(arguments), *arguments],
    }


def workers(arguments: list[str]) -> list[str]:
    """One pytest process per core, unless single tests are asked for."""
    if any(not argument.startswith("-") for argument in arguments):
        return []
    return ["-n", str(os.cpu_count() or 1)]


def main() -> int:
    """Run every check, and name those that failed."""
    arguments = sys.argv[1:]
    enter("test", *(["oracle"] if ORACLE in arguments else []))
    failed = []
    for name, command in steps([a for a in arguments if a != ORACLE]).items():
        say(" ".join(["python", *command[1:]]))
        if subprocess.run(command, cwd=ROOT).returncode:
            failed.append(name)
    say("failed: " + ", ".join(failed) if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
