"""Models: Sequential, functional, and subclassed."""

from .cloning import clone_model, model_from_json
from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "model_from_json"]
