"""Standard outputs that fail, as file descriptors."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def closed_pipe() -> int:
    """As `| head` leaves it."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def dead_terminal() -> int:
    ours, theirs = pty.openpty()
    os.close(ours)
    return theirs


OUTPUTS: dict[str, Callable[[], int]] = {
    one.__name__: one for one in (full_disk, closed_pipe, dead_terminal)
}
