"""Statistics as pandas frames, as `Run` returns them; names from the run folder made printable.

pandas prints text as it is, and refuses some that a damaged file may contain, such as half a
surrogate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrtune._util.printable import printable
from lrtune.stats.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lrtune.stats.baseline import Baseline
    from lrtune.stats.comparison import Comparison
    from lrtune.stats.cost import Cost
    from lrtune.stats.importance import Importances
    from lrtune.stats.tuning_curves import TuningCurve


def baseline_frame(baseline: Baseline | None) -> pd.DataFrame:
    """The arms of a baseline as a frame; columns as `Run.baseline` describes them."""
    arms = baseline.arms if baseline else ()
    columns = {
        "arm": [arm.name for arm in arms],
        "lr0": [arm.recipe.lr0 for arm in arms],
        "momentum": [arm.recipe.momentum for arm in arms],
        "own": [arm.recipe.own_text for arm in arms],
        "mean": [arm.mean for arm in arms],
        "std": [arm.std for arm in arms],
        "n": [arm.n for arm in arms],
        "diverged": [arm.diverged for arm in arms],
        "failed": [arm.failed for arm in arms],
        "scores": [arm.scores for arm in arms],
        "is_reference": [baseline is not None and arm is baseline.reference for arm in arms],
    }
    frame: pd.DataFrame = pd.DataFrame(columns)
    return frame


def epochs_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Recorded epochs as a frame; the usual columns, as far as they are recorded, come first."""
    first = ["epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    recorded = dict.fromkeys(key for row in rows for key in row)
    columns = [key for key in first if key in recorded] if rows else first
    columns += [key for key in recorded if key not in first]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return frame


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """A comparison as a frame, one row per arm in its order, including the baseline.

    Args:
        comparison: as `compare` returns it.

    Returns:
        Columns, scores and differences in the unit of the objective:
            arm: its name. is_baseline: whether it is the baseline.
            n, missing, mean, std, lower, upper, search_score, selection_bias: of `ArmSummary`.
            pairs: `Difference.n`; NA for the baseline, like all columns after it.
            difference, difference_std, difference_lower, difference_upper: `Difference.mean` and
                so on, above 0 is better. The interval is not adjusted for the number of arms.
            p, p_holm: of the sign-flip test, before and after Holm's correction.
            verdict: better, worse, none or untested.
            seeds_to_show: about how many seeds would show this difference, a guess from these very
                seeds; NA if there is a verdict or no test, or the difference is less than one
                standard error.
            evidence: of a sequential test, at least 20 if "better"; NA of others.
            sentence: the verdict in words, "the baseline" for the baseline itself.
    """
    arms = pd.DataFrame([{"arm": printable(one.name), **vars(one)} for one in comparison.arms])
    arms = arms.drop(columns="name")
    arms.insert(1, "is_baseline", [one.name == comparison.baseline for one in comparison.arms])
    bounds = {name: f"difference_{name}" for name in ("std", "lower", "upper")}
    against = pd.DataFrame(
        [{**vars(one), "sentence": sentence(one)} for one in comparison.differences],
        index=arms.index[~arms["is_baseline"]],
    )
    against = against.drop(columns=["arm", "missing", "comparisons", "alpha"])
    against = against.rename(columns={"n": "pairs", "mean": "difference", **bounds})
    frame = arms.join(against).fillna({"sentence": "the baseline"})
    typed: pd.DataFrame = frame.astype({"pairs": "Int64", "seeds_to_show": "Int64"})
    return typed


def cost_frame(cost: Cost) -> pd.DataFrame:
    """A cost as a frame.

    Returns:
        One row per item; columns:
            of: "family", "unfinished", "search", "baseline search", "baseline", "confirm",
                "total", "diverged", "failed", "winner" or "until winner". Families and unfinished
                trials add up to the search; search, baseline search, baseline and confirm to the
                total; the others are parts of the search. See `Cost`.
            name: the family or the winner's id, else empty.
            trials: how many trainings. epochs: how many they trained. seconds: how long they took.
            share: of the total's epochs, 0 to 1; NaN if there are none.
    """
    parts = ["unfinished", "search", "baseline_search", "baseline", "confirm", "total"]
    parts += ["diverged", "failed"]
    named = [("family", printable(name), spent) for name, spent in cost.families.items()]
    named += [(part.replace("_", " "), "", getattr(cost, part)) for part in parts]
    if cost.winner is not None:
        named.append(("winner", cost.winner, cost.lineage))
        named.append(("until winner", cost.winner, cost.until_winner))
    of, names, spent = zip(*named, strict=True)
    frame: pd.DataFrame = pd.DataFrame([*spent])
    frame.insert(0, "of", of)
    frame.insert(1, "name", names)
    return frame.assign(share=frame["epochs"] / (cost.total.epochs or math.nan))


def curves_frame(curves: Mapping[str, TuningCurve]) -> pd.DataFrame:
    """Tuning curves as a frame.

    Args:
        curves: schedule family -> its curve.

    Returns:
        One row per family and number of trials; columns schedule (the family), and n, expected,
        median, lower and upper of `TuningCurve`.
    """
    columns = ["n", "expected", "median", "lower", "upper"]
    frames = [
        pd.DataFrame(
            {"schedule": printable(family)} | {name: getattr(curve, name) for name in columns}
        )
        for family, curve in curves.items()
    ]
    whole: pd.DataFrame = pd.concat([pd.DataFrame(), *frames], ignore_index=True)
    return whole.reindex(columns=["schedule", *columns])


def importance_frame(importances: Importances) -> pd.DataFrame:
    """Importances as a frame.

    Returns:
        One row per hyperparameter, those over all families first; columns:
            schedule: the family whose trials were used; "all" for all.
            parameter: its name, a family's own as `family.parameter`.
            share: of the variance of scores, see `Importance.shares`.
            trials: how many were used. explained: see `Importance.explained`.
            budget: epochs the trials were meant to reach.
    """
    rows = [
        (
            printable(one.family or "all"),
            printable(name),
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
