"""Which trials a picture shows: as a table, and the best of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError
from lrtune.records.ids import BASELINE_SEARCH
from lrtune.schedules.constant import CONSTANT
from lrtune.stats.trials import family_of, is_full, score_of
from lrtune.stats.winner import Direction, ordered

if TYPE_CHECKING:
    import pandas as pd

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

MOST = 10
"""The most trials that lines are drawn for: more cannot be told apart."""


def trials_frame(records: RunRecords) -> pd.DataFrame:
    """All trials that ended, a row each, in the order of their ids.

    Returns:
        Columns trial_id, family, lr0 and momentum (NaN if unknown), epochs (its budget), full
        (whether that is the full budget), status, score (NaN for none).
    """
    import pandas as pd

    columns = ["trial_id", "family", "lr0", "momentum", "epochs", "full", "status", "score"]
    rows = [
        (
            one.trial_id, printable(family_of(one)), number(one.recipe.lr0),
            number(one.recipe.momentum), one.epochs.planned, is_full(one, records.manifest),
            one.status, number(score_of(one)),
        )
        for one in records.outcomes
    ]  # fmt: skip
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"full": bool, "score": float})


def full_frame(records: RunRecords) -> pd.DataFrame:
    """The rows of `trials_frame` with a score after the full budget.

    Raises:
        ArgumentError: there are none.
    """
    frame = trials_frame(records)
    frame = frame[frame["full"] & frame["score"].notna()]
    if frame.empty:
        raise ArgumentError(
            f"No trial of the run {str(records.folder)!r} has a score after the full budget of "
            f"{records.manifest.max_epochs} epochs."
        )
    return frame


def family_frame(records: RunRecords) -> pd.DataFrame:
    """`full_frame` with the constant rates of the baseline's search, if only that searched them.

    Their ids are those of their own search, after "baseline/search/".
    """
    import pandas as pd

    frame, nested = full_frame(records), records.baseline_search
    if nested is None or CONSTANT in records.manifest.families:
        return frame
    constants = trials_frame(nested)
    constants = constants[constants["full"] & constants["score"].notna()]
    ids = f"{BASELINE_SEARCH}/" + constants["trial_id"]
    both: pd.DataFrame = pd.concat([frame, constants.assign(trial_id=ids)], ignore_index=True)
    return both


def best_trials(records: RunRecords, top: int) -> list[Outcome]:
    """The best completed trials of one budget, the best first; of equal ones the first tried.

    Args:
        records: of the run.
        top: int from 1 to `MOST`, how many.

    Returns:
        Those of the full budget; if there are none, of the longest that any completed.

    Raises:
        ArgumentError: no trial completed with a score.
    """
    if not 1 <= top <= MOST:
        raise ArgumentError(f"top must be 1 to {MOST}. Received: top={top!r}.")
    done = [
        one
        for one in ordered(records.outcomes, records.manifest.direction)
        if one.status == "completed"
    ]
    if not done:
        raise ArgumentError(f"No trial of the run {str(records.folder)!r} completed with a score.")
    full = [one for one in done if is_full(one, records.manifest)]
    return (full or [one for one in done if one.epochs.planned == done[0].epochs.planned])[:top]


def best_fact(records: RunRecords) -> str:
    """The best trial in a sentence."""
    trial = best_trials(records, 1)[0]
    score = f"{records.manifest.objective} {score_of(trial):.4g}"
    return f"The best trial, {trial.trial_id}, is {trial.recipe}: {score}."


def families_fact(records: RunRecords) -> str:
    """The best score of each family in a sentence."""
    parts = []
    for family, own in family_frame(records).groupby("family", sort=False):
        best = Direction(records.manifest.direction).best(own["score"], float)
        parts.append(f"{family} {best:.4g} of {len(own):,}")
    return f"The best of each family's trials: {', '.join(parts)}."


def number(value: Any) -> float:
    """A recorded value as a float, at most 1e300 from 0; NaN where it is not a finite number.

    Matplotlib takes no limits of an axis whose distance is beyond the largest float.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return min(max(float(value), -1e300), 1e300) if math.isfinite(value) else math.nan
