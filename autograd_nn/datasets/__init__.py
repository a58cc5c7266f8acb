"""Data sets to learn on. MNIST ships inside the package."""

from autograd_nn.datasets import mnist

__all__ = ["mnist"]
