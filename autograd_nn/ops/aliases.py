"""Names by which Keras and NumPy know ops that have another one here."""

ALIASES = {
    "absolute": "abs", "amax": "max", "amin": "min", "bitwise_invert": "bitwise_not",
    "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
    "conjugate": "conj", "fabs": "abs", "get_item": "getitem", "hard_swish": "hard_silu", "size": "size_of",
    "swish": "silu", "true_divide": "divide",
}  # fmt: skip
