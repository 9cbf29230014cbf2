"""Writes arrays to an `.npz` file, and reads such files from untrusted sources.

The header of a member is checked before its values are read: no pickle, no compression but the two
that NumPy writes, no size that differs from the file's. Nothing is ever unpacked to disk.
"""

from __future__ import annotations

import math
import stat
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from lrtune._util.memory import free_bytes, gibibytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

SUFFIX = ".npy"

# NumPy writes only these. Unpacking LZMA takes as much memory as its header demands, up to 4 GiB.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Header:
    """The header of an array in the file.

    Attributes:
        shape: ints >= 0, of any size.
        dtype: type of the values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Number of values as a Python int, because NumPy's would overflow at 2**63."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the array takes."""
        return self.size * self.dtype.itemsize


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file that lrtune wrote, which may be damaged or replaced.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        ValueError: it cannot be read; the message says why.
    """
    try:
        return _read_all(path)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except Exception as error:  # zip, zlib and NumPy's parsers each have errors of their own
        raise ValueError(str(error) or type(error).__name__) from error


def write_npz(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as `numpy.savez` does, but never a pickle.

    NOTE: NumPy 1.26, which TensorFlow 2.18 supports, takes the `allow_pickle=False` of `savez` for
    another array and pickles objects anyway.

    Raises:
        ValueError: an array of objects.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for key, array in arrays.items():
            with archive.open(key + SUFFIX, "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)


def _read_all(path: Path) -> dict[str, NDArray[Any]]:
    # Reading a pipe would block, and reading a device would never end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a file")
    with zipfile.ZipFile(path) as archive:
        headers = {key: read_header(archive, key) for key in keys(archive)}
        needed, free = sum(header.nbytes for header in headers.values()), free_bytes()
        if needed > free:
            raise ValueError(f"it takes {gibibytes(needed)}, and {gibibytes(free)} are free")
        return {key: read_array(archive, key) for key in headers}


def keys(archive: zipfile.ZipFile) -> list[str]:
    """The names of the arrays in an archive; other members are ignored."""
    return [name.removesuffix(SUFFIX) for name in archive.namelist() if name.endswith(SUFFIX)]


def read_header(archive: zipfile.ZipFile, key: str) -> Header:
    """Read the header of an array, but not its values.

    Raises:
        ValueError: the header is damaged or does not match the file.
        Exception: others that the parsers raise for a hostile header.
    """
    info = archive.getinfo(key + SUFFIX)
    if info.flag_bits & 1:
        raise ValueError("it is encrypted")
    if info.compress_type not in COMPRESSIONS:
        raise ValueError("it is compressed in a way that NumPy does not write")
    with archive.open(info) as member:
        version = npy.read_magic(member)
        # Version 3 adds Unicode names of fields, which our arrays do not have.
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"its format has the version {version[0]}.{version[1]}")
        shape, _, dtype = read(member)
        start = member.tell()
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    header = Header(shape, dtype)
    # The size of a pickle is unknown, but it is not read anyway.
    if not dtype.hasobject and start + header.nbytes != info.file_size:
        raise ValueError(
            f"its header claims {header.nbytes} bytes, the file holds {info.file_size - start}"
        )
    return header


def read_array(archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    """Read an array whose header was checked, to the end, so that zip verifies the checksum.

    Raises:
        ValueError: it contains pickled objects, which are never loaded, or ends early.
        Exception: other errors of zip and NumPy, of which a damaged member raises many kinds.
    """
    with archive.open(key + SUFFIX) as member:
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array
