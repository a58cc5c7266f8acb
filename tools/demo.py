"""Show what the library does, on a fresh machine: `python3 tools/demo.py`.

It runs three of the examples: the chapter's model and a convnet on MNIST, a regression with operators alone, and a
custom operation whose gradient is checked. Each writes its pictures to the current folder.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from environment import ROOT, enter, say

EXAMPLES = ("mnist.py", "operators.py", "custom_op.py")


def run(name: str) -> int:
    """Run one example as its reader would, and say how long it took."""
    say(f"python examples/{name}")
    start = time.monotonic()
    code = subprocess.run([sys.executable, str(ROOT / "examples" / name)]).returncode
    say(f"examples/{name}: {'done' if code == 0 else 'failed'} after {time.monotonic() - start:.1f} s")
    return code


def main() -> int:
    """Run the examples in the current folder, where the pictures are written."""
    enter()
    failed = [name for name in EXAMPLES if run(name)]
    if failed:
        say("failed: " + ", ".join(failed))
        return 1
    pictures = sorted(Path.cwd().glob("*.svg"))
    say(f"pictures in {Path.cwd()}: " + ", ".join(file.name for file in pictures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
