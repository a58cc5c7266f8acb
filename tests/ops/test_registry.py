"""Every op of the registry in every aspect that its record promises."""

import pytest

from autograd_nn.engine.op import OPS
from autograd_nn.testing import ASPECTS, check_op
from tests.ops.references import REFERENCES


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", sorted(OPS))
def test_op(name: str, aspect: str) -> None:
    check_op(OPS[name], aspect, reference=REFERENCES.get(name))
