"""Files from addresses: cached, checked by their hash, unpacked only inside their folder; nothing half done is kept."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from autograd_nn import utils
from autograd_nn.errors import DataError, InvalidArgument

TEXT = b"hello"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    return tmp_path


def fetch(place, name="a.txt", **options):
    return Path(utils.get_file(origin=(place / name).as_uri(), cache_dir=place / "cache", **options))


def kept(place):
    return sorted(file.name for file in (place / "cache").rglob("*") if file.is_file())


def test_a_file_is_fetched_once(place, capsys):
    path = fetch(place)
    assert path.read_bytes() == TEXT and path == place / "cache" / "datasets" / "a.txt"
    (place / "a.txt").write_bytes(b"changed")
    assert fetch(place).read_bytes() == TEXT
    assert fetch(place, force_download=True).read_bytes() == b"changed"
    assert capsys.readouterr().out.count("Downloading data from") == 2
    assert fetch(place, fname="b.txt", cache_subdir="other") == place / "cache" / "other" / "b.txt"


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_hash_decides(place, kind):
    right = hashlib.new(kind, TEXT).hexdigest()
    assert fetch(place, file_hash=right).read_bytes() == TEXT
    assert fetch(place, file_hash=right.upper(), hash_algorithm=kind).read_bytes() == TEXT
    (place / "cache" / "datasets" / "a.txt").write_bytes(b"spoilt")
    assert fetch(place, file_hash=right).read_bytes() == TEXT
    with pytest.raises(DataError, match="does not have the hash"):
        fetch(place, fname="other", file_hash="0" * len(right))
    assert kept(place) == ["a.txt"]


def test_md5_hash_is_the_old_way(place):
    assert fetch(place, md5_hash=hashlib.md5(TEXT).hexdigest()).read_bytes() == TEXT
    with pytest.raises(DataError, match="does not have the hash"):
        fetch(place, md5_hash="1" * 32, force_download=True)


def archive(place, name, members):
    path = place / name
    if name.endswith("zip"):
        with zipfile.ZipFile(path, "w") as packed:
            for member, data in members.items():
                packed.writestr(member, data)
        return
    with tarfile.open(path, "w:gz") as packed:
        for member, data in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))


@pytest.mark.parametrize("name", ["data.zip", "data.tar.gz"])
def test_archives_are_unpacked(place, name):
    archive(place, name, {"in/a.txt": TEXT})
    assert (fetch(place, name, extract=True) / "in" / "a.txt").read_bytes() == TEXT
    assert fetch(place, name, fname=f"other.{name}", extract=True).name == "other_extracted"
    again = fetch(place, name, extract=True, force_download=True)
    assert [file.name for file in again.rglob("*.txt")] == ["a.txt"]


@pytest.mark.parametrize("name", ["data.zip", "data.tar.gz"])
@pytest.mark.parametrize("member", ["../evil.txt", "/evil.txt", "in/../../evil.txt"])
def test_nothing_leaves_the_folder(place, name, member):
    archive(place, name, {"good.txt": TEXT, member: b"evil"})
    try:
        folder = fetch(place, name, extract=True)
    except DataError as error:
        assert "outside" in str(error)
    else:
        assert name.endswith("gz") and member.startswith("/")  # tar drops the leading slash
        assert sorted(file.name for file in folder.iterdir()) == ["evil.txt", "good.txt"]
    assert not list(place.glob("evil.txt")) and not list((place / "cache").glob("**/../evil.txt"))


def test_no_archive(place):
    with pytest.raises(DataError, match="no archive of the kind tar or zip"):
        fetch(place, extract=True)
    archive(place, "data.zip", {"a": TEXT})
    with pytest.raises(DataError, match="no archive of the kind tar"):
        fetch(place, "data.zip", untar=True)


def test_what_cannot_be_had(place):
    with pytest.raises(DataError, match="cannot fetch"):
        fetch(place, "missing.txt")
    assert kept(place) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ({"origin": None}, "origin must be an address"),
        ({"origin": "a.txt"}, "origin must be an address"),
        ({"origin": "ftp://host/a.txt"}, "origin must be an address"),
        ({"origin": "https://host/"}, "fname must be a name"),
        ({"origin": "https://host/a", "fname": "../a"}, "use cache_dir"),
        ({"origin": "https://host/a", "hash_algorithm": "sha1"}, "hash_algorithm"),
    ],
)
def test_what_cannot_be_meant(options, message, tmp_path):
    with pytest.raises(InvalidArgument, match=message):
        utils.get_file(**{"cache_dir": tmp_path, **options})
    assert not list(tmp_path.iterdir())
