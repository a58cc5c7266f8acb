"""Names that are looked up when first used."""

import subprocess
import sys

import pytest

import autograd_nn as ag
from autograd_nn.lazy import later

LATER = ["gradcheck", "plot_graph", "testing"]


@pytest.mark.parametrize("name", LATER)
def test_late_names_are_there_and_stay(name):
    assert getattr(ag, name) is getattr(ag, name)
    assert name in ag.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'm' has no attribute 'x'"):
        later({"__name__": "m", "__package__": "m"}, {})("x")


def test_the_import_loads_none_of_them():
    text = "import sys, autograd_nn; print([n for n in sys.modules if n.startswith('autograd_nn.testing.')])"
    assert subprocess.run([sys.executable, "-c", text], capture_output=True, text=True).stdout == "[]\n"


def test_a_star_import_has_them():
    text = "from autograd_nn import *; print(gradcheck.__name__, plot_graph.__name__, testing.__name__)"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True).stdout
    assert found == "gradcheck plot_graph autograd_nn.testing\n"
