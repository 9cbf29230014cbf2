"""What an `.npz` file claims is checked before it is read."""

from __future__ import annotations

import io
import os
import struct
import zipfile

import numpy as np
import pytest

from lrtune._util import memory, npz


def header(shape, descr="|u1", version=(1, 0)) -> bytes:
    """The head of a `.npy` file that claims a shape."""
    file = io.BytesIO()
    write = np.lib.format.write_array_header_1_0
    write(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue().replace(b"NUMPY\x01\x00", b"NUMPY" + bytes(version))


def pack(path, content, *, compression=zipfile.ZIP_STORED, name="x.npy"):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, content)
    return path


def message(path) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        npz.read_npz(path)
    return str(error.value)


def test_numpy_reads_what_was_written(tmp_path):
    arrays = {
        "model/0": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "file": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "allow_pickle": np.zeros((0, 3)),
        "scalar": np.float64(0.1),
    }

    with (tmp_path / "a.npz").open("wb") as file:
        npz.write_npz(file, arrays)

    with np.load(tmp_path / "a.npz", allow_pickle=False) as read:
        assert list(read) == list(arrays)
        for key, array in arrays.items():
            np.testing.assert_array_equal(read[key], array, strict=True)
    assert list(npz.read_npz(tmp_path / "a.npz")) == list(arrays)


def test_objects_are_not_written(tmp_path):
    with (
        (tmp_path / "a.npz").open("wb") as file,
        pytest.raises(ValueError, match=r"^Object arrays cannot be saved when allow_pickle=False$"),
    ):
        npz.write_npz(file, {"a": np.array([object()])})


def test_files_that_numpy_wrote_can_be_read(tmp_path):
    arrays = {
        "x": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(7),
        "text": np.array(["cat", "dög"]),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        read = npz.read_npz(tmp_path / "a.npz")
        assert list(read) == list(arrays)
        for key, array in arrays.items():
            np.testing.assert_array_equal(read[key], array)
            assert read[key].dtype == array.dtype


def test_a_missing_file_and_a_damaged_one_are_different_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        npz.read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (header((10**9,)), "its header claims 1000000000 bytes, the file holds 0"),
        (header((2**62, 4)) + b"ab", f"its header claims {2**64} bytes, the file holds 2"),
        (header((3,)) + b"abcd", "its header claims 3 bytes, the file holds 4"),
        (header((-1,)), "its shape is (-1,)"),
        (header((1,), "|O"), "Object arrays cannot be loaded when allow_pickle=False"),
        (header((1,), version=(3, 0)) + b"a", "its format has the version 3.0"),
        (header((1,), version=(9, 9)) + b"a", "its format has the version 9.9"),
        (b"no array", "the magic string is not correct"),
        (b"", "EOF: reading magic string"),
    ],
)
def test_a_member_that_does_not_match_its_header_is_refused(tmp_path, content, told):
    assert told in message(pack(tmp_path / "a.npz", content))


def hostile_headers():
    """Text in the place of the header's dictionary."""
    nested = b"{'descr': '|u1', 'fortran_order': False, 'shape': " + b"(" * 9000 + b"}"
    for text in (nested, b"('" * 3000, b"'''", b"{" * 9990, b"__import__('os')", b"\xff" * 50):
        yield b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n"
    yield b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{"


@pytest.mark.parametrize("content", list(hostile_headers()))
def test_an_invalid_header_is_always_the_same_kind_of_error(tmp_path, content):
    assert message(pack(tmp_path / "a.npz", content))


def test_an_array_larger_than_memory_is_refused_from_its_header(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(100_000, np.uint8), y=np.zeros(9, np.uint8))
    monkeypatch.setattr(npz, "free_bytes", lambda: 100_009)
    assert npz.read_npz(tmp_path / "a.npz")["x"].size == 100_000
    monkeypatch.setattr(npz, "free_bytes", lambda: 100_008)
    monkeypatch.setattr(npz, "read_array", pytest.fail)
    assert message(tmp_path / "a.npz") == "it takes 0.0 GiB, and 0.0 GiB are free"


def test_compressions_that_numpy_does_not_write_are_refused(tmp_path):
    for compression in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        path = pack(tmp_path / "a.npz", header((1,)) + b"a", compression=compression)
        assert message(path) == "it is compressed in a way that NumPy does not write"


def test_an_encrypted_member_is_refused(tmp_path):
    path = pack(tmp_path / "a.npz", header((1,)) + b"a")
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + at] |= 1
    path.write_bytes(bytes(content))
    assert message(path) == "it is encrypted"


def test_a_pipe_is_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    assert message(tmp_path / "a.npz") == "it is not a file"


def test_free_memory_is_the_smallest_known_limit(tmp_path, monkeypatch):
    meminfo, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    meminfo.write_text("MemTotal:  900 kB\nMemAvailable:     300 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CONTAINER", (limit,))
    assert memory.free_bytes() == 300 * 1024
    limit.write_text("max\n")
    assert memory.free_bytes() == 300 * 1024
    limit.write_text("5000\n")
    assert memory.free_bytes() == 5000


def test_this_machine_has_some_memory():
    assert 2**20 < memory.free_bytes() < 2**60


def test_huge_sizes_can_be_written_in_words():
    assert memory.gibibytes(3 * 2**29) == "1.5 GiB"
    assert memory.gibibytes(10**4000) == "more than a billion GiB"
