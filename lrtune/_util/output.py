"""Standard output that may fail without ending a search: full disk, closed pipe, dead terminal."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

_ASCII = str.maketrans({"±": "+/-", "─": "-"})


class SteadyOutput:
    """A text stream whose writing never raises; everything else is the stream's.

    After the first failure nothing more is shown, and one line on standard error says so.

    Characters that the stream's encoding lacks are replaced or escaped.

    Args:
        stream: to write to; None, as Python has for a descriptor that was closed, for nowhere.
        notice: whether to say that it failed.
        discard: whether the process' standard output then discards what else it gets. Otherwise
            Python complains when it exits, and a `print` of the user's model raises. In a user's
            script that is theirs to decide.
    """

    def __init__(
        self, stream: TextIO | None, *, notice: bool = True, discard: bool = False
    ) -> None:
        self._stream: Any = stream
        self._notice, self._discard = notice, discard
        self._failed = stream is None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes as much as possible; returns the number of characters as if all of them were."""
        if not self._failed:
            try:
                self._write(text)
            except (OSError, ValueError) as error:  # ValueError: it was closed
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Passes what was written to the system, if that is possible."""
        if not self._failed:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._fail(error)

    def isatty(self) -> bool:
        """Whether somebody may be looking."""
        if self._failed:
            return False
        try:
            return bool(self._stream.isatty())
        except (OSError, ValueError):
            return False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError as error:
            known = text.translate(_ASCII).encode(error.encoding, "backslashreplace")
            self._stream.write(known.decode(error.encoding))

    def _fail(self, error: Exception) -> None:
        self._failed = True
        if self._discard:
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, int(self._stream.fileno()))
                os.close(nowhere)
        if self._notice and sys.stderr is not None:
            reason = (isinstance(error, OSError) and error.strerror) or error
            with suppress(OSError, ValueError):
                sys.stderr.write(
                    f"lrtune: standard output cannot be written ({reason}); the work goes on\n"
                )
                sys.stderr.flush()


def open_standard_streams() -> None:
    """Opens the standard streams that the process was started without, as empty ones.

    Otherwise the next file that is opened, one of the run folder for example, would get the number
    of a standard stream, and whatever prints would write into it.
    """
    opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    while opened <= 2:
        os.set_inheritable(opened, True)  # noqa: FBT003 - takes no keyword
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)
    # Python has None in their place.
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
