"""Follows a search or a confirmation from another process, by what it writes; writes nothing.

Every look at the run folder is turned into what an observer of the search would be told, so that
the display is the search's own. A trial that has ended is read once, one that runs when its file of
epochs has changed.
"""

from __future__ import annotations

import json
import math
import socket
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

from lrtune._util.printable import printable
from lrtune.display import Display, Leaderboard, make_progress
from lrtune.records import schema
from lrtune.records.epochs import read_epochs
from lrtune.records.ids import BASELINE, BASELINE_SEARCH, CONFIRM, TrialId
from lrtune.records.lock import HOLDER, LOCK
from lrtune.records.parse import (
    UNREADABLE,
    read_bytes,
    read_confirm_manifest,
    read_manifest,
    read_outcome,
)
from lrtune.records.reader import arm_ids, read_proposal, read_run, trial_ids
from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

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
    """Shows how a search or a confirmation goes on, until it is finished or Ctrl-C is pressed.

    Args:
        folder: the run folder.
        console: where to show it: live on a terminal, else a line a finished trial.
        sleep: waits so many seconds.
        clock: gives seconds.

    Raises:
        RunFolderError: there is no such run, or it is gone.
    """
    run = _Watched(Path(folder))
    try:
        stage = run.stage()
        if stage is None:
            console.print("Waiting for the search to begin ...", highlight=False)
        while stage is None or not stage.over:
            if stage is None:
                sleep(SECONDS)
                stage = run.stage()
            else:
                stage = _follow(run, stage, console, sleep, clock)
    except KeyboardInterrupt:
        return  # which is how one stops to watch: the search goes on


@dataclass(frozen=True)
class Writer:
    """Who writes a run.

    Attributes:
        words: who, on one line.
        alive: whether it does so now; None where nothing here can tell.
    """

    words: str
    alive: bool | None


def read_writer(folder: Path) -> Writer:
    """Who has the right to write the run, by its own word; the lock itself is left alone."""
    try:
        told = json.loads(read_bytes(folder / HOLDER))
        process, host, since = int(told["process"]), str(told["host"]), str(told["since"])
        began = datetime.fromisoformat(since).timestamp()
    except UNREADABLE:
        return Writer("no process is writing this run now", alive=False)
    when = since[11:16]
    if host != socket.gethostname():
        return Writer(printable(f"written by process {process} on {host} since {when}"), alive=None)
    if not _runs(process, began):
        return Writer(f"no process is writing this run now: {process} is gone", alive=False)
    return Writer(printable(f"written by process {process} since {when}"), alive=True)


def _runs(process: int, since: float) -> bool:
    try:
        # A later process may have got the number of one that died.
        return bool(psutil.Process(process).create_time() < since + 2)
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False


@dataclass(frozen=True)
class _Stage:
    """A search or a confirmation, as far as it matters whether it is still the same."""

    manifest: Manifest | ConfirmManifest
    created: str
    over: bool

    def same_as(self, other: _Stage | None) -> bool:
        """Whether there is nothing but another look to take."""
        return other is not None and (self.created, self.over) == (other.created, other.over)


class _Watched:
    """A run folder that is looked at again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._manifest: Manifest | None = None
        self._stamps: dict[str, object] = {}
        self._confirm: ConfirmManifest | None = None

    def stage(self) -> _Stage | None:
        """What is going on; None while the search that holds the folder has not written it yet.

        Raises:
            RunFolderError: there is no run in the folder, and nobody is about to write one.
        """
        self._read_manifests()
        if self._manifest is None:
            return None
        confirm = self._confirm
        if confirm is not None and self._manifest.finished is not None:
            return _Stage(confirm, f"confirm {confirm.created}", confirm.finished is not None)
        # A finished search that is still being written is one that is about to be confirmed.
        over = self._manifest.finished is not None and not read_writer(self.folder).alive
        return _Stage(self._manifest, self._manifest.created, over)

    def _read_manifests(self) -> None:
        path = self.folder / schema.MANIFEST
        try:
            if self._changed(path) or self._manifest is None:
                self._manifest = read_manifest(path)
        except UNREADABLE:
            if not (_is_begun(self.folder) or read_writer(self.folder).alive):
                self._manifest = read_run(self.folder).manifest  # or an error that says it all
        path = self.folder / CONFIRM / schema.CONFIRM_MANIFEST
        if self._changed(path):
            try:
                self._confirm = read_confirm_manifest(path)
            except UNREADABLE:
                self._confirm = None

    def _changed(self, path: Path) -> bool:
        stamp, before = _stamp(path), self._stamps.get(str(path))
        self._stamps[str(path)] = stamp
        return stamp != before


def _is_begun(folder: Path) -> bool:
    """Whether a search has tried that it can write here, and is now starting TensorFlow."""
    try:
        return {path.name for path in folder.iterdir()} == {LOCK}
    except OSError:
        return False


def _stamp(path: Path) -> object:
    """What changes with a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _follow(
    run: _Watched,
    stage: _Stage,
    console: Console,
    sleep: Callable[[float], object],
    clock: Callable[[], float],
) -> _Stage | None:
    """Shows one stage until it is over or another one begins, which is returned."""
    manifest = stage.manifest
    trials, epochs = manifest.planned or (None, None)
    if isinstance(manifest, schema.Manifest):
        board = Leaderboard(manifest.objective, manifest.direction, manifest.max_epochs)
    else:
        arms = dict.fromkeys((manifest.baseline, *manifest.arms))
        board = Leaderboard(
            manifest.objective, manifest.direction, manifest.epochs, arms=tuple(arms)
        )
    with make_progress(console, board, trials, epochs, clock=clock) as display:
        trials_read = _Trials(run.folder, stage.manifest, display)
        now: _Stage | None = stage
        while True:
            writer = read_writer(run.folder)
            trials_read.look()
            display.status(writer.words, stopped=writer.alive is False)
            display.refresh()
            if not stage.same_as(now):
                return now
            sleep(SECONDS)
            now = run.stage()


class _Trials:
    """Tells a display what has become of the trials since the last look."""

    def __init__(
        self, folder: Path, manifest: Manifest | ConfirmManifest, display: Display
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._display = display
        self._first = True
        self._ended: set[str] = set()
        self._running: dict[str, TrialTask] = {}
        self._rows: dict[str, int] = {}
        self._stamps: dict[str, object] = {}

    def look(self) -> None:
        """Reads what is new."""
        ids = self._ids()
        unfinished = []
        for trial in ids:
            trial_id = str(trial)
            if trial_id in self._ended:
                continue
            outcome = self._outcome(trial)
            if outcome is None:
                unfinished.append(trial)
                continue
            self._ended.add(trial_id)
            if self._first:
                self._display.trial_found(outcome)
                continue
            self._epochs(trial, outcome)
            self._running.pop(trial_id, None)
            self._display.trial_ended(outcome)
        for trial in unfinished:
            self._epochs(trial, None)
        self._first = False
        board = self._display.board
        if board.trials is not None and len(ids) > board.trials:
            board.trials = board.epochs = None  # of a run that was continued for more trials

    def _ids(self) -> list[TrialId]:
        """Every training with a folder."""
        if isinstance(self._manifest, schema.ConfirmManifest):
            return arm_ids(self._folder, CONFIRM)
        nested = trial_ids(self._folder / BASELINE_SEARCH)
        return [
            *(TrialId(BASELINE_SEARCH, number=one) for one in nested),
            *arm_ids(self._folder, BASELINE),
            *(TrialId("search", number=one) for one in trial_ids(self._folder)),
        ]

    def _outcome(self, trial: TrialId) -> Outcome | None:
        try:
            outcome = read_outcome(self._folder / trial.folder / schema.OUTCOME, str(trial))
        except UNREADABLE:
            return None  # not there yet; or damaged, which the report tells
        return replace(outcome, trial_id=str(trial))

    def _epochs(self, trial: TrialId, outcome: Outcome | None) -> None:
        """Tells that a trial has begun, and the epochs it has finished since the last look."""
        trial_id = str(trial)
        stamp = _stamp(self._folder / trial.folder / schema.EPOCHS)
        if trial_id in self._running and self._stamps.get(trial_id) == stamp:
            return
        self._stamps[trial_id] = stamp
        rows = read_epochs(self._folder, trial_id) if stamp is not None else []
        known = self._rows.get(trial_id, 0)
        if len(rows) < known:  # its worker was lost, or the search continued: it began again
            self._display.board.trial_lost(trial_id)
            self._running.pop(trial_id, None)
            known = 0
        if trial_id not in self._running:
            self._running[trial_id] = self._task(trial, outcome)
            self._display.trial_began(self._running[trial_id])
        for row in rows[known:]:
            took = row.get("seconds", math.nan)
            self._display.epoch_took(trial_id, row, took if math.isfinite(took) else None)
        self._rows[trial_id] = len(rows)

    def _task(self, trial: TrialId, outcome: Outcome | None) -> TrialTask:
        trial_id = str(trial)
        if outcome is not None:
            first, last = outcome.epochs.first - 1, outcome.epochs.planned
            return TrialTask(trial_id, outcome.recipe, outcome.seed, first, last)
        values: Mapping[str, Any] | None
        if isinstance(self._manifest, schema.ConfirmManifest):
            horizon, arms = self._manifest.epochs, self._manifest.arms
        else:
            horizon, arms = self._manifest.max_epochs, self._manifest.baseline_arms
        values = arms.get(trial.arm) if trial.arm else read_proposal(self._folder, trial_id)
        values = values or {}
        recipe = Recipe.from_values(values)
        begin, end = values.get("tuner/initial_epoch"), values.get("tuner/epochs")
        if isinstance(begin, int) and isinstance(end, int):
            return TrialTask(trial_id, recipe, 0, begin, end)
        return TrialTask(trial_id, recipe, 0, 0, horizon)
