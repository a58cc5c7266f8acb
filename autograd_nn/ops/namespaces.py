"""Keras' rooms inside `ops`: `ops.nn.relu`, `ops.numpy.mean`, `ops.linalg.svd`, `ops.image.resize`."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Calls = dict[str, Callable[..., Any]]

NN = (
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "batch_normalization", "binary_crossentropy",
    "categorical_crossentropy", "celu", "conv", "conv_transpose", "ctc_decode", "ctc_loss", "depth_to_space",
    "depthwise_conv", "dot_product_attention", "elu", "fold", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax", "max_pool", "moments",
    "multi_hot", "normalize", "one_hot", "polar", "psnr", "relu", "relu6", "rms_normalization", "selu",
    "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "space_to_depth",
    "sparse_categorical_crossentropy",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold", "unfold",
)  # fmt: skip
LINALG = (
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "lstsq", "lu_factor", "matrix_rank", "norm", "pinv",
    "qr", "solve", "solve_triangular", "svd",
)  # fmt: skip


def rooms(package: str, calls: Calls) -> dict[str, ModuleType]:
    """The rooms as modules of `package`; what a module of that name has already stays as it is.

    calls: every op by its name; `numpy` holds those that are in no other room
    """
    rest = tuple(name for name in calls if name not in NN and name not in LINALG)
    found = {}
    for room, names in (("nn", NN), ("linalg", LINALG), ("numpy", rest)):
        path = f"{package}.{room}"
        module = sys.modules.setdefault(path, ModuleType(path, f"Keras' names in ops.{room}."))
        for name in names:
            if name in calls and not hasattr(module, name):
                setattr(module, name, calls[name])
        found[room] = module
    return found
