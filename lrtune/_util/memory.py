"""How much memory is free for loading files.

A small file can unpack to a thousand times its size, and a file from elsewhere may claim any size.
The headers say how much its arrays take, so this is compared with the free memory before reading.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

UNKNOWN_BYTES = 16 * 2**30
"""Assumed if the machine does not report its memory."""

_MEMINFO = Path("/proc/meminfo")
_CONTAINER = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def free_bytes() -> int:
    """Memory that is available without swapping; in a container at most the container's limit."""
    known = [_number(path) for path in _CONTAINER]
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text(_MEMINFO), re.MULTILINE)
    known.append(int(found[1]) * 1024 if found else None)
    if hasattr(os, "sysconf"):  # not on Windows
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((number for number in known if number is not None), default=UNKNOWN_BYTES)


def gibibytes(size: int) -> str:
    """A number of bytes in words; a hostile header may claim a size with thousands of digits."""
    return f"{size / 2**30:,.1f} GiB" if size < 2**60 else "more than a billion GiB"


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None  # "max" where there is no limit


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
