"""How two arms of a confirmation did on the same test samples, with the same seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lrtune.records.ids import parse_id
from lrtune.stats.trials import score_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from lrtune.records.reader import Confirmation, RunRecords
    from lrtune.records.samples import Samples
    from lrtune.records.schema import Outcome


@dataclass(frozen=True, eq=False)
class PairedSamples:
    """Two arms on the same test samples.

    Attributes:
        metric: what was measured: the confirmation's objective, or "val_loss" where that is no mean
            over samples.
        seeds: of the rows, in the manifest's order; at least one.
        one, other: shape (seeds, samples), float64; each row's mean is that training's score if
            `metric` is the objective (a recorded loss is rounded, see `records.samples.compact`).
            Of an accuracy, 1 is right and 0 wrong.
    """

    metric: str
    seeds: tuple[int, ...]
    one: NDArray[np.float64]
    other: NDArray[np.float64]


def paired_samples(
    records: RunRecords, one: str, other: str, seeds: Iterable[int] | None = None
) -> PairedSamples | None:
    """Pair two arms of a run's confirmation by seed and by test sample.

    Args:
        records: of the run.
        one: name of an arm of the confirmation.
        other: likewise.
        seeds: those to pair; None for all of the confirmation.

    Returns:
        The pairs over all seeds for which both arms have a score. None if there is no such seed, or
        if it is not known how one of these trainings did on each sample, or if they were not all
        measured on the same samples in the same order, as they are not if the test data are
        shuffled. A seed that is left out would make a different comparison.

    Raises:
        KeyError: the confirmation has no such arm.
    """
    if records.confirmation is None:
        return None
    of_arms = [by_seed(records.confirmation, arm) for arm in (one, other)]
    scored = [
        {seed for seed, outcome in arm.items() if not math.isnan(score_of(outcome))}
        for arm in of_arms
    ]
    asked = dict.fromkeys(records.confirmation.manifest.seeds if seeds is None else seeds)
    seeds = tuple(seed for seed in asked if all(seed in arm for arm in scored))
    rows = [records.samples(arm[seed].trial_id) for arm in of_arms for seed in seeds]
    found = [row for row in rows if row is not None]
    if not found or len(found) < len(rows) or len(set(map(_kind, found))) > 1:
        return None
    values = np.array([row.values for row in found], np.float64)
    return PairedSamples(found[0].metric, seeds, values[: len(seeds)], values[len(seeds) :])


def by_seed(confirmation: Confirmation, arm: str) -> dict[int, Outcome]:
    """Seed -> outcome of one arm's trainings, as far as they are part of the confirmation."""
    # The seed in the folder's name counts: it is the one that pairs the arms.
    found = {
        parse_id(one.trial_id).seed: one
        for one in confirmation.outcomes[arm]
        if one.epochs.planned == confirmation.manifest.epochs
    }
    return {seed: one for seed, one in found.items() if seed in confirmation.manifest.seeds}


def _kind(samples: Samples) -> tuple[str, str, int]:
    """What must be the same for values to belong to the same samples."""
    return samples.metric, samples.order, len(samples.values)
