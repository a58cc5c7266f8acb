"""The project's virtual environment: made when missing, brought up to date, entered.

Needs the standard library alone, and runs on an older Python far enough to say that it is too old.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "AUTOGRAD_NN_VENV"
STAMP = "autograd_nn.json"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def say(text: str) -> None:
    """Print one line that tells what happens now."""
    print(f"==> {text}", flush=True)


def enter(*extras: str) -> None:
    """Run the calling script in the virtual environment, with autograd_nn and `extras` installed there."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"autograd_nn needs Python 3.11 or newer, and this is Python {found}: call it with a newer python3")
    # Small products on several BLAS threads wait for each other: tens of milliseconds a step on a busy machine.
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    folder = _folder()
    if _inside(folder):
        return
    _make(folder)
    _install(folder, extras)
    python = str(_python(folder))
    sys.stdout.flush()
    os.execv(python, [python, *sys.argv])


def _folder() -> Path:
    chosen = os.environ.get(VARIABLE)
    return Path(chosen).absolute() if chosen else ROOT / ".venv"


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _inside(folder: Path) -> bool:
    return Path(sys.prefix).resolve() == folder.resolve()


def _shown(folder: Path) -> Path:
    return folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder


def _make(folder: Path) -> None:
    if _python(folder).exists():
        return
    say(f"making {_shown(folder)} with Python {sys.version.split()[0]}")
    # -I keeps the caller's folder off the module path, where a file may have the name of a standard module.
    made = subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", str(folder)])
    if made.returncode:
        sys.exit("the virtual environment could not be made; on Debian or Ubuntu: apt install python3-venv")


def _install(folder: Path, extras: tuple[str, ...]) -> None:
    stamp = folder / STAMP
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    known = json.loads(stamp.read_text()) if stamp.exists() else {"pyproject": None, "extras": []}
    wanted = sorted({*known["extras"], *extras})
    if known == {"pyproject": digest, "extras": wanted}:
        say(f"using {_shown(folder)}")
        return
    names = f"[{','.join(wanted)}]" if wanted else ""
    say(f"installing autograd_nn{names} into {_shown(folder)}")
    start = time.monotonic()
    pip = [str(_python(folder)), "-m", "pip", "--disable-pip-version-check", "install", "-qq", "-e", str(ROOT) + names]
    if subprocess.run(pip, cwd=str(ROOT)).returncode:
        sys.exit("pip could not install it; its own message stands above")
    stamp.write_text(json.dumps({"pyproject": digest, "extras": wanted}))
    say(f"installed in {time.monotonic() - start:.0f} s")
