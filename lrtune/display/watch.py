"""Follows a search or a confirmation from another process, by what it writes; writes nothing.

Every look at the run folder becomes the calls that an observer of the search would get, so the
display is the search's own.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lrtune._util.printable import printable
from lrtune.display import Display, Leaderboard, make_progress
from lrtune.records import parse, schema
from lrtune.records.epochs import read_epochs
from lrtune.records.folders import arm_ids, trial_ids
from lrtune.records.ids import BASELINE, BASELINE_SEARCH, CHOICE, CONFIRM, TrialId
from lrtune.records.lock import LOCK, read_owner
from lrtune.records.reader import read_run
from lrtune.records.task import TrialTask
from lrtune.records.tuner_files import read_proposal
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from rich.console import Console

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome

SECONDS = 2.0
"""Between two looks at the run folder."""


def watch(
    folder: str | os.PathLike[str],
    console: Console,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Shows a search or a confirmation as it runs, until it is finished or Ctrl-C is pressed.

    Args:
        folder: the run folder.
        console: where to show it: live on a terminal, elsewhere one line a finished trial.
        sleep: waits so many seconds.
        clock: gives seconds.

    Raises:
        RunFolderError: there is no such run, or it was removed.
    """
    folder = Path(folder)
    try:
        stage = _read_stage(folder)
        if stage is None:
            console.print("Waiting for the search to begin ...", highlight=False)
        while stage is None or not stage.over:
            if stage is None:
                sleep(SECONDS)
                stage = _read_stage(folder)
            else:
                stage = _follow(folder, stage, console, sleep, clock)
    except KeyboardInterrupt:
        return  # Ctrl-C only ends the watching: the search goes on


@dataclass(frozen=True)
class Writer:
    """Who writes a run.

    Attributes:
        words: who, on one line.
        alive: whether that process is running; None if it is on another machine.
    """

    words: str
    alive: bool | None


def read_writer(folder: Path) -> Writer:
    """Who says that it is writing the run; the lock itself is left alone."""
    owner = read_owner(folder)
    try:
        began = None if owner is None else datetime.fromisoformat(owner.since).timestamp()
    except ValueError:
        began = None
    if owner is None or began is None:
        return Writer("no process is writing this run now", alive=False)
    process, when = owner.process, owner.since[11:16]
    if owner.host != socket.gethostname():
        words = f"written by process {process} on {owner.host} since {when}"
        return Writer(printable(words), alive=None)
    if not _runs(process, began):
        return Writer(f"no process is writing this run now: {process} is gone", alive=False)
    return Writer(printable(f"written by process {process} since {when}"), alive=True)


def _runs(process: int, since: float) -> bool:
    try:
        # The number of a process that died may belong to a later one now.
        return bool(psutil.Process(process).create_time() < since + 2)
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False


@dataclass(frozen=True)
class _Stage:
    """A search or a confirmation, and whether it is over."""

    manifest: Manifest | ConfirmManifest
    over: bool

    @property
    def key(self) -> tuple[type, str, bool]:
        """Stays equal as long as another look at the trials is all there is to do."""
        return type(self.manifest), self.manifest.created, self.over


def _read_stage(folder: Path) -> _Stage | None:
    """What is going on; None while the search that holds the folder has not written it yet.

    Raises:
        RunFolderError: there is no run in the folder, and nobody is about to write one.
    """
    try:
        manifest = parse.read_manifest(folder)
    except parse.UNREADABLE:
        if _has_begun(folder) or read_writer(folder).alive:
            return None
        manifest = read_run(folder).manifest  # or an error that says what is wrong
    if manifest.finished is not None:
        with suppress(*parse.UNREADABLE):
            confirm = parse.read_confirm_manifest(folder)
            return _Stage(confirm, confirm.finished is not None)
    # A finished search that is still being written is about to be confirmed.
    return _Stage(manifest, manifest.finished is not None and not read_writer(folder).alive)


def _has_begun(folder: Path) -> bool:
    """Whether a search has made sure that it can write here, and is now starting TensorFlow."""
    try:
        return {path.name for path in folder.iterdir()} == {LOCK}
    except OSError:
        return False


def _follow(
    folder: Path,
    stage: _Stage,
    console: Console,
    sleep: Callable[[float], object],
    clock: Callable[[], float],
) -> _Stage | None:
    """Shows one stage until it is over or another one begins, and returns that."""
    planned = stage.manifest.planned or (None, None)
    with make_progress(console, Leaderboard.of(stage.manifest), *planned, clock=clock) as display:
        trials = _Trials(folder, display)
        while True:
            latest = _read_stage(folder)
            if same := latest is not None and latest.key == stage.key:
                stage = latest
            writer = read_writer(folder)
            trials.look(stage.manifest)
            display.status(writer.words, stopped=writer.alive is False)
            if not same:
                return latest
            sleep(SECONDS)


class _Trials:
    """Turns what has changed in the run folder since the last look into an observer's calls."""

    def __init__(self, folder: Path, display: Display) -> None:
        self._folder = folder
        self._display = display
        self._first = True
        self._ended: set[str] = set()
        self._running: dict[str, TrialTask] = {}
        self._epochs: dict[str, int] = {}

    def look(self, manifest: Manifest | ConfirmManifest) -> None:
        """Reads what is new."""
        ids = self._ids(manifest)
        new = [(one, self._outcome(one)) for one in ids if str(one) not in self._ended]
        # Ended trials first: a worker's next trial begins only when its last one has ended.
        for trial, outcome in sorted(new, key=lambda one: one[1] is None):
            trial_id = str(trial)
            if outcome is not None:
                self._ended.add(trial_id)
                if self._first:
                    self._display.trial_found(outcome)
                    continue
            self._catch_up(trial_id, self._task(trial, outcome, manifest))
            if outcome is not None:
                self._display.trial_ended(outcome)
        self._first = False
        board = self._display.board
        if board.trials is not None and len(ids) > board.trials:
            board.trials = board.epochs = None  # the run was continued for more trials

    def _ids(self, manifest: Manifest | ConfirmManifest) -> list[TrialId]:
        """Every training with a folder."""
        if isinstance(manifest, schema.ConfirmManifest):
            return [*arm_ids(self._folder, CHOICE), *arm_ids(self._folder, CONFIRM)]
        nested = trial_ids(self._folder / BASELINE_SEARCH)
        return [
            *(TrialId(BASELINE_SEARCH, number=one) for one in nested),
            *arm_ids(self._folder, BASELINE),
            *(TrialId("search", number=one) for one in trial_ids(self._folder)),
        ]

    def _outcome(self, trial: TrialId) -> Outcome | None:
        try:
            outcome = parse.read_outcome(self._folder, str(trial))
        except parse.UNREADABLE:
            return None  # it has not ended; or it is damaged, and the report says so
        return replace(outcome, trial_id=str(trial))

    def _catch_up(self, trial_id: str, task: TrialTask) -> None:
        """Passes on that a trial has begun, and the epochs that it finished since the last look."""
        rows = read_epochs(self._folder, trial_id)
        if len(rows) < self._epochs.get(trial_id, 0):
            self._display.trial_lost(self._running.pop(trial_id), "began again")
            del self._epochs[trial_id]
        if trial_id not in self._running:
            self._running[trial_id] = task
            self._display.trial_began(task)
        for row in rows[self._epochs.get(trial_id, 0) :]:
            self._display.epoch_ended(trial_id, row)
        self._epochs[trial_id] = len(rows)

    def _task(
        self, trial: TrialId, outcome: Outcome | None, manifest: Manifest | ConfirmManifest
    ) -> TrialTask:
        if outcome is not None:
            first, last = outcome.epochs.first - 1, outcome.epochs.planned
            return TrialTask(str(trial), outcome.recipe, outcome.seed, first, last)
        if isinstance(manifest, schema.ConfirmManifest):
            arms, last = manifest.arms, manifest.epochs
        else:
            arms, last = manifest.baseline_arms, manifest.max_epochs
        proposed = arms.get(trial.arm) if trial.arm else read_proposal(self._folder, str(trial))
        values = proposed or {}
        begin, end = values.get("tuner/initial_epoch"), values.get("tuner/epochs")
        if not (isinstance(begin, int) and isinstance(end, int)):
            begin, end = 0, last
        elif isinstance(manifest, schema.Manifest) and manifest.horizon == "rescaled":
            begin = 0
        return TrialTask(str(trial), Recipe.from_values(values), trial.seed, begin, end)
