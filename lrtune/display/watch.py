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
from lrtune.records.lock import HOLDER, LOCK
from lrtune.records.parse import (
    UNREADABLE,
    checked_confirm_manifest,
    checked_manifest,
    checked_outcome,
    loads,
    read_bytes,
)
from lrtune.records.reader import RunRecords, read_proposal, read_run, trial_ids
from lrtune.runner.base import TrialTask
from lrtune.stats.baseline import baseline_share

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome

SECONDS = 2.0
"""Between two looks at the run folder."""

_SEARCHED_BASELINE = f"{schema.BASELINE}/{schema.BASELINE_SEARCH}"


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
                self._manifest = checked_manifest(loads(read_bytes(path)))
        except UNREADABLE:
            if not (_is_begun(self.folder) or read_writer(self.folder).alive):
                self._manifest = read_run(self.folder).manifest  # or an error that says it all
        path = self.folder / schema.CONFIRM / schema.CONFIRM_MANIFEST
        if self._changed(path):
            try:
                self._confirm = checked_confirm_manifest(loads(read_bytes(path)))
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
    trials, epochs = plan(manifest)
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
        begun = 0
        unfinished = []
        for prefix, local in self._ids():
            begun += 1
            trial_id = f"{prefix}{local}"
            if trial_id in self._ended:
                continue
            outcome = self._outcome(prefix, local)
            if outcome is None:
                unfinished.append((prefix, local))
                continue
            self._ended.add(trial_id)
            if self._first:
                self._display.trial_found(replace(outcome, trial_id=trial_id))
                continue
            self._epochs(prefix, local, outcome)
            self._running.pop(trial_id, None)
            self._display.trial_ended(replace(outcome, trial_id=trial_id))
        for prefix, local in unfinished:
            self._epochs(prefix, local, None)
        self._first = False
        board = self._display.board
        if board.trials is not None and begun > board.trials:
            board.trials = board.epochs = None  # what is not in the manifest: several iterations

    def _ids(self) -> Iterator[tuple[str, str]]:
        """Every trial with a folder: where its run folder is, and its id there."""
        if isinstance(self._manifest, schema.ConfirmManifest):
            yield from _arms(self._folder, schema.CONFIRM)
            return
        nested = self._folder / _SEARCHED_BASELINE
        yield from ((f"{_SEARCHED_BASELINE}/", one) for one in trial_ids(nested))
        yield from _arms(self._folder, schema.BASELINE)
        yield from (("", one) for one in trial_ids(self._folder))

    def _outcome(self, prefix: str, local: str) -> Outcome | None:
        path = self._folder / prefix / schema.folder_name(local) / schema.OUTCOME
        try:
            return checked_outcome(loads(read_bytes(path)), local)
        except UNREADABLE:
            return None  # not there yet; or damaged, which the report tells

    def _epochs(self, prefix: str, local: str, outcome: Outcome | None) -> None:
        """Tells that a trial has begun, and the epochs it has finished since the last look."""
        trial_id = f"{prefix}{local}"
        path = self._folder / prefix / schema.folder_name(local) / schema.EPOCHS
        stamp = _stamp(path)
        if trial_id in self._running and self._stamps.get(trial_id) == stamp:
            return
        self._stamps[trial_id] = stamp
        rows = self._read_rows(prefix, local) if stamp is not None else []
        known = self._rows.get(trial_id, 0)
        if len(rows) < known:  # its worker was lost, or the search continued: it began again
            self._display.board.trial_lost(trial_id)
            self._running.pop(trial_id, None)
            known = 0
        if trial_id not in self._running:
            self._running[trial_id] = self._task(prefix, local, outcome)
            self._display.trial_began(self._running[trial_id])
        for row in rows[known:]:
            took = row.get("seconds", math.nan)
            self._display.epoch_took(trial_id, row, took if math.isfinite(took) else None)
        self._rows[trial_id] = len(rows)

    def _read_rows(self, prefix: str, local: str) -> list[dict[str, Any]]:
        manifest: Any = self._manifest  # of which epochs depend on nothing
        records = RunRecords(self._folder / prefix, manifest, (), {}, None, (local,), ())
        return records.epochs(local)

    def _task(self, prefix: str, local: str, outcome: Outcome | None) -> TrialTask:
        trial_id = f"{prefix}{local}"
        if outcome is not None:
            first, last = outcome.epochs.first - 1, outcome.epochs.planned
            return TrialTask(trial_id, outcome.values, outcome.seed, first, last)
        values: Mapping[str, Any] | None
        if isinstance(self._manifest, schema.ConfirmManifest):
            horizon, arms = self._manifest.epochs, self._manifest.arms
        else:
            horizon, arms = self._manifest.max_epochs, self._manifest.baseline_arms
        if "/" in local:
            values = arms.get(local.split("/")[1])
        else:
            values = read_proposal(self._folder / prefix, local)
        values = values or {}
        begin, end = values.get("tuner/initial_epoch"), values.get("tuner/epochs")
        if isinstance(begin, int) and isinstance(end, int):
            return TrialTask(trial_id, values, 0, begin, end)
        return TrialTask(trial_id, values, 0, 0, horizon)


def _arms(folder: Path, kind: str) -> Iterator[tuple[str, str]]:
    """The seeds of all arms below `baseline/` or `confirm/`."""
    for path in sorted((folder / kind).glob("*/seed-*")):
        trial_id = f"{kind}/{path.parent.name}/{path.name}"
        if schema.is_trial_id(trial_id) and path.is_dir():
            yield "", trial_id


def plan(manifest: Manifest | ConfirmManifest) -> tuple[int | None, int | None]:
    """How many trials and epochs there will be at most, the baseline included.

    Returns:
        (trials, epochs), None where the manifest does not tell.
    """
    if isinstance(manifest, schema.ConfirmManifest):
        trainings = len(manifest.arms) * len(manifest.seeds)
        return trainings, trainings * manifest.epochs
    share = baseline_share(manifest)
    arms = set(manifest.baseline_arms) | ({schema.TUNED} if share else set())
    seeds = len(arms) * len(manifest.baseline_seeds)
    rungs = [(seeds, manifest.max_epochs)]
    for part in (1.0, share) if share else (1.0,):
        searched = _rungs(manifest, part)
        if searched is None:
            return None, None
        rungs += searched
    return sum(size for size, _ in rungs), sum(size * epochs for size, epochs in rungs)


def _rungs(manifest: Manifest, share: float) -> list[tuple[int, int]] | None:
    """A search's trials as (how many, epochs of each), by Keras Tuner's formulas for Hyperband."""
    epochs, factor = manifest.max_epochs, manifest.factor
    if manifest.algo != "hyperband":
        trials = manifest.max_trials
        return None if trials is None else [(math.ceil(share * trials), epochs)]
    if not isinstance(factor, int) or factor < 2:
        return None
    brackets = 0
    while epochs / factor**brackets >= 1:
        brackets += 1
    rungs = []
    for bracket in range(brackets):
        end = math.ceil(1 + math.log(epochs, factor)) / (bracket + 1)
        before = 0
        for rung in range(bracket + 1):
            size = math.ceil(end * factor ** (bracket - rung))
            last = math.ceil(epochs / factor ** (bracket - rung))
            rungs.append((math.ceil(share * size), last - before))
            before = last
    return rungs
