"""Every random stream of a search and its number, so that no two can be the same by accident.

A stream is `numpy.random.SeedSequence([search's seed, ..., number])`. Trials have no number: theirs
is `[seed, trial's number]`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

from lrtune._util import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 2**31 - 1
"""The largest seed of a search: the baseline's seeds come after it, none may pass 2**32 - 1."""

_PROPOSALS, _CONSTANT_RATES = 1, 2  # 3 are the seeds of a confirmation: confirmation/plan.py


def resolve_seed(seed: int | None) -> int:
    """The seed itself, or a fresh one for None, so that every run has one that can be repeated.

    Raises:
        ArgumentError: not an int from 0 to 2**31 - 1.
    """
    if seed is None:
        return secrets.randbelow(10_000) + 1
    return checks.integer("seed", seed, at_least=0, at_most=LARGEST)


def trial_seed(seed: int, trial_id: str) -> int:
    """The seed of a trial: an int in [0, 2**32), set by the search's seed and the trial's id."""
    return _draw([seed, int(trial_id)])


def proposal_seed(seed: int, number: int) -> int:
    """The seed of what an oracle draws for its trial of that number: an int in [0, 2**32)."""
    return _draw([seed, number, _PROPOSALS])


def constant_rates_seed(seed: int) -> int:
    """The seed of the search for the best constant rate: an int in [0, 2**31).

    With the main search's own seed its trials would be the main search's constant trials.
    """
    return _draw([seed, _CONSTANT_RATES]) >> 1


def baseline_seeds(seed: int, count: int) -> tuple[int, ...]:
    """The seeds that every constant rate of the baseline is trained with."""
    return tuple(range(seed, seed + count))


def _draw(entropy: Sequence[int]) -> int:
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
