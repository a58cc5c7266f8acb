"""Random numbers with Keras' names, from counter-based keys: the same seed gives the same bits in every process."""

from .distributions import beta, binomial, gamma
from .draws import categorical, dropout, normal, randint, shuffle, truncated_normal, uniform
from .seed import SeedGenerator, draw_key, global_generator, make_seed, set_global_seed

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "draw_key", "dropout", "gamma", "global_generator", "make_seed",
    "normal", "randint", "set_global_seed", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip
