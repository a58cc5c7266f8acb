"""TensorBoard's files, read back by a decoder written apart from the encoder."""

import json
import struct
import zlib

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models
from autograd_nn.callbacks import Callback, TensorBoard, event_file
from autograd_nn.errors import InvalidArgument

RNG = np.random.default_rng(0)


def crc32c(data):
    """The remainder of the data by Castagnoli's polynomial, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(masked):
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


def records(data):
    """What the records of a file hold; every checksum must be right."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        body = data[12 : 12 + length]
        sums = struct.unpack("<I", data[8:12])[0], struct.unpack("<I", data[12 + length : 16 + length])[0]
        assert unmasked(sums[0]) == crc32c(data[:8]) and unmasked(sums[1]) == crc32c(body)
        yield body
        data = data[16 + length :]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    """A message as {number of the field: [values]}; doubles and floats as numbers."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            kind, size = {1: ("<d", 8), 5: ("<f", 4)}[key & 7]
            value, at = struct.unpack(kind, data[at : at + size])[0], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def events(folder):
    """(step, tag, value of the summary) for everything in the files of a folder, in order."""
    found = []
    for file in sorted(folder.iterdir()):
        first, *rest = (fields(body) for body in records(file.read_bytes()))
        assert first[3] == [b"brain.Event:2"] and first[1][0] > 1e9
        for event in rest:
            for value in fields(event[5][0])[1]:
                parsed = fields(value)
                found.append((event[2][0], parsed[1][0].decode(), parsed))
    return found


def scalars(folder):
    return [(step, tag, value[2][0]) for step, tag, value in events(folder) if 2 in value]


def trained(folder, epochs=3, **settings):
    x, y = RNG.normal(size=(20, 4)).astype("float32"), RNG.normal(size=(20, 1)).astype("float32")
    model = models.Sequential([layers.Input((4,)), layers.Dense(3, name="first"), layers.Dense(1)])
    model.compile(ag.optimizers.SGD(0.05), "mse", metrics=["mae"])
    board = TensorBoard(folder, **settings)
    history = model.fit(x, y, 5, epochs, verbose=0, callbacks=[board], validation_data=(x, y))
    return model, history.history


def test_checksums_equal_those_of_the_definition():
    # RFC 3720, B.4.
    vectors = {bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, bytes(range(32)): 0x46DD794E}
    for data, crc in vectors.items():
        assert crc32c(data) == crc and unmasked(event_file.masked_crc32c(data)) == crc


def test_curves_of_epochs(tmp_path):
    _, history = trained(tmp_path)
    train, tested = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    for name in ("loss", "mae"):
        np.testing.assert_allclose([v for _, tag, v in train if tag == f"epoch_{name}"], history[name], rtol=1e-6)
        found = [v for _, tag, v in tested if tag == f"epoch_{name}"]
        np.testing.assert_allclose(found, history[f"val_{name}"], rtol=1e-6)
    assert [step for step, tag, _ in train if tag == "epoch_loss"] == [0, 1, 2]
    assert [v for _, tag, v in train if tag == "epoch_learning_rate"] == pytest.approx([0.05] * 3)
    steps = [step for step, tag, _ in tested if tag == "evaluation_loss_vs_iterations"]
    assert steps == [4, 8, 12]


def test_the_layers_of_the_model(tmp_path):
    model, _ = trained(tmp_path, epochs=1)
    step, tag, value = events(tmp_path / "train")[0]
    tensor, plugin = fields(value[8][0]), fields(fields(value[9][0])[1][0])
    assert (step, tag, plugin[1], plugin[2], tensor[1]) == (0, "keras", [b"graph_keras_model"], [b"1"], [7])
    assert json.loads(tensor[8][0]) == json.loads(model.to_json())
    trained(tmp_path / "without", epochs=1, write_graph=False)
    assert "keras" not in [tag for _, tag, _ in events(tmp_path / "without" / "train")]


def test_distributions_of_weights(tmp_path):
    model, _ = trained(tmp_path, epochs=3, histogram_freq=2)
    found = {(step, tag): fields(value[5][0]) for step, tag, value in events(tmp_path / "train") if 5 in value}
    assert {step for step, _ in found} == {0, 2}
    for weight in model.weights:
        shown, x = found[2, f"{weight.path}/histogram"], weight.numpy().astype(float)
        np.testing.assert_allclose([shown[k][0] for k in (1, 2, 3)], [x.min(), x.max(), x.size])
        np.testing.assert_allclose([shown[4][0], shown[5][0]], [x.sum(), np.square(x).sum()])
        limits, counts = (np.frombuffer(shown[k][0], "<f8") for k in (6, 7))
        assert counts.sum() == x.size and limits[-1] == x.max() and len(limits) == len(counts)
        below = [(x <= limit).sum() for limit in limits[:-1]]
        assert np.abs(np.cumsum(counts)[:-1] - below).max(initial=0) <= 1


def test_pictures_of_weights(tmp_path):
    model, _ = trained(tmp_path, epochs=1, histogram_freq=1, write_images=True)
    found = {tag: fields(value[4][0]) for _, tag, value in events(tmp_path / "train") if 4 in value}
    kernel = model.layers[0].kernel
    picture = found[f"{kernel.path}/image/0"]
    assert (picture[1], picture[2], picture[3]) == ([3], [4], [1])
    png = picture[4][0]
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    length = struct.unpack(">I", png[33:37])[0]
    rows = np.frombuffer(zlib.decompress(png[41 : 41 + length]), np.uint8).reshape(3, 5)
    assert not rows[:, 0].any()
    np.testing.assert_array_equal(rows[:, 1:], (np.clip(kernel.numpy().T, 0, 1) * 255).astype(int))


@pytest.mark.parametrize(("freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6, 7, 8]), (3, [3, 6])])
def test_curves_of_batches(tmp_path, freq, steps):
    trained(tmp_path, epochs=2, update_freq=freq, write_steps_per_second=True)
    found = scalars(tmp_path / "train")
    assert [step for step, tag, _ in found if tag == "batch_loss"] == steps
    speeds = [v for _, tag, v in found if tag in ("batch_steps_per_second", "epoch_steps_per_second")]
    assert len(speeds) == len(steps) + 2 and min(speeds) > 0


def test_without_curves_of_batches_nothing_watches_batches():
    def watches(board):
        return type(board).on_train_batch_end is not Callback.on_train_batch_end

    assert not watches(TensorBoard()) and not watches(TensorBoard(update_freq="epoch"))
    assert watches(TensorBoard(update_freq=2)) and isinstance(TensorBoard(update_freq="batch"), TensorBoard)


def test_two_trainings_make_two_files(tmp_path):
    trained(tmp_path, epochs=1)
    trained(tmp_path, epochs=1)
    assert len(list((tmp_path / "train").iterdir())) == 2


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"update_freq": 0}, "update_freq must be 'epoch', 'batch' or an int >= 1"),
        ({"update_freq": "epochs"}, "update_freq"), ({"histogram_freq": -1}, "histogram_freq must be an int >= 0"),
        ({"profile_batch": 2}, "profile_batch must be 0"), ({"embeddings_freq": 1}, "embeddings_freq must be 0"),
    ],
)  # fmt: skip
def test_what_cannot_be(settings, match):
    with pytest.raises(InvalidArgument, match=match):
        TensorBoard(**settings)


def test_odd_numbers_are_written():
    for values in ([np.nan, 1.0, np.inf], [], [2.0, 2.0]):
        shown = fields(fields(event_file.histogram("x", values))[5][0])
        finite = np.asarray(values)[np.isfinite(values)]
        assert shown[3][0] == len(finite) and np.frombuffer(shown[7][0], "<f8").sum() == len(finite)
    assert fields(event_file.scalar("x", 1e300))[2] == [np.inf]
