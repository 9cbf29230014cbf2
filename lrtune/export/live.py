"""TensorBoard's event files, written while a search runs."""

from __future__ import annotations

import shlex
import tempfile
import time
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import Self, override

from lrtune._util import checks
from lrtune.display.observer import PrefixedObserver
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.export.event_files import EVENT_FILES, TrialEvents, write_events
from lrtune.export.space import searched
from lrtune.export.trials import recorded
from lrtune.records.reader import read_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lrtune.display.observer import Observer
    from lrtune.export.trials import Recorded
    from lrtune.records.schema import Outcome
    from lrtune.records.task import EpochRecord, TrialTask


def check_folder(folder: Path, run_dir: Path) -> None:
    """Makes the folder for event files if it is missing.

    Raises:
        ArgumentError: nothing can be written there, or it is inside the run folder, which must hold
            nothing but the search.
    """
    if run_dir.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise ArgumentError(
            f"--tensorboard must not be inside the run folder {str(run_dir)!r}. Received: "
            f"{str(folder)!r}."
        )
    with checks.writable("--tensorboard", "a folder that can be written to", folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


class TensorBoardObserver(PrefixedObserver):
    """Writes event files to DIR/NAME, NAME being the run folder's; searches can share DIR.

    The run folder decides what is written. A resumed search rewrites the events of the trials that
    it finds there, and a trial that starts again gets a new event file. A full disk stops the
    events, not the search.

    Args:
        folder: DIR, the argument of `tensorboard --logdir`; made if missing.
        run_dir: the run folder.
        observer: watches the search too; it is notified once when events cannot be written any
            more.

    Raises:
        ArgumentError: see `check_folder`.
    """

    def __init__(self, folder: Path, run_dir: Path, observer: Observer) -> None:
        super().__init__(observer, prefix="")
        check_folder(folder, run_dir)
        self._folder = folder / (run_dir.absolute().name or "run")
        self._run_dir = run_dir
        self._open: dict[str, TrialEvents] = {}
        self._broken = False
        self._clear_once = cache(self._clear)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for events in self._open.values():
            events.close()
        self._open.clear()

    @override
    def trial_found(self, outcome: Outcome) -> None:
        super().trial_found(outcome)
        self._try(self._find, outcome.trial_id)

    @override
    def trial_began(self, task: TrialTask) -> None:
        super().trial_began(task)
        self._try(self._begin, task)

    @override
    def epoch_ended(self, trial_id: str, record: EpochRecord) -> None:
        super().epoch_ended(trial_id, record)
        if trial_id in self._open:
            self._try(self._open[trial_id].epoch, record, time.time())

    @override
    def trial_ended(self, outcome: Outcome) -> None:
        super().trial_ended(outcome)
        events = self._open.pop(outcome.trial_id, None)
        if events is not None:
            self._try(events.end, outcome, time.time())
            events.close()

    def _begin(self, task: TrialTask) -> None:
        if task.trial_id in self._open:  # its worker was lost
            self._open.pop(task.trial_id).close()
        events = TrialEvents(self._folder, task.trial_id, time.time())
        self._open[task.trial_id] = events
        events.begin(searched(task.values), task.last_epoch, task.first_epoch + 1)

    def _find(self, trial_id: str) -> None:
        if trial_id in self._recorded:
            write_events(self._recorded[trial_id], self._folder)

    @cached_property
    def _recorded(self) -> dict[str, Recorded]:
        return {trial.trial_id: trial for trial in recorded(read_run(self._run_dir))}

    def _clear(self) -> None:
        """Removes the events of an earlier search of this name, once this search has events."""
        for path in list(self._folder.rglob(EVENT_FILES)):
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
            self.noticed(
                f"cannot write events to {self._folder}: {reason}. The search goes on without "
                f"them; `lrtune export {shlex.quote(str(self._run_dir))} --to tensorboard` writes "
                "them later."
            )
