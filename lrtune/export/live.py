"""TensorBoard's event files, written while a search runs."""

from __future__ import annotations

import errno
import os
import shlex
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from typing_extensions import Self, override

from lrtune.display.observer import Observer
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.export.event_files import TrialEvents, is_event_file, write_events
from lrtune.export.space import searched
from lrtune.export.trials import kind_of, recorded
from lrtune.records.reader import read_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lrtune.export.trials import Recorded
    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord, TrialTask


def _each(name: str) -> Callable[..., None]:
    def call(self: Observers, *args: Any) -> None:
        for observer in self.observers:
            getattr(observer, name)(*args)

    return call


class Observers(Observer):
    """Lets several observers watch a search: each call goes to all of them, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers

    noticed = _each("noticed")
    trial_found = _each("trial_found")
    trial_began = _each("trial_began")
    epoch_ended = _each("epoch_ended")
    trial_lost = _each("trial_lost")
    trial_ended = _each("trial_ended")


def check_folder(folder: Path, run_dir: Path) -> None:
    """Makes the folder for event files if it is missing.

    Raises:
        ArgumentError: nothing can be written there, or it is inside the run folder, which a new
            search refuses to use once it holds files that are not a search's.
    """
    if run_dir.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise ArgumentError(
            f"--tensorboard must not be inside the run folder {str(run_dir)!r}. Received: "
            f"{str(folder)!r}."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK | os.X_OK)
        reason = os.strerror(errno.EACCES)
    except OSError as error:
        usable, reason = False, error.strerror or type(error).__name__
    if not usable:
        raise ArgumentError(
            f"--tensorboard must be a folder that can be written to. Received: {str(folder)!r} "
            f"({reason})."
        )


class TensorBoardObserver(Observer):
    """Writes DIR/NAME/trial_0007/ and so on, NAME being the run folder's: searches can share DIR.

    The run folder decides what is written. A resumed search rewrites the events of the trials that
    it finds there, and a trial that starts again gets a new event file. A full disk stops the
    events, not the search.

    Args:
        folder: DIR, the argument of `tensorboard --logdir`; made if missing.
        run_dir: the run folder.
        notify: called with one line of text, once, when events cannot be written any more.

    Raises:
        ArgumentError: see `check_folder`.
    """

    def __init__(self, folder: Path, run_dir: Path, notify: Callable[[str], None]) -> None:
        check_folder(folder, run_dir)
        self._folder = folder / (run_dir.absolute().name or "run")
        self._run_dir = run_dir
        self._notify = notify
        self._open: dict[str, TrialEvents] = {}
        self._broken = False
        self._clear_once = cache(self._clear)
        self._read_once = cache(self._read)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for events in self._open.values():
            events.close()
        self._open.clear()

    @override
    def noticed(self, text: str) -> None:
        """Does nothing: the display shows it."""

    @override
    def trial_found(self, outcome: Outcome) -> None:
        self._try(self._find, outcome.trial_id)

    @override
    def trial_began(self, task: TrialTask) -> None:
        self._try(self._begin, task)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        if trial_id in self._open:
            self._try(self._open[trial_id].epoch, record, time.time())

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        events = self._open.pop(outcome.trial_id, None)
        if events is not None:
            last = outcome.epochs.last
            self._try(events.end, outcome.status, outcome.score, last, time.time())
            events.close()

    def _begin(self, task: TrialTask) -> None:
        if task.trial_id in self._open:  # its worker was lost
            self._open.pop(task.trial_id).close()
        events = TrialEvents(self._folder, task.trial_id, time.time())
        self._open[task.trial_id] = events
        values = searched(task.values)
        events.begin(kind_of(task.trial_id), values, task.last_epoch, task.first_epoch + 1)

    def _find(self, trial_id: str) -> None:
        trial = self._read_once().get(trial_id)
        if trial is not None:
            write_events(trial, self._folder)

    def _read(self) -> dict[str, Recorded]:
        return {trial.trial_id: trial for trial in recorded(read_run(self._run_dir))}

    def _clear(self) -> None:
        """Removes the events of an earlier search of this name, when this one has its first."""
        for path in list(self._folder.rglob("*")):
            if is_event_file(path):
                path.unlink()

    def _try(self, write: Callable[..., None], *args: Any) -> None:
        if self._broken:
            return
        try:
            self._clear_once()
            write(*args)
        except (OSError, LrtuneError) as error:
            self._broken = True
            reason = getattr(error, "strerror", None) or error
            self._notify(
                f"cannot write events to {self._folder}: {reason}. The search goes on without "
                f"them; `lrtune export {shlex.quote(str(self._run_dir))} --to tensorboard` writes "
                "them later."
            )
