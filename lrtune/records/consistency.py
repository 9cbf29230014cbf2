"""Whether the files of a run fit each other, each of which is intact by itself.

They do not if two searches wrote one folder, or if somebody copied only a part of it. What is wrong
is said in one sentence for each finding.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lrtune._util.listing import some
from lrtune._util.printable import printable
from lrtune.records import schema
from lrtune.records.ids import BASELINE, CONFIRM, arm_id, folder_of, parse_id
from lrtune.records.tuner_files import started_trials

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome


def misfits(manifest: Manifest, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Outcomes that this search cannot have written: another one used the folder too."""
    for outcome in outcomes:
        family, place = outcome.recipe.family, parse_id(outcome.trial_id)
        if outcome.epochs.planned > manifest.max_epochs:
            planned = outcome.epochs.planned
            why = f"a trial of {planned:,} epochs in a search of {manifest.max_epochs:,}"
        elif not place.arm and family is not None and family not in manifest.families:
            why = f"a trial of the family {printable(family)}, which was not searched"
        elif place.arm and place.seed not in manifest.baseline_seeds:
            why = f"seed {place.seed} is not one of the baseline's"
        else:
            continue
        yield (
            f"{folder_of(outcome.trial_id)}/{schema.OUTCOME} does not fit {schema.MANIFEST} "
            f"({why}): did two searches write this folder?"
        )


def wrong_number_of_epochs(outcome: Outcome, recorded: int) -> str | None:
    """What to say if a trial recorded fewer or more epochs than its outcome says; else None."""
    missing = outcome.epochs.last - outcome.epochs.first + 1 - recorded
    name = f"{folder_of(outcome.trial_id)}/{schema.EPOCHS}"
    if missing > 0:
        return f"{name} lacks {missing} of its epochs."
    if missing < 0:
        return (
            f"{name} has {-missing} epochs more than the trial trained: did two searches write "
            "this folder?"
        )
    return None


def missing_from_search(
    folder: Path, manifest: Manifest, ended: Collection[str], unfinished: Iterable[str]
) -> Iterator[str]:
    """Results that a finished search lacks.

    Args:
        folder: the run folder.
        manifest: of the search.
        ended: ids of its trials, and of the seeds of the baseline's arms, with an outcome.
        unfinished: ids of its trials that have a folder, but no outcome.
    """
    if manifest.finished is None:
        return
    begun = dict.fromkeys((*started_trials(folder), *unfinished))
    arms = manifest.baseline_arms
    # Of a race, only the first seed is for all arms.
    seeds = manifest.baseline_seeds[: 1 if manifest.baseline_places else None]
    wanted = [*begun, *(arm_id(BASELINE, arm, seed) for arm in arms for seed in seeds)]
    yield from _lacking(folder, "search", schema.MANIFEST, wanted, ended)
    yield from _short_of_seeds(folder, manifest, ended)


def missing_from_confirmation(
    folder: Path, manifest: ConfirmManifest, ended: Collection[str]
) -> Iterator[str]:
    """Results that a finished confirmation lacks; arguments as of `missing_from_search`."""
    if manifest.finished is None:
        return
    # How many seeds a sequential test needed follows from the results themselves.
    seeds = manifest.seeds if manifest.design == "fixed" else manifest.seeds[:1]
    wanted = [arm_id(CONFIRM, arm, one) for arm in manifest.compared for one in seeds]
    name = f"{CONFIRM}/{schema.CONFIRM_MANIFEST}"
    yield from _lacking(folder, "confirmation", name, wanted, ended)


def _short_of_seeds(folder: Path, manifest: Manifest, ended: Collection[str]) -> Iterator[str]:
    """Seeds of a race that fewer arms were trained with than it had places for."""
    rounds = zip(manifest.baseline_seeds, manifest.baseline_places, strict=False)
    for seed, places in list(rounds)[1:]:
        wanted = min(places, len(manifest.baseline_arms))
        there = sum(bool(one.arm) and one.seed == seed for one in map(parse_id, ended))
        damaged = sum(
            _has_outcome(folder, arm_id(BASELINE, arm, seed)) for arm in manifest.baseline_arms
        )
        if max(there, damaged) < wanted:
            yield (
                f"{schema.MANIFEST} says that the search is finished, but only {there} of {wanted} "
                f"results of {BASELINE}/*/seed-{seed} are there. The command that started the "
                "search trains them again."
            )


def _lacking(
    folder: Path, what: str, name: str, wanted: list[str], ended: Collection[str]
) -> Iterator[str]:
    # A file that cannot be read has a notice of its own.
    gone = [one for one in wanted if one not in ended and not _has_outcome(folder, one)]
    if gone:
        yield (
            f"{name} says that the {what} is finished, but results are missing: "
            f"{some(map(folder_of, gone))}. The command that started the {what} trains them again."
        )


def _has_outcome(folder: Path, trial_id: str) -> bool:
    return os.path.lexists(folder / folder_of(trial_id) / schema.OUTCOME)
