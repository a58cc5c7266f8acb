"""Small files in the genuine forms of the data sets."""

import gzip
import io
import json
import pickle
import tarfile

import numpy as np


def word_lists(count, seed=0, longest=30):
    rng = np.random.default_rng(seed)
    lists = [rng.integers(1, 60, rng.integers(1, longest)).tolist() for _ in range(count)]
    found = np.empty(count, object)
    found[:] = lists
    return found


def imdb(path, count=40):
    y = np.arange(count) % 2
    np.savez(path, x_train=word_lists(count), y_train=y, x_test=word_lists(count, 1), y_test=1 - y)
    return path


def reuters(path, count=50):
    np.savez(path, x=word_lists(count), y=np.arange(count) % 46)
    return path


def housing(path, features, count=40):
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.normal(size=(count, features)), y=rng.uniform(5, 50, count))
    return path


def word_index(path):
    path.write_text(json.dumps({"the": 1, "and": 2}), encoding="utf-8")
    return path


def cifar_batch(count, seed, keys=(b"labels",)):
    rng = np.random.default_rng(seed)
    batch = {b"data": rng.integers(0, 256, (count, 3072), dtype=np.uint8), b"batch_label": b"a batch"}
    return batch | {key: rng.integers(0, 10, count).tolist() for key in keys}


def tar(path, members):
    """members: name -> bytes, or a TarInfo to be added as it is"""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def cifar10(path, count=4, protocol=2, **other):
    names = [f"cifar-10-batches-py/data_batch_{k}" for k in range(1, 6)] + ["cifar-10-batches-py/test_batch"]
    members = {name: pickle.dumps(cifar_batch(count, k), protocol) for k, name in enumerate(names)}
    return tar(path, {**members, **other})


def cifar100(path, count=4):
    keys = (b"fine_labels", b"coarse_labels")
    names = ("cifar-100-python/train", "cifar-100-python/test")
    return tar(path, {name: pickle.dumps(cifar_batch(count, k, keys), 2) for k, name in enumerate(names)})


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def fashion_mnist(folder, count=6):
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images, labels = rng.integers(0, 256, (count, 28, 28)), rng.integers(0, 10, count)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder
