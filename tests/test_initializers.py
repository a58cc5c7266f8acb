"""Initializers: ranges, variances, seeds, configs; distributions against Keras stand in tests/oracle."""

import subprocess
import sys

import numpy as np
import pytest

from autograd_nn import initializers, random
from autograd_nn.errors import ArgumentTypeError, DTypeError, InvalidArgument, ShapeError, UnknownName
from autograd_nn.initializers import compute_fans

CLASSES = sorted(set(initializers.KNOWN.values()), key=lambda cls: cls.__name__)
RANDOM = [cls for cls in CLASSES if issubclass(cls, initializers.RandomInitializer)]
SCALED = {
    "GlorotUniform": 2 / 500, "GlorotNormal": 2 / 500, "HeUniform": 2 / 300, "HeNormal": 2 / 300,
    "LecunUniform": 1 / 300, "LecunNormal": 1 / 300,
}  # fmt: skip


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("dtype", [None, "float64", "float16"])
def test_shape_dtype_config_and_clone(cls, dtype):
    made = cls()
    shape = (4, 1, 3) if cls.__name__ == "STFT" else (4, 4)
    value = made(shape, dtype=dtype)
    assert value.shape == shape and value.dtype == np.dtype(dtype or "float32")
    assert np.isfinite(value.numpy()).all()
    again = initializers.deserialize(initializers.serialize(made))
    assert type(again) is cls and again.get_config() == made.get_config() == made.clone().get_config()


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    shape = (6, 5)
    first = cls(seed=3)(shape).numpy()
    made = cls(seed=3)
    assert np.array_equal(made(shape).numpy(), first) and np.array_equal(made(shape).numpy(), first)
    assert not np.array_equal(cls(seed=4)(shape).numpy(), first)
    unseeded = cls()
    assert np.array_equal(unseeded(shape).numpy(), unseeded(shape).numpy())
    assert not np.array_equal(cls()(shape).numpy(), unseeded(shape).numpy())
    moving = cls(seed=random.SeedGenerator(3))
    assert not np.array_equal(moving(shape).numpy(), moving(shape).numpy())
    assert cls.from_config(moving.get_config()).seed.seed == 3


def test_a_global_seed_gives_the_same_values_in_every_process():
    code = (
        "import autograd_nn as ag; ag.random.set_global_seed(5); d = ag.layers.Dense(2); d.build((None, 3)); "
        "print(d.kernel.numpy().tobytes().hex())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


@pytest.mark.parametrize("name", SCALED)
def test_variance_follows_from_the_connections(name):
    value = getattr(initializers, name)(seed=1)((300, 200), dtype="float64").numpy()
    assert abs(value.mean()) < 0.01 * value.std() + 1e-3
    assert value.var() == pytest.approx(SCALED[name], rel=0.02)
    limit = np.sqrt(3 * SCALED[name]) if "Uniform" in name else 2 * np.sqrt(SCALED[name]) / 0.8796
    assert np.abs(value).max() <= limit


@pytest.mark.parametrize(
    "shape, fans", [((), (1, 1)), ((5,), (5, 5)), ((3, 4), (3, 4)), ((3, 3, 16, 32), (144, 288)), ((2, 0), (2, 0))]
)
def test_fans(shape, fans):
    assert compute_fans(shape) == fans
    assert initializers.VarianceScaling(mode="fan_out")(shape).shape == shape


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 4)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=0)(shape, dtype="float64").numpy().reshape(-1, shape[-1])
    small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    assert np.allclose(small, 4 * np.eye(len(small)))


def test_constants():
    assert initializers.Constant([1.0, 2.0])((3, 2)).tolist() == [[1.0, 2.0]] * 3
    assert initializers.Identity(3.0)((2, 3)).tolist() == [[3.0, 0, 0], [0, 3.0, 0]]
    assert initializers.Zeros()((2,), dtype="int32").dtype == np.int32


def test_names_and_what_get_takes():
    assert type(initializers.get("uniform")) is initializers.RandomUniform
    assert (
        type(initializers.get("glorot_uniform"))
        is type(initializers.get("GlorotUniform"))
        is initializers.GlorotUniform
    )
    assert initializers.get({"class_name": "Constant", "config": {"value": 2.0}}).value == 2.0
    assert initializers.get(np.ones) is np.ones and initializers.get(None) is None
    assert initializers.glorot_uniform is initializers.GlorotUniform


@pytest.mark.parametrize("make, error, match", [
    (lambda: initializers.get("glorot_unifrom"), UnknownName, "'glorot_unifrom'; did you mean 'glorot_uniform'"),
    (lambda: initializers.get(initializers.Ones), ArgumentTypeError, r"got class Ones; write Ones\(...\)"),
    (lambda: initializers.get(3.0), ArgumentTypeError, "got 3.0"),
    (lambda: initializers.GlorotUniform(seed="1"), ArgumentTypeError, "seed must be an int"),
    (lambda: initializers.GlorotUniform(seed=True), ArgumentTypeError, "seed must be an int"),
    (lambda: initializers.VarianceScaling(scale=0), InvalidArgument, "scale must be a positive number"),
    (lambda: initializers.VarianceScaling(mode="fan_inn"), InvalidArgument, "mode 'fan_inn'; did you mean 'fan_in'"),
    (lambda: initializers.VarianceScaling(distribution="gauss"), InvalidArgument, "known: truncated_normal"),
    (lambda: initializers.Identity()((2, 3, 4)), ShapeError, "expects a shape"),
    (lambda: initializers.Orthogonal()((3,)), ShapeError, "at least two axes"),
    (lambda: initializers.Constant([1.0, 2.0])((3,)), ShapeError, "does not broadcast"),
    (lambda: initializers.Zeros()((2,), dtype="flaot32"), DTypeError, "did you mean 'float32'"),
])  # fmt: skip
def test_errors(make, error, match):
    with pytest.raises(error, match=match):
        make()
