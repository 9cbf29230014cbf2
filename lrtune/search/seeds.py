"""All random streams of a search, each with its own number, so that no two are equal by accident.

A stream is `numpy.random.SeedSequence([search's seed, ..., stream's number])`. Only the trials'
stream has no number: it is `[search's seed, trial's number]`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import numpy as np

from lrtune._util import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 2**31 - 1
"""The largest seed of a search: the baseline's seeds follow it and must stay below 2**32."""

# 3 are the seeds of a confirmation: confirmation/plan.py
_PROPOSALS, _CONSTANT_RATES, _FAMILIES = 1, 2, 4


def resolve_seed(seed: int | None) -> int:
    """The seed itself, or a fresh one for None, so that every run can be repeated.

    Raises:
        ArgumentError: not an int from 0 to 2**31 - 1.
    """
    if seed is None:
        return secrets.randbelow(10_000) + 1
    return checks.integer("seed", seed, at_least=0, at_most=LARGEST)


def trial_seed(seed: int, trial_id: str) -> int:
    """The seed of a trial: an int in [0, 2**32) from the search's seed and the trial's id."""
    return _draw([seed, int(trial_id)])


def proposal_seed(seed: int, number: int) -> int:
    """The seed of an oracle's draws for the trial of this number: an int in [0, 2**32)."""
    return _draw([seed, number, _PROPOSALS])


def family_in_turn(families: Sequence[str], seed: int, number: int) -> str:
    """The family whose turn it is: in each round of all families each once, in a drawn order.

    Args:
        families: names, at least one.
        seed: int >= 0, the search's.
        number: int >= 0, which draw of a family it is.
    """
    round_, place = divmod(number, len(families))
    order = np.random.default_rng([seed, round_, _FAMILIES]).permutation(len(families))
    return families[int(order[place])]


def constant_rates_seed(seed: int) -> int:
    """The seed of the search for the best constant rate: an int in [0, 2**31).

    With the main search's seed its trials would repeat the main search's constant trials.
    """
    return _draw([seed, _CONSTANT_RATES]) >> 1


def baseline_seeds(seed: int, count: int) -> tuple[int, ...]:
    """The seeds with which every constant rate of the baseline is trained."""
    return tuple(range(seed, seed + count))


def _draw(entropy: Sequence[int]) -> int:
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
