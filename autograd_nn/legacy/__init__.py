"""The names that Keras once had: scripts of older books run, and each old name says once what it is called now."""

from .arguments import accept_old_arguments
from .modules import accept_old_modules

__all__ = ["accept_old_arguments", "accept_old_modules"]
