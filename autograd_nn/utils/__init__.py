"""Small helpers around data and training."""

from ..config import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
from ..lazy import later
from ..saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from .images import array_to_img, img_to_array, load_img, save_img
from .numerical import normalize, to_categorical
from .packing import pack_x_y_sample_weight, split_dataset, unpack_x_y_sample_weight
from .progbar import Progbar
from .py_dataset import PyDataset, Sequence
from .seeds import set_random_seed
from .sequences import pad_sequences, timeseries_dataset_from_array
from .session import clear_session, is_keras_tensor

__all__ = [
    "CustomObjectScope", "Progbar", "PyDataset", "Sequence", "array_to_img", "clear_session", "custom_object_scope",
    "deserialize_keras_object", "disable_interactive_logging", "enable_interactive_logging", "get_custom_objects",
    "get_file", "get_registered_name", "get_registered_object", "img_to_array", "is_interactive_logging_enabled",
    "is_keras_tensor", "load_img", "model_to_dot", "normalize", "pack_x_y_sample_weight",
    "pad_sequences", "plot_model", "register_keras_serializable", "save_img", "serialize_keras_object",
    "set_random_seed", "split_dataset", "timeseries_dataset_from_array", "to_categorical", "unpack_x_y_sample_weight",
]  # fmt: skip

# What reads from the network, and what calls other programs, brings much of Python's library along.
__getattr__ = later(
    globals(),
    {
        "get_file": ".download:get_file",
        "model_to_dot": ".model_plot:model_to_dot",
        "plot_model": ".model_plot:plot_model",
    },
)
