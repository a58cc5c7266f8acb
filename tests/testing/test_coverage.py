"""What the table of ops shows: every op of the registry is covered, and a gap is seen."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograd_nn import ops
from autograd_nn.engine.op import OPS, Bad, Domain, Op, Sample
from autograd_nn.testing import coverage

BADS = [Bad((None,), {}, TypeError)] * 3


@pytest.mark.parametrize("name", sorted(OPS))
def test_no_op_has_a_gap(name: str) -> None:
    assert coverage(OPS[name]).gaps == ()


def domain(*samples: Sample, errors: int = 3) -> Domain:
    return Domain(lambda rng: list(samples), lambda: BADS[:errors])


def test_what_is_covered_is_read_from_the_samples() -> None:
    found = coverage(replace(OPS["tanh"], domain=domain(Sample((np.ones(3),)), Sample((np.ones(()),)))))
    assert (found.order, found.layouts, found.sizes) == (2, ("strided", "reversed"), ("0-d",))
    assert coverage(OPS["equal"]).order is None


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ({"domain": None}, "no domain"),
        ({"domain": domain()}, "no sample"),
        ({"domain": domain(Sample((np.ones(3),), {}, False))}, "no gradient sample"),
        ({"domain": domain(Sample((np.ones((0, 3)),)))}, "no gradient sample"),
        ({"domain": domain(Sample((np.ones(()),)))}, "no layout"),
        ({"domain": domain(Sample((np.ones(3),)), errors=2)}, "fewer than 3 errors"),
        ({"emit": ""}, "no emit"),
        ({"doc": ""}, "no doc"),
        ({"family": ""}, "no family"),
    ],
)
def test_a_gap_is_seen(change: dict[str, Any], gap: str) -> None:
    op: Op = ops.tanh.op  # type: ignore[attr-defined]
    assert gap in coverage(replace(op, **change)).gaps
