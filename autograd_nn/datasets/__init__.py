"""Data sets to learn on. MNIST ships inside the package; the others are downloaded once, or read from a `path=`."""

from typing import TYPE_CHECKING

from autograd_nn.datasets import mnist
from autograd_nn.lazy import later

if TYPE_CHECKING:
    from autograd_nn.datasets import (
        boston_housing,
        california_housing,
        cifar10,
        cifar100,
        fashion_mnist,
        imdb,
        reuters,
    )

__all__ = [
    "boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters",
]  # fmt: skip

__getattr__ = later(globals(), {name: f".{name}" for name in __all__ if name != "mnist"})
