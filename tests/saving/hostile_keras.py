"""Files of Keras that are wrong in one way each, for the tests of the readers."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
METADATA = {"keras_version": "3.15.1"}
ARRAYS = {
    "layers/dense/vars/0": np.arange(12, dtype="f4").reshape(4, 3),
    "layers/dense/vars/1": np.ones(3, "f4"),
    "layers/dense_1/vars/0": np.ones((3, 2), "f4"),
    "layers/dense_1/vars/1": np.zeros(2, "f4"),
}
KERNEL = "layers/dense/vars/0"


def entry(module, class_name, **config):
    return {"module": f"keras.{module}", "class_name": class_name, "config": config, "registered_name": None}


INPUT = entry("layers", "InputLayer", batch_shape=[None, 4], name="in")
TWO = [entry("layers", "Dense", units=3, name="one"), entry("layers", "Dense", units=2, name="two")]


def sequential(*layers, **more):
    return {
        "module": "keras", "class_name": "Sequential", "registered_name": None,
        "config": {"name": "model", "layers": [INPUT, *layers]}, **more,
    }  # fmt: skip


def functional(*nodes):
    """A graph of an input and these operations, each on the one before."""
    first = {**INPUT, "name": "in", "inbound_nodes": []}
    return {
        "module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
        "config": {
            "name": "model", "layers": [first, *nodes], "input_layers": [["in", 0, 0]],
            "output_layers": [[nodes[-1]["name"], 0, 0]],
        },
    }  # fmt: skip


def operation(name, *args, room="numpy", **settings):
    return {
        "module": f"keras.src.ops.{room}", "class_name": name, "config": {"name": "op", **settings}, "name": "op",
        "registered_name": name, "inbound_nodes": [{"args": list(args), "kwargs": {}}],
    }  # fmt: skip


def tensor(name="in"):
    config = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def hdf5(change=None, without=()):
    """The weights, with a change made to the open file."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for name, array in ARRAYS.items():
            if name not in without:
                file[name] = array
        if change is not None:
            change(file)
    return memory.getvalue()


def instead(make):
    """The weights, with something else in the place of the first kernel."""
    return hdf5(make, without=(KERNEL,))


def archive(members, method=zipfile.ZIP_STORED):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, method)
    return memory.getvalue()


def packed(config=None, metadata=METADATA, weights=None, extra=(), **options):
    config = sequential(*TWO) if config is None else config
    texts = [x if isinstance(x, bytes) else json.dumps(x).encode() for x in (metadata, config)]
    return archive([*zip(MEMBERS, [*texts, hdf5() if weights is None else weights]), *extra], **options)


def directory(offset, form, value, member=b"model.weights.h5", local=None):
    """The archive with a field of a member's entry in the directory changed, `local` the same field before its data."""
    data = bytearray(packed())
    place = data.rindex(member) - 46
    struct.pack_into(form, data, place + offset, value)
    if local is not None:
        struct.pack_into(form, data, data.index(member) - 30 + local, value)
    return bytes(data)


def zip64_lie():
    """A member that claims 2**60 bytes in a zip64 field."""
    info = zipfile.ZipInfo("model.weights.h5")
    info.extra = struct.pack("<HHQQ", 1, 16, 1 << 60, 1 << 60)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, text in zip(MEMBERS, (METADATA, sequential(*TWO))):
            file.writestr(name, json.dumps(text))
        file.writestr(info, hdf5())
    data = bytearray(memory.getvalue())
    place = data.rindex(b"model.weights.h5") - 46
    struct.pack_into("<II", data, place + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    return bytes(data)


def flipped(data, place):
    data = bytearray(data)
    data[place] ^= 16
    return bytes(data)


def nested(depth):
    return b'{"class_name": "Sequential", "config": ' + b"[" * depth + b"]" * depth + b"}"


def virtual(file):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4, 3))
    file.create_virtual_dataset(KERNEL, layout)


def deep(file):
    file.create_group("/".join(["g"] * 100))


def huge_contiguous(file):
    space = h5py.h5s.create_simple((1 << 40,))
    h5py.h5d.create(file["layers/dense/vars"].id, b"0", h5py.h5t.IEEE_F32LE, space)


def references(file):
    file.create_dataset(KERNEL, (4, 3), dtype=h5py.ref_dtype)


def named_type(file):
    file[KERNEL] = np.dtype("f4")


def twice(file):
    file[KERNEL] = file["layers/dense/vars/1"]


def loop(file):
    file["layers/again"] = file["layers"]


WEIGHTS = {
    "empty": b"",
    "text": b"hello, these are no weights",
    "a zip archive": packed(),
    "a signature alone": b"\x89HDF\r\n\x1a\n",
    "zeros after the signature": b"\x89HDF\r\n\x1a\n" + b"\0" * 2000,
    "ones after the signature": b"\x89HDF\r\n\x1a\n" + b"\xff" * 2000,
    "half of it": hdf5()[: len(hdf5()) // 2],
    "one byte short": hdf5()[:-1],
    "a flipped bit in the first block": flipped(hdf5(), 13),
    "a soft link": instead(lambda file: file.__setitem__(KERNEL, h5py.SoftLink("/layers/dense/vars/1"))),
    "a soft link to itself": instead(lambda file: file.__setitem__(KERNEL, h5py.SoftLink(f"/{KERNEL}"))),
    "an external link": instead(lambda file: file.__setitem__(KERNEL, h5py.ExternalLink("/etc/passwd", "/x"))),
    "an external link to a group": hdf5(lambda file: file.__setitem__("other", h5py.ExternalLink("x.h5", "/"))),
    "a group in itself": hdf5(loop),
    "an array of two names": instead(twice),
    "groups too deep": hdf5(deep),
    "data in another file": instead(
        lambda file: file.create_dataset(KERNEL, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])
    ),
    "a virtual array": instead(virtual),
    "a compressed array": instead(lambda file: file.create_dataset(KERNEL, data=np.ones((4, 3), "f4"), compression=9)),
    "a huge array in chunks": instead(
        lambda file: file.create_dataset(KERNEL, (1 << 40,), "f4", chunks=(1024,), fillvalue=1)
    ),
    "a huge chunk": instead(
        lambda file: file.create_dataset(KERNEL, (4, 3), "f4", chunks=(1 << 14, 1 << 14), maxshape=(None, None))
    ),
    "a huge array without data": instead(huge_contiguous),
    "references": instead(references),
    "a named type": instead(named_type),
    "strings": instead(lambda file: file.create_dataset(KERNEL, data=[b"a"] * 12)),
    "strings of any length": instead(
        lambda file: file.create_dataset(KERNEL, data=["a"] * 12, dtype=h5py.string_dtype())
    ),
    "records": instead(lambda file: file.create_dataset(KERNEL, (4, 3), [("a", "f4"), ("b", "i8")])),
    "complex numbers": instead(lambda file: file.create_dataset(KERNEL, (4, 3), "c8", data=np.ones((4, 3), "c8"))),
    "no values": instead(lambda file: file.__setitem__(KERNEL, h5py.Empty("f4"))),
}  # fmt: skip

# Right in form, but the weights of another model.
OTHERS = {
    "a missing array": hdf5(without=(KERNEL,)),
    "another shape": instead(lambda file: file.__setitem__(KERNEL, np.ones((3, 4), "f4"))),
    "an array too many": hdf5(lambda file: file.__setitem__("layers/dense_2/vars/0", np.ones(2, "f4"))),
    "no array": hdf5(without=tuple(ARRAYS)),
}

CODE = {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}}
OBJECTS = {"class_name": "__numpy__", "config": {"value": [1, [2]], "dtype": "object", "shape": [1 << 40]}}
HUGE = entry("metrics", "AUC", num_thresholds=10**9)

CONFIGS = {
    "no JSON": b"hello",
    "cut JSON": json.dumps(sequential(*TWO)).encode()[:-5],
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"1" * 5000,
    "nested deeply": nested(100_000),
    "nested too deeply": nested(300_000),
    "many values": b'{"a": [' + b"0," * (1 << 20) + b"0]}",
    "an empty object": b"{}",
    "an unknown class": sequential(entry("layers", "Dens", units=2)),
    "a class of the user": sequential({**TWO[0], "module": "mine", "class_name": "Mine", "registered_name": "a>Mine"}),
    "a function of the system": sequential({"module": "os", "class_name": "function", "config": "system"}),
    "a class of the system": sequential({"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}}),
    "a function of Keras' own": sequential(entry("utils", "get_file", fname="x", origin="file:///etc/passwd")),
    "code": sequential(entry("layers", "Lambda", function=CODE)),
    "a layer alone": TWO[0],
    "huge weights": sequential(entry("layers", "Dense", units=10**12, name="one")),
    "huge weights together": sequential(*[entry("layers", "Dense", units=3, name=f"d{k}") for k in range(50)]),
    "a negative size": sequential(entry("layers", "Dense", units=-3)),
    "a size of text": sequential(entry("layers", "Dense", units="3")),
    "an unknown argument": sequential(entry("layers", "Dense", units=3, __class__=3)),
    "a config of a number": sequential({"module": "keras.layers", "class_name": "Dense", "config": 5}),
    "an address that is none": functional(operation("Add", tensor("nowhere"), 1.0)),
    "an operation of itself": functional(operation("Add", tensor("op"), 1.0)),
    "an operation that is none": functional(operation("System", tensor())),
    "an operation on nothing": functional(operation("Ones", [1 << 40])),
    "a function in a graph": functional(operation("LoadModel", tensor(), room="core")),
    "a constant of objects": functional(operation("Add", tensor(), OBJECTS)),
    "a huge size without weights": sequential(entry("layers", "RepeatVector", n=10**12), *TWO),
    "a huge metric": sequential(*TWO, compile_config={"loss": "mse", "metrics": [HUGE]}),
    "a huge operation": functional(operation("Linspace", tensor(), 1.0, num=10**9)),
    "another optimizer": sequential(*TWO, compile_config={"optimizer": entry("optimizers", "System"), "loss": "mse"}),
    "a loss of the system": sequential(*TWO, compile_config={"optimizer": "sgd", "loss": "os.system"}),
    "a compile_config of text": sequential(*TWO, compile_config="sgd"),
}  # fmt: skip

ARCHIVES = {
    "empty": b"",
    "text": b"hello, this is no archive",
    "an HDF5 file": hdf5(),
    "zeros": b"\0" * 4096,
    "half of it": packed()[: len(packed()) // 2],
    "without its last byte": packed()[:-1],
    "the end alone": packed()[-22:],
    "without weights": archive(zip(MEMBERS[:2], (b"{}", b"{}"))),
    "without a config": archive([(MEMBERS[0], b"{}"), (MEMBERS[2], hdf5())]),
    "a path that leads out": packed(extra=[("../../evil", b"x")]),
    "an absolute path": packed(extra=[("/tmp/evil", b"x")]),
    "a path within": packed(extra=[("assets/vocabulary.txt", b"x")]),
    "many members": packed(extra=[(f"{k}", b"") for k in range(2000)]),
    "encrypted": directory(8, "<H", 1, local=6),
    "another method": packed(method=zipfile.ZIP_BZIP2),
    "a method that is none": directory(10, "<H", 77, local=8),
    "a size too large": directory(24, "<I", 0x7FFFFFFF),
    "a size too small": directory(24, "<I", 100),
    "a packed size too large": directory(20, "<I", 0x7FFFFFFF),
    "a checksum of others": directory(16, "<I", 1),
    "a member in another": directory(42, "<I", 4),
    "a place outside": directory(42, "<I", 0x7FFFFFFF),
    "a size of zip64": zip64_lie(),
    "a bomb of text": packed(config=b" " * (8 << 20) + b"{}", method=zipfile.ZIP_DEFLATED),
    "a bomb of weights": packed(weights=hdf5() + b"\0" * (8 << 20), method=zipfile.ZIP_DEFLATED),
    "a flipped bit in a weight": flipped(packed(), packed().index(ARRAYS[KERNEL].tobytes()) + 5),
    "older Keras": packed(metadata={"keras_version": "2.15.0"}),
    "no version": packed(metadata={}),
}


def with_a_member_twice():
    data = packed(extra=[("config.jsoX", b"{}")])
    return data.replace(b"config.jsoX", b"config.json")


ARCHIVES["a member twice"] = with_a_member_twice()
