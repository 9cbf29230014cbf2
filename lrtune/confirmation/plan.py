"""What a confirmation will train, with which seeds; needs no TensorFlow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lrtune._util import checks
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.identity import installed
from lrtune.records.schema import ConfirmManifest, DataRecord, now
from lrtune.stats.power import fewest_seeds
from lrtune.stats.race import places_of_choice
from lrtune.stats.sequential import FEWEST, MOST, prior_scale, usual_scale

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lrtune.confirmation.arms import Arms
    from lrtune.records.reader import RunRecords

SEEDS = 8
"""Seeds of the fixed design, where none are asked for."""

_TESTS, _CHOICES = 3, 5  # streams of random numbers: search/seeds.py


@dataclass(frozen=True)
class Design:
    """How a confirmation compares.

    Attributes:
        name: "sequential": the best candidate against the constant rate, pair by pair, until the
            answer is known. "fixed": all arms with all seeds.
        seeds: of the fixed design: int >= 6, how many; or the seeds themselves. None for 8.
        max_seeds: of the sequential one: int >= 1, the most pairs to train. None for 20.
        min_seeds: likewise: int from 1 to `max_seeds`, the pairs before which it does not give up.
            None for 4.

    Raises:
        ArgumentError: a value outside its domain, or one of the other design.
    """

    name: str = "sequential"
    seeds: int | Sequence[int] | None = None
    max_seeds: int | None = None
    min_seeds: int | None = None

    def __post_init__(self) -> None:
        checks.one_of("design", self.name, ("sequential", "fixed"))
        theirs = ("max_seeds", "min_seeds") if self.is_fixed else ("seeds",)
        others = "seeds" if self.is_fixed else "max_seeds and min_seeds"
        for name in theirs:
            if (value := getattr(self, name)) is not None:
                raise ArgumentError(
                    f"{name} cannot be given to the {self.name} design, which takes {others}. "
                    f"Received: {name}={value!r}."
                )
        if self.max_seeds is not None:
            checks.integer("max_seeds", self.max_seeds, at_least=1)
        if self.min_seeds is not None:
            checks.integer("min_seeds", self.min_seeds, at_least=1, at_most=self.most)

    @property
    def is_fixed(self) -> bool:
        """Whether all arms train with all seeds."""
        return self.name == "fixed"

    @property
    def most(self) -> int:
        """The most pairs of the sequential design."""
        return max(MOST, self.min_seeds or 0) if self.max_seeds is None else self.max_seeds

    @property
    def fewest(self) -> int:
        """The pairs before which the sequential design does not give up."""
        return min(FEWEST, self.most) if self.min_seeds is None else self.min_seeds


def confirm_seeds(
    seed: int, count: int, attempt: int = 0, purpose: int = _TESTS
) -> tuple[int, ...]:
    """The seeds of a confirmation, always the same for a search and different from its seeds.

    Args:
        seed: int >= 0, the search's.
        count: int >= 0; with a larger count the same seeds come first.
        attempt: int >= 0: other seeds for a confirmation that follows an erased one.
        purpose: which stream of random numbers: that of the test, or that of the choice.

    Returns:
        ints from 0 to 2**32 - 1.
    """
    again = [attempt] if attempt else []
    drawn = (
        np.random.SeedSequence([seed, index, purpose, *again]).generate_state(1)
        for index in range(count)
    )
    return tuple(int(one[0]) for one in drawn)


def make_manifest(
    records: RunRecords,
    arms: Arms,
    design: Design,
    train_on: str,
    record: DataRecord,
    *,
    chooses: bool,
    attempt: int = 0,
) -> ConfirmManifest:
    """What a confirmation of a search compares.

    Args:
        records: of the search.
        arms: to compare; in the sequential design, the candidates and the baseline.
        design: how.
        train_on: "train+validation" or "train".
        record: of the data.
        chooses: whether there are validation data to choose among candidates with; without them,
            the sequential design tests the first.
        attempt: int >= 0, how many confirmations were erased before.
    """
    manifest = records.manifest
    made = ConfirmManifest(
        arms=arms.values,
        trials=arms.trials,
        search_scores=arms.search_scores,
        baseline=arms.reference.name,
        seeds=(),
        train_on=train_on,
        objective=_on_test_images(manifest.objective),
        direction=manifest.direction,
        epochs=manifest.max_epochs,
        batch_size=manifest.batch_size,
        data=record,
        versions=installed(),
        created=now(),
        attempt=attempt,
    )
    if design.is_fixed:
        return replace(made, seeds=check_seeds(design.seeds or SEEDS, manifest.seed, attempt))
    candidates = list(made.candidates)
    places = places_of_choice(len(candidates)) if chooses else ()
    return replace(
        made,
        design="sequential",
        seeds=confirm_seeds(manifest.seed, design.most, attempt),
        min_seeds=design.fewest,
        scale=prior_scale(arms.reference.std, usual_scale(manifest.objective, arms.reference.mean)),
        choice_places=places,
        choice_seeds=confirm_seeds(manifest.seed, len(places), attempt, _CHOICES),
        tested=None if places else candidates[0],
    )


def continued(found: ConfirmManifest, asked: ConfirmManifest) -> ConfirmManifest:
    """The manifest of a confirmation that is resumed, perhaps for more seeds than before.

    Args:
        found: in the run folder.
        asked: now, for the same arms and data.
    """
    kept = replace(asked, created=found.created, attempt=found.attempt, scale=found.scale)
    if asked.design == "fixed":
        return kept
    return replace(
        kept,
        seeds=max(found.seeds, asked.seeds, key=len),
        min_seeds=max(found.min_seeds, asked.min_seeds),
        tested=found.tested,
    )


def refuse_other_confirmation(folder: Path, found: ConfirmManifest, asked: ConfirmManifest) -> None:
    """Raises RunFolderError with the first difference, and both values, if there is one."""
    pairs: dict[str, tuple[object, object]] = {
        "design": (found.design, asked.design),
        "dataset fingerprint": (found.data.fingerprint, asked.data.fingerprint),
        "data to train on": (found.train_on, asked.train_on),
        "arms": (", ".join(found.arms), ", ".join(asked.arms)),
        "hyperparameters of the arms": (found.arms, asked.arms),
        "baseline": (found.baseline, asked.baseline),
        "seeds of the choice": (found.choice_seeds, asked.choice_seeds),
    }
    if asked.design == "fixed":  # in the other, more seeds may be asked for at any time
        pairs |= {
            "number of seeds": (len(found.seeds), len(asked.seeds)),
            "seeds": (found.seeds, asked.seeds),
        }
    for what, (there, here) in pairs.items():
        if there != here:
            raise RunFolderError(
                f"run folder {folder} holds a confirmation with other {what}: the folder has "
                f"{there}, you asked for {here}. Use the same value to resume, or --overwrite to "
                "start a new one"
                + (
                    ". Adding seeds or arms after seeing the result would make its p-values too "
                    "small"
                    if asked.design == "fixed" == found.design
                    else ""
                )
            )


def _on_test_images(objective: str) -> str:
    """The objective as Keras names it for validation data, as which it gets the test images."""
    return objective if objective.startswith("val_") else f"val_{objective}"


def check_seeds(seeds: int | Sequence[int], search_seed: int, attempt: int = 0) -> tuple[int, ...]:
    """The seeds of a confirmation of fixed design, checked.

    Args:
        seeds: how many (int >= 6), or the seeds themselves, ints from 0 to 2**32 - 1.
        search_seed: the search's.
        attempt: as of `confirm_seeds`.

    Raises:
        ArgumentError: fewer than 6 seeds, the same one twice, or an invalid seed.
    """
    fewest = fewest_seeds(1)
    if isinstance(seeds, int):
        chosen = confirm_seeds(search_seed, max(seeds, 0), attempt)
    else:
        chosen = tuple(seeds)
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
