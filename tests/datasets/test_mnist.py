"""MNIST as shipped, and what a wrong file is answered with."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograd_nn.datasets import mnist
from autograd_nn.errors import DataError

SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


def test_the_shipped_file_is_the_known_one() -> None:
    assert hashlib.sha256(mnist.SHIPPED.read_bytes()).hexdigest() == SHA256


def test_the_arrays_are_those_of_keras() -> None:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert [a.dtype for a in (x_train, y_train, x_test, y_test)] == [np.uint8] * 4
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert x_train.mean() == pytest.approx(33.3184, abs=1e-4)
    assert x_test.mean() == pytest.approx(33.7912, abs=1e-4)
    assert all(a.flags.writeable and a.flags.c_contiguous for a in (x_train, y_train, x_test, y_test))


def test_a_local_copy_is_read(tmp_path: Path) -> None:
    copy = tmp_path / "copy.npz"
    copy.write_bytes(mnist.SHIPPED.read_bytes())
    (_, y_train), _ = mnist.load_data(path=str(copy))
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]


def write_text(file: Path) -> None:
    file.write_text("not an archive")


def write_nothing(file: Path) -> None:
    file.write_bytes(b"")


def write_one_array(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.zeros(3))


def write_pickled(file: Path) -> None:
    np.savez(file, **{name: np.array([{}], dtype=object) for name in mnist.SHAPES})


def write_too_few(file: Path) -> None:
    np.savez(file, x_train=np.zeros((1, 28, 28), np.uint8))


def write_wrong_shapes(file: Path) -> None:
    np.savez(file, **{name: np.zeros(3, np.uint8) for name in mnist.SHAPES})


def write_truncated(file: Path) -> None:
    file.write_bytes(mnist.SHIPPED.read_bytes()[:100_000])


def write_flipped(file: Path) -> None:
    data = bytearray(mnist.SHIPPED.read_bytes())
    data[5_000_000] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (write_text, "is not a NumPy .npz archive"),
        (write_nothing, "is not a NumPy .npz archive"),
        (write_truncated, "is not a NumPy .npz archive"),
        (write_one_array, "holds one array"),
        (write_too_few, "lacks y_train, x_test, y_test"),
        (write_pickled, "is damaged"),
        (write_flipped, "is damaged"),
        (write_wrong_shapes, r"has x_train of shape \(3,\), uint8; expected \(60000, 28, 28\), uint8"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, write: Callable[[Path], None], problem: str) -> None:
    file = tmp_path / "wrong.npz"
    write(file)
    with pytest.raises(DataError, match=problem) as caught:
        mnist.load_data(path=file)
    assert "wrong.npz" in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist; leave out path="):
        mnist.load_data(path=tmp_path / "none.npz")
    with pytest.raises(IsADirectoryError, match="is a directory"):
        mnist.load_data(path=tmp_path)
