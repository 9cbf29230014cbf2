"""Statistics as pandas frames, as `Run` hands them out."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrtune.stats.cost import TimeToTarget
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lrtune.stats.comparison import Comparison
    from lrtune.stats.cost import Cost
    from lrtune.stats.importance import Importances
    from lrtune.stats.tuning_curves import BestSoFar, TuningCurve


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """A comparison as a frame, one row per arm in its order, including the baseline.

    Args:
        comparison: as `compare` returns it.

    Returns:
        Columns, scores and differences in the unit of the objective:
            arm: its name. is_baseline: whether it is the baseline.
            n, missing, mean, std, lower, upper, best, search_score, selection_bias: of
                `ArmSummary`.
            pairs: of `Difference.n`; NA for the baseline, like all columns after it.
            difference, difference_std, difference_lower, difference_upper: of `Difference`, above
                0 is better.
            p, p_holm: of the sign-flip test, unadjusted and after Holm.
            verdict: better, worse, none or untested.
            seeds_to_show: about how many seeds would show this difference; NA where not asked.
            sentence: the verdict in words, "the baseline" for the baseline itself.
    """
    against = {one.arm: one for one in comparison.differences}
    rows: list[dict[str, Any]] = []
    for arm in comparison.arms:
        row: dict[str, Any] = {"arm": arm.name, "is_baseline": arm.name == comparison.baseline}
        row |= {name: getattr(arm, name) for name in _ARM_COLUMNS}
        one = against.get(arm.name)
        row["sentence"] = "the baseline"
        if one is not None:
            row |= {column: getattr(one, name) for column, name in _DIFFERENCE_COLUMNS.items()}
            row["sentence"] = sentence(one)
        rows.append(row)
    columns = ["arm", "is_baseline", *_ARM_COLUMNS, *_DIFFERENCE_COLUMNS, "sentence"]
    kinds = {"pairs": "Int64", "seeds_to_show": "Int64"}
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns).astype(kinds)
    return frame


_ARM_COLUMNS = (
    "n", "missing", "mean", "std", "lower", "upper", "best", "search_score", "selection_bias",
)  # fmt: skip
_DIFFERENCE_COLUMNS = {
    "pairs": "n",
    "difference": "mean",
    "difference_std": "std",
    "difference_lower": "lower",
    "difference_upper": "upper",
    "p": "p",
    "p_holm": "p_holm",
    "verdict": "verdict",
    "seeds_to_show": "seeds_to_show",
}


def cost_frame(cost: Cost) -> pd.DataFrame:
    """A cost as a frame.

    Returns:
        One row a thing paid for; columns:
            of: "family", "unfinished", "search", "baseline search", "baseline", "confirm",
                "total", "diverged", "failed", "winner" or "until winner". Families and unfinished
                trials add up to the search; search, baseline search, baseline and confirm to the
                total; the others are parts of the search. See `Cost`.
            name: the family or the winner's id, else empty.
            trials: how many trainings. epochs: trained. seconds: taken.
            share: of the total's epochs, 0 to 1; NaN if there are none.
    """
    named = [("family", name, spent) for name, spent in cost.families.items()]
    named += [
        ("unfinished", "", cost.unfinished),
        ("search", "", cost.search),
        ("baseline search", "", cost.baseline_search),
        ("baseline", "", cost.baseline),
        ("confirm", "", cost.confirm),
        ("total", "", cost.total),
        ("diverged", "", cost.diverged),
        ("failed", "", cost.failed),
    ]
    if cost.winner is not None and cost.lineage is not None and cost.until_winner is not None:
        named += [("winner", cost.winner, cost.lineage)]
        named += [("until winner", cost.winner, cost.until_winner)]
    total = cost.total.epochs
    frame: pd.DataFrame = pd.DataFrame([spent for _, _, spent in named])
    frame.insert(0, "of", [of for of, _, _ in named])
    frame.insert(1, "name", [name for _, name, _ in named])
    return frame.assign(share=frame["epochs"] / (total or math.nan))


def target_frame(times: Sequence[TimeToTarget]) -> pd.DataFrame:
    """Times to target as a frame.

    Returns:
        One row a trial; columns trial_id, schedule, score, target, epoch (NA for never).
    """
    columns = [field.name for field in fields(TimeToTarget)]
    frame: pd.DataFrame = pd.DataFrame([*times], columns=columns).astype({"epoch": "Int64"})
    return frame


def curve_frame(curve: TuningCurve) -> pd.DataFrame:
    """A tuning curve as a frame.

    Returns:
        One row a number of trials; columns n, expected, median, lower, upper: of `TuningCurve`.
    """
    columns = ("n", "expected", "median", "lower", "upper")
    frame: pd.DataFrame = pd.DataFrame({name: getattr(curve, name) for name in columns})
    return frame


def curves_frame(curves: Mapping[str, TuningCurve]) -> pd.DataFrame:
    """Several curves as one frame: `curve_frame` with a first column `schedule`, their key."""
    frames = [curve_frame(curve).assign(schedule=family) for family, curve in curves.items()]
    columns = ["schedule", "n", "expected", "median", "lower", "upper"]
    whole: pd.DataFrame = pd.concat([pd.DataFrame(columns=columns[:0]), *frames], ignore_index=True)
    return whole.reindex(columns=columns)


def best_so_far_frame(curve: BestSoFar) -> pd.DataFrame:
    """`best_so_far` as a frame: one row a trial; columns trial_id, epochs (cumulative), best."""
    frame: pd.DataFrame = pd.DataFrame(
        {"trial_id": curve.trial_ids, "epochs": curve.epochs, "best": curve.best}
    )
    return frame


def importance_frame(importances: Importances) -> pd.DataFrame:
    """Importances as a frame.

    Returns:
        One row a hyperparameter, those over all families first; columns:
            schedule: the family within whose trials; "all" for all.
            parameter: its name, a family's own as `family.parameter`.
            share: of the variance of scores, see `Importance.shares`.
            trials: how many it rests on. explained: see `Importance.explained`.
            budget: epochs the trials were meant to reach.
    """
    rows = [
        (
            one.family or "all",
            name,
            share,
            one.trials,
            one.explained,
            importances.budget,
        )
        for one in (importances.overall, *importances.families.values())
        for name, share in one.shares.items()
    ]
    columns = ["schedule", "parameter", "share", "trials", "explained", "budget"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return frame
