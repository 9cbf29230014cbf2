"""Ctrl-C, SIGTERM and SIGHUP in a search: the first waits for a safe moment, a second does not.

Python raises KeyboardInterrupt at any line, for example after Keras Tuner got a score and before
the score is written. No file would be damaged, but the last report would not match the saved files.
"""

from __future__ import annotations

import signal
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What ends a search; SIGHUP, which Windows lacks, comes when the terminal goes away."""

_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class Interrupts:
    """While entered, an interrupt raises KeyboardInterrupt only inside `welcome`.

    One that came too late for any of these blocks raises when this one is left. A second one
    raises at once. Nothing changes outside the main thread, the only one that gets signals, or for
    signals that the program handles itself. It may be entered again inside itself.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._pending = False
        self._welcome = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) in _DEFAULTS:
                    self._before[number] = signal.signal(number, self._caught)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before.clear()
        if self._pending and error is None:  # during the last outcome's records
            raise KeyboardInterrupt

    @contextmanager
    def welcome(self) -> Iterator[None]:
        """In this block an interrupt may end the search; an earlier one raises at its start."""
        self._welcome = True
        try:
            if self._pending:
                raise KeyboardInterrupt
            yield
        finally:
            self._welcome = False
        if self._pending:  # TensorFlow replaced it by an error of its own
            raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Inside `welcome`: an interrupt waits until the end of this block."""
        self._welcome = False
        try:
            yield
        finally:
            self._welcome = True
        if self._pending:
            raise KeyboardInterrupt

    def _caught(self, number: int, frame: Any) -> None:  # noqa: ARG002 - as Python calls it
        second, self._pending = self._pending, True
        if second or self._welcome:
            raise KeyboardInterrupt


def raised_by_signal(error: BaseException) -> bool:
    """Whether an exception that was just caught comes from a signal, not from the code that ran.

    A handler written in Python leaves its frame in the traceback. Python's own handler of Ctrl-C
    leaves none, so where it is installed, every KeyboardInterrupt of the main thread counts.
    """
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    if isinstance(error, KeyboardInterrupt) and signal.default_int_handler in handlers:
        return threading.current_thread() is threading.main_thread()
    codes = [getattr(handler, "__code__", None) for handler in handlers]
    return any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__))
