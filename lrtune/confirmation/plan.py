"""What a confirmation will train, with which seeds, and what it costs; needs no TensorFlow."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lrtune._util import checks
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.identity import installed
from lrtune.records.schema import ConfirmManifest, DataRecord, now
from lrtune.stats.power import fewest_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lrtune.confirmation.arms import Arms
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest


def confirm_seeds(seed: int, count: int) -> tuple[int, ...]:
    """The seeds of a confirmation, always the same for a search and different from its seeds.

    Args:
        seed: int >= 0, the search's.
        count: int >= 1; with a larger count the same seeds come first.

    Returns:
        ints from 0 to 2**32 - 1.
    """
    drawn = (np.random.SeedSequence([seed, index, 3]).generate_state(1) for index in range(count))
    return tuple(int(one[0]) for one in drawn)


def make_manifest(
    manifest: Manifest, arms: Arms, seeds: Sequence[int], train_on: str, record: DataRecord
) -> ConfirmManifest:
    """What a confirmation of a search compares."""
    return ConfirmManifest(
        arms=arms.values,
        trials=arms.trials,
        search_scores=arms.search_scores,
        baseline=arms.baseline,
        seeds=tuple(seeds),
        train_on=train_on,
        objective=_on_test_images(manifest.objective),
        direction=manifest.direction,
        epochs=manifest.max_epochs,
        batch_size=manifest.batch_size,
        data=record,
        versions=installed(),
        created=now(),
    )


def refuse_other_confirmation(folder: Path, found: ConfirmManifest, asked: ConfirmManifest) -> None:
    """Raises RunFolderError with the first difference, and both values, if there is one."""
    pairs: dict[str, tuple[object, object]] = {
        "dataset fingerprint": (found.data.fingerprint, asked.data.fingerprint),
        "data to train on": (found.train_on, asked.train_on),
        "arms": (", ".join(found.arms), ", ".join(asked.arms)),
        "number of seeds": (len(found.seeds), len(asked.seeds)),
        "seeds": (found.seeds, asked.seeds),
        "hyperparameters of the arms": (found.arms, asked.arms),
    }
    for what, (there, here) in pairs.items():
        if there != here:
            raise RunFolderError(
                f"run folder {folder} holds a confirmation with other {what}: the folder has "
                f"{there}, you asked for {here}. Use the same value to resume, or --overwrite to "
                "start a new one. Adding seeds or arms after seeing the result would make its "
                "p-values too small"
            )


def _on_test_images(objective: str) -> str:
    """The objective as Keras names it for validation data, as which it gets the test images."""
    return objective if objective.startswith("val_") else f"val_{objective}"


def check_seeds(seeds: int | Sequence[int], search_seed: int) -> tuple[int, ...]:
    """The seeds of a confirmation, checked.

    Args:
        seeds: how many (int >= 6), or the seeds themselves, ints from 0 to 2**32 - 1.
        search_seed: the search's.

    Raises:
        ArgumentError: fewer than 6 seeds, the same one twice, or an invalid seed.
    """
    fewest = fewest_seeds(1)
    chosen = confirm_seeds(search_seed, seeds) if isinstance(seeds, int) else tuple(seeds)
    if len(chosen) < fewest:
        raise ArgumentError(
            f"seeds must be at least {fewest}: with fewer, no two-sided sign-flip test can reach "
            f".05, because the smallest p-value of n pairs is 2 / 2**n. Received: {len(chosen)}"
        )
    twice = [seed for seed, count in Counter(chosen).items() if count > 1]
    if twice:
        raise ArgumentError(f"seeds must differ from one another. Received twice: {twice[0]}")
    for seed in chosen:
        checks.integer("a seed", seed, at_least=0, at_most=2**32 - 1)
    return chosen


def cost_in_words(records: RunRecords, manifest: ConfirmManifest, workers: int | None) -> str:
    """How long a confirmation takes, at the pace of the search's baseline, and what it cannot show.

    Args:
        records: of the search.
        manifest: of the confirmation; trainings that have already ended are not counted.
        workers: as for a search; None means one worker per physical core.
    """
    arms, seeds = len(manifest.arms), len(manifest.seeds)
    done = records.confirmation.outcomes.values() if records.confirmation else ()
    left = arms * seeds - sum(map(len, done))
    epochs = left * manifest.epochs
    samples, kind = manifest.data.sizes.get("train"), manifest.data.kind
    on = f" on {samples:,} {kind} ({manifest.train_on})" if samples else ""
    text = (
        f"{arms} arms x {seeds} seeds x {manifest.epochs} epochs, trained{on}: {epochs:,} epochs "
        "to train"
    )
    seconds = [
        epoch["seconds"]
        for arm in records.baseline.values()
        for outcome in arm
        for epoch in records.epochs(outcome.trial_id)
        if math.isfinite(epoch.get("seconds", math.nan))
    ]
    searched = records.manifest.data.sizes.get("train")
    if seconds and searched and samples:
        from lrtune.runner.local import physical_cores

        count = workers or physical_cores()
        more = samples / searched
        minutes = epochs * statistics.median(seconds) * more / count / 60
        text += f", about {max(1, round(minutes))} min at the search's pace"
    fewest = fewest_seeds(arms - 1) if arms > 1 else 0
    if seeds < fewest:
        text += (
            f".\nNOTE: with {seeds} seeds and {arms - 1} comparisons no verdict is possible, "
            f"however large the difference: it takes {fewest} seeds"
        )
    return text + "."
