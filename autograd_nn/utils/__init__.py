"""Small helpers around data and training."""

from .model_plot import model_to_dot, plot_model
from .numerical import normalize, to_categorical
from .progbar import Progbar
from .py_dataset import PyDataset, Sequence
from .seeds import set_random_seed

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "model_to_dot",
    "normalize",
    "plot_model",
    "set_random_seed",
    "to_categorical",
]
