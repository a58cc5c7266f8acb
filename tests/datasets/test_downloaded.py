"""The data sets that are downloaded: genuine files, files that lie, and a server that does not keep its word."""

import gzip
import hashlib
import http.server
import io
import os
import pickle
import stat
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autograd_nn import config, datasets
from autograd_nn.datasets import store, unpickler
from autograd_nn.errors import DataError, InvalidArgument, MissingFile
from tests.datasets import files


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "user_cache_path", lambda name: tmp_path / "home" / name)
    return tmp_path / "home" / "autograd_nn" / "datasets"


# --- genuine files


def test_word_lists(tmp_path):
    path = files.imdb(tmp_path / "imdb.npz")
    (x_train, y_train), (x_test, y_test) = datasets.imdb.load_data(path)
    assert x_train.shape == y_train.shape == x_test.shape == y_test.shape == (40,)
    assert all(text[0] == 1 and min(text[1:]) >= 2 for text in x_train) and set(y_train) == {0, 1}
    (few, _), _ = datasets.imdb.load_data(path, num_words=20, skip_top=8, oov_char=2, start_char=None)
    assert {word for text in few for word in text} <= {2, *range(8, 20)}
    (short, labels), _ = datasets.imdb.load_data(path, maxlen=10)
    assert len(short) == len(labels) < 40 and max(map(len, short)) < 10
    with pytest.raises(InvalidArgument, match="increase maxlen"):
        datasets.imdb.load_data(path, maxlen=1)


def test_texts_of_one_length_stay_lists(tmp_path):
    path = tmp_path / "x.npz"
    x = np.empty(3, object)
    x[:] = [[1, 2], [3, 4], [5, 6]]
    np.savez(path, x_train=x, y_train=[0, 1, 0], x_test=x, y_test=[1, 0, 1])
    (found, _), _ = datasets.imdb.load_data(path)
    assert found.shape == (3,) and all(isinstance(text, list) for text in found)


def test_newswires(tmp_path):
    path = files.reuters(tmp_path / "r.npz")
    (x, y), (u, v) = datasets.reuters.load_data(path, test_split=0.1)
    assert (len(x), len(y), len(u), len(v)) == (45, 45, 5, 5)
    assert len(datasets.reuters.get_label_names()) == len(set(datasets.reuters.get_label_names())) == 46
    with pytest.raises(InvalidArgument, match="test_split must be"):
        datasets.reuters.load_data(path, test_split=1)


@pytest.mark.parametrize("room", [datasets.imdb, datasets.reuters])
def test_word_index(room, tmp_path):
    assert room.get_word_index(files.word_index(tmp_path / "w.json")) == {"the": 1, "and": 2}
    (tmp_path / "w.json").write_text("[1, 2]")
    with pytest.raises(DataError, match="no dict from words to numbers"):
        room.get_word_index(tmp_path / "w.json")
    (tmp_path / "w.json").write_text("[" * 100000)
    with pytest.raises(DataError, match="no JSON"):
        room.get_word_index(tmp_path / "w.json")


@pytest.mark.parametrize("room, features", [(datasets.boston_housing, 13), (datasets.california_housing, 8)])
def test_houses(room, features, tmp_path):
    path = files.housing(tmp_path / "h.npz", features)
    (x, y), (u, v) = room.load_data(path=path, test_split=0.25)
    assert (x.shape, y.shape, u.shape, v.shape) == ((30, features), (30,), (10, features), (10,))
    assert not np.array_equal(room.load_data(path=path, seed=1)[0][0], x[:30])
    with pytest.raises(DataError, match="holds x"):
        room.load_data(path=files.housing(tmp_path / "h.npz", 5))


def test_small_california(tmp_path):
    path = files.housing(tmp_path / "c.npz", 8, count=700)
    (x, _), (u, _) = datasets.california_housing.load_data("small", path)
    assert len(x) + len(u) == 600
    with pytest.raises(InvalidArgument, match="did you mean 'large'"):
        datasets.california_housing.load_data("larg", path)


@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar(tmp_path, protocol):
    path = files.cifar10(tmp_path / "c.tar.gz", protocol=protocol)
    (x, y), (u, v) = datasets.cifar10.load_data(path)
    assert x.shape == (20, 32, 32, 3) and y.shape == (20, 1) and u.shape == (4, 32, 32, 3) and v.shape == (4, 1)
    assert x.dtype == y.dtype == np.uint8
    first = files.cifar_batch(4, 0)
    assert np.array_equal(x[0, :, :, 1].ravel(), first[b"data"][0, 1024:2048])
    assert y[:4, 0].tolist() == first[b"labels"]


def test_cifar_with_channels_first(tmp_path):
    path = files.cifar10(tmp_path / "c.tar.gz")
    config.set_image_data_format("channels_first")
    try:
        assert datasets.cifar10.load_data(path)[0][0].shape == (20, 3, 32, 32)
    finally:
        config.set_image_data_format("channels_last")


def test_cifar100(tmp_path):
    path = files.cifar100(tmp_path / "c.tar.gz")
    fine, coarse = (datasets.cifar100.load_data(mode, path) for mode in ("fine", "coarse"))
    assert np.array_equal(fine[0][0], coarse[0][0]) and not np.array_equal(fine[0][1], coarse[0][1])
    with pytest.raises(InvalidArgument, match="did you mean 'fine'"):
        datasets.cifar100.load_data("fin", path)


def test_fashion(tmp_path):
    (x, y), (u, v) = datasets.fashion_mnist.load_data(files.fashion_mnist(tmp_path))
    assert x.shape == u.shape == (6, 28, 28) and y.shape == v.shape == (6,) and x.dtype == np.uint8
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MissingFile, match="t10k-labels"):
        datasets.fashion_mnist.load_data(tmp_path)


# --- files that lie


class Evil:
    def __reduce__(self):
        return os.mkdir, ("/nowhere/evil",)


HOSTILE = [
    pickle.dumps(Evil()),
    pickle.dumps(np.float64(1.0)),
    pickle.dumps(print),
    pickle.dumps(np.zeros(3)) + b"",
    b"\x80\x04K\x01K\x02R.",
    b"cnumpy\nndarray\n(I1000000000000\ntR.",
    b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I99999999999\ntS'b'\ntR.",
    b"cnumpy\ndtype\n(S'O,O,O,O,O'\ntR.",
    b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
    b"(" * 50,
    b"",
]


@pytest.mark.parametrize("data", [data for k, data in enumerate(HOSTILE) if k != 3])
def test_only_plain_data_is_unpickled(data):
    with pytest.raises(DataError, match="not plain data"):
        unpickler.plain_object(data)


def test_plain_data_is_unpickled():
    data = {b"data": np.arange(6, dtype="uint8").reshape(2, 3), b"labels": [1, 2], "name": ("a", b"b", None, 1.5)}
    found = unpickler.plain_object(pickle.dumps(data, 2))
    assert np.array_equal(found[b"data"], data[b"data"]) and found[b"labels"] == [1, 2]
    written_by_python2 = b"\x80\x02}(U\x04dataU\x03abcU\x06labels](K\x01K\x02eu."
    assert unpickler.plain_object(written_by_python2) == {b"data": b"abc", b"labels": [1, 2]}
    assert unpickler.plain_object(HOSTILE[3]).tolist() == [0.0, 0.0, 0.0]


def npy(array, data):
    stream = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


@pytest.mark.parametrize("data", [pickle.dumps(Evil()), pickle.dumps([1, 2]), b"\x80\x04"])
def test_a_hostile_npz_is_refused(tmp_path, data):
    path = files.imdb(tmp_path / "imdb.npz")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["x_test.npy"] = npy(np.zeros(40), data)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match="imdb.load_data: .*holds"):
        datasets.imdb.load_data(path)


def test_labels_are_never_unpickled(tmp_path):
    path = tmp_path / "h.npz"
    y = np.empty(2, object)
    y[:] = [Evil(), 1]
    np.savez(path, x=np.zeros((2, 13)), y=y)
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        datasets.boston_housing.load_data(path)


def test_a_bomb_in_an_npz_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_LARGEST", 1000)
    path = tmp_path / "h.npz"
    np.savez_compressed(path, x=np.zeros((1000, 13)), y=np.zeros(1000))
    with pytest.raises(DataError, match="bytes"):
        datasets.boston_housing.load_data(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_link_in_a_tar_is_refused(tmp_path, kind):
    (tmp_path / "secret").write_bytes(pickle.dumps(files.cifar_batch(1, 0)))
    link = tarfile.TarInfo("cifar-10-batches-py/test_batch")
    link.type, link.linkname = kind, str(tmp_path / "secret")
    path = files.cifar10(tmp_path / "c.tar.gz", **{"cifar-10-batches-py/test_batch": link})
    with pytest.raises(DataError, match="test_batch that is no file"):
        datasets.cifar10.load_data(path)


def test_other_members_of_a_tar_are_left_alone(tmp_path, cache):
    before = set(tmp_path.iterdir())
    path = files.cifar10(tmp_path / "c.tar.gz", **{"../evil": b"x", "/evil": b"x", "cifar-10-batches-py/readme": b"x"})
    datasets.cifar10.load_data(path)
    assert set(tmp_path.iterdir()) == before | {path}


@pytest.mark.parametrize(
    "change",
    [{"cifar-10-batches-py/data_batch_3": pickle.dumps(Evil())},
     {"cifar-10-batches-py/data_batch_3": pickle.dumps([1])},
     {"cifar-10-batches-py/data_batch_3": pickle.dumps({b"data": np.zeros((2, 3), "uint8"), b"labels": [1, 2]})},
     {"cifar-10-batches-py/data_batch_3": pickle.dumps({b"data": np.zeros((2, 3072), "uint8"), b"labels": [1]})}],
)  # fmt: skip
def test_a_hostile_batch_is_refused(tmp_path, change):
    with pytest.raises(DataError, match="^cifar10.load_data: "):
        datasets.cifar10.load_data(files.cifar10(tmp_path / "c.tar.gz", **change))


LOADERS = {
    "imdb": lambda path: datasets.imdb.load_data(path),
    "reuters": lambda path: datasets.reuters.load_data(path),
    "boston_housing": lambda path: datasets.boston_housing.load_data(path),
    "california_housing": lambda path: datasets.california_housing.load_data(path=path),
    "cifar10": lambda path: datasets.cifar10.load_data(path),
    "cifar100": lambda path: datasets.cifar100.load_data(path=path),
}


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x1f\x8b\x08\x00broken"])
def test_a_wrong_file_is_named(tmp_path, name, data):
    path = tmp_path / "wrong"
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"^{name}.load_data: .*wrong"):
        LOADERS[name](path)
    with pytest.raises(MissingFile, match="there is no file"):
        LOADERS[name](tmp_path / "absent")


def test_a_cut_archive_is_damaged(tmp_path):
    path = files.cifar10(tmp_path / "c.tar.gz")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="cifar10.load_data: "):
        datasets.cifar10.load_data(path)


@pytest.mark.parametrize(
    "data",
    [
        b"no gzip",
        gzip.compress(b"\0\0\x08\x01\0\0\0\x09abc", mtime=0),
        gzip.compress(b"\0\0\x0d\x01\0\0\0\0", mtime=0),
        gzip.compress(b"", mtime=0),
    ],
)
def test_a_wrong_idx_file_is_refused(tmp_path, data):
    files.fashion_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(data)
    with pytest.raises(DataError, match="train-labels"):
        datasets.fashion_mnist.load_data(tmp_path)


# --- downloads


class Server(http.server.ThreadingHTTPServer):
    body = b""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/right")
            self.end_headers()
            return
        if self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
            self.end_headers()
            return
        if self.path == "/absent":
            self.send_error(404)
            return
        body = self.server.body if self.path != "/wrong" else self.server.body + b"!"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/cut" else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    body = files.housing(tmp_path / "h.npz", 13).read_bytes()
    with Server() as made:
        made.body = body
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()

        def offer(page):
            origin = f"http://127.0.0.1:{made.server_port}/{page}"
            remote = store.Remote("boston_housing.npz", origin, hashlib.sha256(body).hexdigest())
            monkeypatch.setattr(datasets.boston_housing, "FILE", remote)

        made.offer = offer
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("page", ["right", "moved"])
def test_a_download_is_kept(server, cache, page):
    server.offer(page)
    (x, _), _ = datasets.boston_housing.load_data()
    assert x.shape == (32, 13) and server.asked[-1] == "/right"
    asked = len(server.asked)
    datasets.boston_housing.load_data()
    assert len(server.asked) == asked
    assert stat.S_IMODE(cache.stat().st_mode) == stat.S_IMODE(cache.parent.stat().st_mode) == 0o700
    (cache / "boston_housing.npz").write_bytes(b"spoilt")
    datasets.boston_housing.load_data()
    assert len(server.asked) == 2 * asked


@pytest.mark.parametrize("page", ["wrong", "cut", "absent", "round"])
def test_nothing_is_kept_of_a_failed_download(server, cache, page):
    server.offer(page)
    with pytest.raises(DataError, match="^boston_housing.load_data: ") as caught:
        datasets.boston_housing.load_data()
    lines = str(caught.value).splitlines()
    assert str(cache / "boston_housing.npz") in lines[-1] and "path=" in lines[-1]
    assert list(cache.iterdir()) == []


def test_without_a_network_the_error_says_where_to_put_the_file(cache, monkeypatch):
    # A port that nobody listens at.
    remote = store.Remote("imdb.npz", "http://127.0.0.1:9/imdb.npz", "0" * 64)
    monkeypatch.setattr(datasets.imdb, "FILE", remote)
    with pytest.raises(DataError, match="cannot fetch") as caught:
        datasets.imdb.load_data()
    assert str(cache / "imdb.npz") in str(caught.value)


def test_every_file_has_an_address_by_https_and_a_hash():
    rooms = [getattr(datasets, name) for name in datasets.__all__]
    found = [r for room in rooms for r in vars(room).values() if isinstance(r, store.Remote)]
    found += datasets.fashion_mnist.FILES
    assert len(found) == 12
    assert all(r.origin.startswith("https://") and len(r.hash) in (32, 64) for r in found)


def test_mnist_under_the_name_that_keras_gives_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert datasets.mnist.load_data("mnist.npz")[0][0].shape == (60000, 28, 28)
    Path("mnist.npz").write_bytes(b"own")
    with pytest.raises(DataError):
        datasets.mnist.load_data("mnist.npz")
