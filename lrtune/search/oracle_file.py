"""When a search writes Keras Tuner's `oracle.json`, so that its cost a trial stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from lrtune.errors import SearchError

if TYPE_CHECKING:
    from lrtune.records.writer import RunWriter

LAG = 0.01
"""How many changes the file may miss, as a share of the trials. A trial makes two: it begins and it
ends. So the file of a search of up to 100 trials misses none."""


class OracleFile:
    """The `oracle.json` of a search that is running.

    It names every trial, so it grows with each: 1.3 MB and 25 ms after 10,000 of them. Written at
    each change, it took most of the driver's time by then. Written once in a hundredth of the
    trials, it takes the same of every trial. It is also written when a search ends or is
    interrupted.

    Resuming does not read it. To stock Keras Tuner, which opens a run that was killed, the trials
    that it misses are known from their own `trial.json`. Keras Tuner ranks them and goes on. It
    trains again, for nothing, what ended meanwhile, and leaves out what began meanwhile.

    Args:
        writer: writes the file.
        oracle: `keras_tuner.Oracle`, about which the file has been written.
    """

    def __init__(self, writer: RunWriter, oracle: Any) -> None:
        self._writer = writer
        self._oracle = oracle
        self._missing = 0
        self._seen = self._size()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None or issubclass(error, KeyboardInterrupt | SearchError):
            self.save()

    def changed(self) -> None:
        """Notes a change of the oracle whose trial has been written."""
        self._missing += 1
        self._seen = self._size()
        if self._missing >= LAG * len(self._oracle.trials):
            self.save()

    def save(self) -> None:
        """Writes the file if it misses anything."""
        # A second Ctrl-C may have come before the trial was written, and no file may name it then.
        if self._missing and self._seen == self._size():
            self._writer.oracle(self._oracle.get_state())
            self._missing = 0

    def _size(self) -> tuple[int, int]:
        return len(self._oracle.start_order), len(self._oracle.end_order)
