"""Checks for gradients and operations, the library's own and its users'."""

from ..engine.op import Bad, Domain, Sample
from .coverage import Coverage, coverage
from .gradcheck import gradcheck
from .layer_suite import layer_suite
from .report import Finding, GradcheckReport
from .suite import ASPECTS, check_op, op_suite

__all__ = [
    "ASPECTS", "Bad", "Coverage", "Domain", "Finding", "GradcheckReport", "Sample", "check_op", "coverage", "gradcheck",
    "layer_suite", "op_suite",
]  # fmt: skip
