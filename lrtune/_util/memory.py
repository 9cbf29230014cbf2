"""How much memory there is to load things into.

A small file can unpack to a thousand times its size, and one that somebody else made may claim any
size. What its arrays will take is known from headers, so it is compared before anything is read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

UNKNOWN_BYTES = 16 * 2**30
"""Taken for the memory of a machine that does not tell."""

_MEMINFO = Path("/proc/meminfo")
_CONTAINER = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def free_bytes() -> int:
    """Memory that can be had without swapping; within a container, no more than its own limit."""
    known = [_number(path) for path in _CONTAINER]
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text(_MEMINFO), re.MULTILINE)
    known.append(int(found[1]) * 1024 if found else None)
    if hasattr(os, "sysconf"):  # not on Windows
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((number for number in known if number is not None), default=UNKNOWN_BYTES)


def gibibytes(size: int) -> str:
    """A number of bytes, in words; sizes that a hostile header claims have thousands of digits."""
    return f"{size / 2**30:,.1f} GiB" if size < 2**60 else "more than a billion GiB"


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None  # "max" where there is no limit


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
