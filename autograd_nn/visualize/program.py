"""The layout program: the system's `dot` where there is one and it works, else the one that graphviz-pure installs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata

from ..errors import AutogradError

PURE = "graphviz-pure"


class LayoutError(AutogradError, RuntimeError):
    """No layout program, or none that could draw the picture."""


def programs() -> Iterator[str]:
    """The layout programs to try, best first."""
    system = shutil.which("dot")
    if system:
        yield system
    yield from dict.fromkeys(filter(None, (_installed(), shutil.which(PURE))))


def _installed() -> str | None:
    """The program among the files of the installed package, wherever these were put and whatever PATH says."""
    try:
        files = metadata.files(PURE) or []
    except metadata.PackageNotFoundError:
        return None
    found = [str(file.locate()) for file in files if file.name in (PURE, f"{PURE}.exe")]
    return next((os.path.normpath(file) for file in found if os.path.isfile(file)), None)


def lay_out(source: str, kind: str, *options: str) -> bytes:
    """The picture of a DOT source in a format of the layout program: svg, png, jpg or json.

    Raises LayoutError where no program could make it.
    """
    problem = "none was found"
    for program in programs():
        try:
            run = subprocess.run(
                [program, f"-T{kind}", *options], input=source.encode(), capture_output=True, check=False
            )
        except OSError as error:
            problem = str(error)
            continue
        if run.returncode == 0 and run.stdout:
            return run.stdout
        problem = run.stderr.decode(errors="replace").strip()
    raise LayoutError(
        f"no layout program could draw a picture as {kind}; install one with `pip install {PURE}`, "
        "or write to a file that ends in .dot",
        problem,
    )
