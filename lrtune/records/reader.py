"""Reads a run folder, as far as it is intact.

Only `run.json` must be intact. A kill, a full disk or an edit may damage any other file: a notice
names it, and the rest is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lrtune._util.inside import plain_file, plain_folder
from lrtune._util.listing import some
from lrtune._util.npz import read_npz
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records import consistency, schema, tuner_files
from lrtune.records.epochs import epochs_and_notice, read_epochs
from lrtune.records.folders import arm_ids, trial_ids
from lrtune.records.ids import BASELINE, BASELINE_SEARCH, CHOICE, CONFIRM, folder_of
from lrtune.records.manifest import DamagedManifestError, load_manifest
from lrtune.records.parse import (
    UNREADABLE,
    read_confirm_manifest,
    read_outcome,
    read_samples,
    reason,
)
from lrtune.records.samples import SAMPLES
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np

    from lrtune.records.ids import ArmKind
    from lrtune.records.samples import Samples
    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome

T = TypeVar("T")


@dataclass(frozen=True)
class Confirmation:
    """What a confirmation recorded.

    Attributes:
        manifest: what is compared.
        outcomes: arm name -> its outcomes in the order of their seeds' folders, in the manifest's
            order of arms. A score is that on the test images.
        choice: the same for the candidates; a score is that on the validation images.
    """

    manifest: ConfirmManifest
    outcomes: Mapping[str, tuple[Outcome, ...]]
    choice: Mapping[str, tuple[Outcome, ...]] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Outcome, ...]:
        """The outcomes of the choice, then those of the test."""
        arms = (*self.choice.values(), *self.outcomes.values())
        return tuple(outcome for arm in arms for outcome in arm)


@dataclass(frozen=True)
class RunRecords:
    """Everything that a run folder says.

    Attributes:
        folder: the run folder, as passed to `read_run`.
        manifest: what was asked of the search.
        outcomes: the search's trials that ended, in the order of their ids.
        baseline: arm name -> its outcomes in the order of their seeds; arms in the manifest's
            order. An arm of which no seed ended has an empty tuple.
        confirmation: the comparison on test images; None if there is none.
        unfinished: ids of the search's trials that have a folder but no outcome that can be read:
            still running, stopped with the search, or damaged (then a notice says so). The lost
            ones too.
        lost: outcomes of all trainings whose workers were lost, those of arms too. They are not
            among the other outcomes, because the next session trains them again.
        outcome_notices: what is wrong with outcomes, one sentence for each file.
    """

    folder: Path
    manifest: Manifest
    outcomes: tuple[Outcome, ...]
    baseline: Mapping[str, tuple[Outcome, ...]]
    confirmation: Confirmation | None
    unfinished: tuple[str, ...]
    lost: tuple[Outcome, ...]
    outcome_notices: tuple[str, ...] = field(repr=False)

    @cached_property
    def by_id(self) -> dict[str, Outcome]:
        """Trial id -> outcome; the search's trials first, then the baseline's."""
        arms = [outcome for arm in self.baseline.values() for outcome in arm]
        return {outcome.trial_id: outcome for outcome in (*self.outcomes, *arms)}

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """What is wrong with any file, one sentence each; reads every `epochs.jsonl` once."""
        found = [notice for one in self._ids() if (notice := self._epochs_notice(one))]
        trials = [*(outcome.trial_id for outcome in self.outcomes), *self.unfinished]
        lost = (
            "lrtune loses nothing, but Keras Tuner cannot load the run until the command that "
            "started the search has repaired it."
        )
        for name in [schema.ORACLE, *(f"{folder_of(one)}/{schema.TRIAL_FILE}" for one in trials)]:
            _read(partial(tuner_files.load, self.folder, name), name, lost, found)
        if not self.manifest.versions:
            found.append(f"{schema.MANIFEST} names no versions of packages that can be read.")
        found += consistency.misfits(self.manifest, self.by_id.values())
        found += self._samples[1]
        return (*self.outcome_notices, *found, *self._nested[1], *self._missing())

    @property
    def lost_notice(self) -> str | None:
        """Which trainings were lost with their workers, the baseline search's too; None if none."""
        names = [folder_of(one.trial_id) for one in self.lost]
        nested = self.baseline_search.lost if self.baseline_search is not None else ()
        names += [f"{BASELINE_SEARCH}/{folder_of(one.trial_id)}" for one in nested]
        if not names:
            return None
        were, them = ("training was", "it") if len(names) == 1 else ("trainings were", "them")
        return (
            f"{len(names):,} {were} lost because the worker processes died or hung "
            f"({some(names)}): the same command trains {them} again."
        )

    @cached_property
    def baseline_search(self) -> RunRecords | None:
        """The search for the best constant rate, a run of its own; None if there is none."""
        return self._nested[0]

    @cached_property
    def _nested(self) -> tuple[RunRecords | None, tuple[str, ...]]:
        """The search for the best constant rate, and what is wrong with its files."""
        folder = self.folder / BASELINE_SEARCH
        try:
            records = read_run(plain_folder(self.folder, BASELINE_SEARCH))
        except ValueError as error:
            return None, (f"{error}: the search for the baseline is left out.",)
        except DamagedManifestError as error:
            if not (folder / schema.MANIFEST).exists() and not trial_ids(folder):
                return None, ()  # it has not begun
            name = f"{BASELINE_SEARCH}/{schema.MANIFEST}"
            return None, (f"{name} {error.what}: the search for the baseline is left out.",)
        except RunFolderError as error:
            return None, (str(error),) if folder.exists() else ()
        return records, tuple(f"{BASELINE_SEARCH}/{notice}" for notice in records.notices)

    def epochs(self, trial_id: str) -> list[dict[str, Any]]:
        """The epochs of one trial that can be read, in the order in which they were written.

        Args:
            trial_id: of a trial of the search, finished or not, or of a seed of an arm: see
                `lrtune.records.ids`.

        Returns:
            One dictionary for each epoch, as recorded, with NaN for null.
        """
        known = {outcome.trial_id for outcome in self.confirmation.all} if self.confirmation else ()
        if trial_id not in self.by_id and trial_id not in self.unfinished and trial_id not in known:
            ids = some(map(repr, self._ids())) or "none, as no trial was recorded"
            raise ArgumentError(
                f"trial_id must be one of the run's: {ids}. Received: {trial_id!r}."
            )
        return read_epochs(self.folder, trial_id)

    def samples(self, trial_id: str) -> Samples | None:
        """How a training of the confirmation did on each test sample.

        Args:
            trial_id: "confirm/ARM/seed-N"; see `lrtune.records.ids`.

        Returns:
            The samples; None if they are not known, or not readable: then a notice says so.
        """
        return self._samples[0].get(trial_id)

    @cached_property
    def _samples(self) -> tuple[dict[str, Samples], tuple[str, ...]]:
        """Trial id -> how each test sample did, and what is wrong with these files."""
        if self.confirmation is None:
            return {}, ()
        found: dict[str, Samples] = {}
        notices: list[str] = []
        lost = "how that training did on each test sample is left out."
        for outcome in (one for arm in self.confirmation.outcomes.values() for one in arm):
            name = f"{folder_of(outcome.trial_id)}/{SAMPLES}"
            read = partial(read_samples, self.folder, outcome.trial_id)
            samples = _read(read, name, lost, notices)
            if samples is None:
                continue
            objective = samples.metric == self.confirmation.manifest.objective
            if objective and not samples.fits(outcome.score):
                notices.append(f"{name} does not fit {schema.OUTCOME} (its mean differs): {lost}")
            else:
                found[outcome.trial_id] = samples
        return found, tuple(notices)

    def recipe(self, name: str) -> Recipe:
        """Schedule, optimizer and own values of a trial or an arm.

        Args:
            name: id of a trial that ended, or name of an arm of the confirmation or the baseline.
        """
        if (outcome := self.find(name)) is not None:
            return outcome.recipe
        confirmed = self.confirmation.manifest.arms if self.confirmation else {}
        arms = {**self.manifest.baseline_arms, **confirmed}
        if name not in arms:
            raise ArgumentError(
                "name must be the id of a trial that ended, or one of the arms: "
                f"{', '.join(map(repr, arms)) or 'none'}. Received: name={name!r}."
            )
        return Recipe.from_values(arms[name])

    def find(self, name: str) -> Outcome | None:
        """The trial, lost ones too, with this id, or of the search with this number: 7 for 0007."""
        ended = {**{one.trial_id: one for one in self.lost}, **self.by_id}
        if name not in ended and name.isdecimal():
            same = (one for one in ended if one.isdecimal() and int(one) == int(name))
            name = next(same, name)
        return ended.get(name)

    def lineage(self, trial_id: str) -> tuple[Outcome, ...]:
        """The trial and its ancestors, the oldest first, as far back as none is missing."""
        line: list[Outcome] = []
        outcome = self.by_id.get(trial_id)
        while outcome is not None and outcome not in line:
            line.insert(0, outcome)
            outcome = None if outcome.parent is None else self.by_id.get(outcome.parent)
        return tuple(line)

    def continued(self, trial_id: str) -> tuple[Outcome, ...]:
        """The trial and the ancestors whose training it continues, the oldest first.

        In a rescaled search a promoted trial starts again and continues none.
        """
        line = self.lineage(trial_id)
        return line[-1:] if self.manifest.horizon == "rescaled" else line

    def _ids(self) -> list[str]:
        return [*self.by_id, *self.unfinished]

    def _epochs_notice(self, trial_id: str) -> str | None:
        rows, notice = epochs_and_notice(self.folder, trial_id)
        outcome = self.by_id.get(trial_id)
        if notice is None and outcome is not None:
            return consistency.wrong_number_of_epochs(outcome, len(rows))
        return notice

    def _missing(self) -> Iterator[str]:
        yield from consistency.missing_from_search(
            self.folder, self.manifest, self.by_id, self.unfinished
        )
        if self.confirmation is not None:
            ended = {one.trial_id for one in self.confirmation.all}
            yield from consistency.missing_from_confirmation(
                self.folder, self.confirmation.manifest, ended
            )


def read_run(folder: str | os.PathLike[str], instead: Manifest | None = None) -> RunRecords:
    """Read a run folder; nothing in it is changed or executed.

    Args:
        folder: the folder that a search wrote, the one with `run.json` in it.
        instead: used in place of a damaged or missing `run.json`.

    Returns:
        The records. Their `notices` say what could not be read.

    Raises:
        RunFolderError: there is no such folder, it holds no run, `run.json` is damaged or was
            written by a newer lrtune.
    """
    folder = Path(folder)
    notices: list[str] = []
    try:
        manifest = load_manifest(folder)
    except DamagedManifestError as error:
        if instead is None:
            raise
        manifest = instead
        notices.append(f"{schema.MANIFEST} {error.what}: it is written again, the trials are kept.")

    outcomes: list[Outcome] = []
    unfinished: list[str] = []
    lost: list[Outcome] = []
    for trial_id in trial_ids(folder):
        outcome = _read_outcome(folder, trial_id, lost, notices)
        if outcome is None:
            unfinished.append(trial_id)
        else:
            outcomes.append(outcome)
    baseline = _read_arms(folder, BASELINE, manifest.baseline_arms, lost, notices)
    confirmation = _read_confirmation(folder, lost, notices)
    return RunRecords(
        folder=folder,
        manifest=manifest,
        outcomes=tuple(outcomes),
        baseline=baseline,
        confirmation=confirmation,
        unfinished=tuple(unfinished),
        lost=tuple(lost),
        outcome_notices=tuple(notices),
    )


def read_state(folder: Path, trial_id: str) -> dict[str, np.ndarray[Any, Any]] | None:
    """The training state kept for a trial; None if it is missing or damaged."""
    try:
        return read_npz(plain_file(folder, f"{folder_of(trial_id)}/{schema.STATE}"))
    except (OSError, ValueError):
        return None


def _read_arms(
    folder: Path,
    kind: ArmKind,
    names: Iterable[str],
    lost: list[Outcome],
    notices: list[str],
) -> dict[str, tuple[Outcome, ...]]:
    """The outcomes below `baseline/`, say, by arm; at least an entry for each name."""
    arms: dict[str, list[Outcome]] = {name: [] for name in names}
    for trial_id in arm_ids(folder, kind):
        outcome = _read_outcome(folder, str(trial_id), lost, notices)
        if outcome is not None:
            arms.setdefault(trial_id.arm, []).append(outcome)
    return {name: tuple(outcomes) for name, outcomes in arms.items()}


def _read_confirmation(
    folder: Path, lost: list[Outcome], notices: list[str]
) -> Confirmation | None:
    name = f"{CONFIRM}/{schema.CONFIRM_MANIFEST}"
    left_out = "the confirmation is left out."
    manifest = _read(partial(read_confirm_manifest, folder), name, left_out, notices)
    if manifest is None:
        return None
    arms = _read_arms(folder, CONFIRM, manifest.compared, lost, notices)
    choice = _read_arms(folder, CHOICE, manifest.candidates, lost, notices)
    return Confirmation(
        manifest,
        {arm: arms[arm] for arm in manifest.compared},
        {arm: choice[arm] for arm in manifest.candidates} if manifest.choice_seeds else {},
    )


def _read_outcome(
    folder: Path, trial_id: str, lost: list[Outcome], notices: list[str]
) -> Outcome | None:
    """A training's outcome; None if there is none, or if it is added to those that are lost."""
    name = f"{folder_of(trial_id)}/{schema.OUTCOME}"
    read = partial(read_outcome, folder, trial_id)
    outcome = _read(read, name, "its outcome is left out.", notices)
    if outcome is not None and outcome.status == "lost":
        lost.append(outcome)
        return None
    return outcome


def _read(read: Callable[[], T], name: str, lost: str, notices: list[str]) -> T | None:
    """The record in a file; None, with a notice unless the file is missing, if there is none."""
    try:
        return read()
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        notices.append(f"{name} cannot be read ({reason(error)}): {lost}")
        return None
