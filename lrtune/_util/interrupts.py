"""Ctrl-C and SIGTERM in a search: the first waits until nothing is half done, a second does not.

Python raises KeyboardInterrupt wherever it happens to be. In a search that may be after Keras Tuner
got a score and before the score is written. No file would be damaged, but the last report would not
match what is saved.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class Interrupts:
    """While entered, an interrupt raises KeyboardInterrupt only where it is `welcome`.

    A second one raises at once. Nothing changes outside the main thread, which is the only one to
    get signals, nor for signals that the program handles itself.
    """

    def __init__(self) -> None:
        self._pending = False
        self._welcome = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) in _DEFAULTS:
                    self._before[number] = signal.signal(number, self._caught)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    @contextmanager
    def welcome(self) -> Iterator[None]:
        """Where an interrupt may end the search; one that came earlier raises here."""
        self._welcome = True
        try:
            if self._pending:
                raise KeyboardInterrupt
            yield
        finally:
            self._welcome = False
        if self._pending:  # TensorFlow turned it into an error of its own
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
