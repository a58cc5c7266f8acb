"""Settings of the whole suite: one thread per numerical library, and oracle tests only where they can run."""

import importlib.util
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("KERAS_BACKEND", "torch")

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# A shell starts what runs in the background with Ctrl-C ignored, and so would every process of a test be.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HAS_ORACLE = all(importlib.util.find_spec(name) for name in ("torch", "keras"))
ORACLE = Path(__file__).parent / "oracle"
collect_ignore_glob = [] if HAS_ORACLE else ["oracle/*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in tests/oracle, so that `-m "not oracle"` leaves it out."""
    for item in items:
        if ORACLE in item.path.parents:
            item.add_marker("oracle")


def pytest_report_header() -> str:
    """Say at the top whether the comparisons with torch and Keras take part."""
    return f"oracle: {'torch and keras' if HAS_ORACLE else 'not installed (tools/test.py --oracle)'}"
