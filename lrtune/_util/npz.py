"""Arrays into an `.npz` file, and out of one that somebody else may have made.

What a member claims to be is checked before any of it is read: no pickle, no compression but the
two that NumPy writes, no size that the file does not hold. Nothing is ever unpacked to disk.
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

# NumPy writes no others. Unpacking LZMA takes as much memory as its header asks for, up to 4 GiB.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Header:
    """What a member claims to be.

    Attributes:
        shape: ints >= 0, of any size.
        dtype: of its values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Number of values; Python's own int, for NumPy's would wrap around at 2**63."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that reading it takes."""
        return self.size * self.dtype.itemsize


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file of ours that may be damaged, or may have been put in its place.

    Raises:
        FileNotFoundError, NotADirectoryError: there is none.
        ValueError: it cannot be read, for whatever reason; the message says which.
    """
    try:
        return _read_all(path)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except Exception as error:  # zip, zlib and NumPy's parsers each have errors of their own
        raise ValueError(str(error) or type(error).__name__) from error


def write_npz(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as `numpy.savez` does, but never a pickle.

    NOTE: NumPy 1.26, which TensorFlow 2.18 may come with, takes `savez(allow_pickle=False)` for one
    more array, and pickles objects all the same.

    Raises:
        ValueError: an array of objects.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for key, array in arrays.items():
            with archive.open(key + SUFFIX, "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)


def _read_all(path: Path) -> dict[str, NDArray[Any]]:
    # A pipe would be waited on for ever, a device never ends.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a file")
    with zipfile.ZipFile(path) as archive:
        headers = {key: read_header(archive, key) for key in keys(archive)}
        needed, free = sum(header.nbytes for header in headers.values()), free_bytes()
        if needed > free:
            raise ValueError(f"it takes {gibibytes(needed)}, and {gibibytes(free)} are free")
        return {key: read_array(archive, key) for key in headers}


def keys(archive: zipfile.ZipFile) -> list[str]:
    """The names of the arrays in it; other members are no concern of ours."""
    return [name.removesuffix(SUFFIX) for name in archive.namelist() if name.endswith(SUFFIX)]


def read_header(archive: zipfile.ZipFile, key: str) -> Header:
    """Read what an array claims to be, and none of its values.

    Raises:
        ValueError: a header that is damaged, or that claims what the file does not hold.
        Exception: whatever the parsers of a hostile header happen to raise.
    """
    info = archive.getinfo(key + SUFFIX)
    if info.flag_bits & 1:
        raise ValueError("it is encrypted")
    if info.compress_type not in COMPRESSIONS:
        raise ValueError("it is compressed in a way that NumPy does not write")
    with archive.open(info) as member:
        version = npy.read_magic(member)
        # Version 3 is 2 with names of fields in Unicode: an image has no fields.
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"its format has the version {version[0]}.{version[1]}")
        shape, _, dtype = read(member)
        start = member.tell()
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    header = Header(shape, dtype)
    # The size of a pickle is not known, but then it is not read either.
    if not dtype.hasobject and start + header.nbytes != info.file_size:
        raise ValueError(
            f"its header claims {header.nbytes} bytes, the file holds {info.file_size - start}"
        )
    return header


def read_array(archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    """Read an array whose header was checked, to its end, where zip keeps the checksum.

    Raises:
        ValueError: it holds pickled objects, which are never loaded, or ends early.
        Exception: zip's and NumPy's other errors; a damaged member raises many kinds.
    """
    with archive.open(key + SUFFIX) as member:
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array
