"""How often a search's best schedule is rightly and wrongly called better: two ways, simulated.

Three schedules are left after the search and two constant rates. A training's test accuracy varies
by .01 (standard deviation) with its seed. One schedule is better than the better constant rate by
the gain, the two others are as good as that constant; the second constant is as good, or worse by
.02.

By hand: 8 seeds of each of the five. The schedule with the best mean is compared with the constant
with the best mean, by a two-sided t-test with p < .05, paired by seeds or Welch's; or all three
schedules are, with Holm's correction. lrtune: one of the three is chosen by 8 trainings on the
validation images, then it and the better constant, which the tuning of the baseline has found,
train the same seeds until `stats.sequential` has a verdict.

At gain 0 a verdict "better" is wrong, whichever schedule it is about. At another gain only a
verdict about the better schedule counts.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrtune.stats.sequential import (
    BETTER,
    FEWEST,
    MANY,
    MOST,
    NO_TREND,
    UNLIKELY,
    e_values,
)

SD, GAINS, REPETITIONS = 0.01, (0.0, 0.01, 0.02), 20_000
SCHEDULES, CONSTANTS, SEEDS, CHOOSING = 3, 2, 8, 8
LEVEL = 0.05


def by_hand(draw: np.random.Generator, gain: float, below: float) -> dict[str, float]:
    """How often each test says "better", of the schedule that is, or of any if none is."""
    scores = SD * draw.standard_normal((REPETITIONS, SCHEDULES + CONSTANTS, SEEDS))
    scores[:, 0] += gain
    scores[:, SCHEDULES + 1 :] -= below
    schedules, constants = scores[:, :SCHEDULES], scores[:, SCHEDULES:]
    rows = np.arange(REPETITIONS)
    reference = constants[rows, constants.mean(axis=-1).argmax(axis=1)][:, None]
    best = schedules.mean(axis=-1).argmax(axis=1)
    found = {}
    for name, p in {
        "paired t": paired_t(schedules, reference),
        "Welch": welch_t(schedules, reference),
    }.items():
        one = np.zeros(p.shape, dtype=bool)
        one[rows, best] = p[rows, best] < LEVEL
        above = schedules.mean(axis=-1) > reference.mean(axis=-1)
        found[name] = _share(one & above, gain)
        found[f"{name}, Holm"] = _share((holm(p) < LEVEL) & above, gain)
    return found


def paired_t(arms: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Two-sided p-values of the means over seeds, the last axis."""
    from scipy.special import stdtr

    d = arms - reference
    n = d.shape[-1]
    t = d.mean(axis=-1) / (d.std(axis=-1, ddof=1) / math.sqrt(n))
    return 2 * stdtr(n - 1, -np.abs(t))


def welch_t(arms: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The same for seeds that have nothing in common."""
    from scipy.special import stdtr

    n = arms.shape[-1]
    a, b = (one.var(axis=-1, ddof=1) / n for one in (arms, reference))
    df = (a + b) ** 2 / ((a**2 + b**2) / (n - 1))
    t = (arms.mean(axis=-1) - reference.mean(axis=-1)) / np.sqrt(a + b)
    return 2 * stdtr(df, -np.abs(t))


def holm(p: np.ndarray) -> np.ndarray:
    """P-values adjusted within each row."""
    order = p.argsort(axis=1)
    factors = np.arange(p.shape[1], 0, -1)
    ranked = np.maximum.accumulate(np.take_along_axis(p, order, axis=1) * factors, axis=1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, ranked, axis=1)
    return adjusted


def with_lrtune(draw: np.random.Generator, gain: float) -> tuple[float, float]:
    """How often the sequential test says "better", and the mean number of trainings."""
    gains = np.array([gain, *[0.0] * (SCHEDULES - 1)])
    # Two validation scores each, and a third for the best two: 8 trainings.
    scores = gains[:, None] + SD * draw.standard_normal((REPETITIONS, SCHEDULES, 3))
    two = scores[:, :, :2].mean(axis=-1)
    three = np.where(two > two.min(axis=-1, keepdims=True), scores.mean(axis=-1), -np.inf)
    chosen = three.argmax(axis=-1)
    # The deviation of the reference is that of three seeds.
    s0 = math.sqrt(2) * SD * np.sqrt(draw.chisquare(2, REPETITIONS) / 2)
    noise = math.sqrt(2) * SD * draw.standard_normal((REPETITIONS, MOST))
    better, pairs = verdicts(gains[chosen][:, None] + noise, s0)
    right = better & (chosen == 0) if gain else better
    return float(right.mean()), CHOOSING + 2 * float(pairs.mean())


def verdicts(differences: np.ndarray, s0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`stats.sequential.evidence` of each row: whether it says "better", after how many pairs."""
    path = e_values(differences, s0)
    n = np.arange(1, path.shape[1] + 1)
    stops = path >= BETTER
    stops |= (n >= FEWEST) & (path < UNLIKELY)
    stops |= (n >= MANY) & (path < NO_TREND)
    stops[:, -1] = True
    last = stops.argmax(axis=1)
    return path[np.arange(len(path)), last] >= BETTER, last + 1


def simulate() -> list[dict[str, Any]]:
    """A row for each way: the shares at the gains, and the mean numbers of trainings."""
    rows: dict[str, dict[str, Any]] = {}

    def add(way: str, share: float, trainings: float) -> None:
        row = rows.setdefault(way, {"way": way, "better": [], "trainings": []})
        row["better"].append(round(share, 4))
        row["trainings"].append(round(trainings, 1))

    for below in (0.0, 0.02):
        worse = ", one constant worse" if below else ""
        for gain in GAINS:
            draw = np.random.default_rng([int(1000 * gain), int(1000 * below)])
            for test, share in by_hand(draw, gain, below).items():
                add(f"by hand, {test}{worse}", share, SEEDS * (SCHEDULES + CONSTANTS))
    for gain in GAINS:
        add("lrtune", *with_lrtune(np.random.default_rng([int(1000 * gain), 7]), gain))
    return list(rows.values())


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for a person."""
    heads = [f"gain {gain:g}" for gain in GAINS]
    lines = [f"{'verdict better':44}" + "".join(f"{head:>11}" for head in heads) + "   trainings"]
    for row in rows:
        shares = "".join(f"{share:11.1%}" for share in row["better"])
        few, many = min(row["trainings"]), max(row["trainings"])
        trainings = f"{few:g}" if few == many else f"{few:.0f} to {many:.0f}"
        lines.append(f"{row['way']:44}{shares}   {trainings}")
    return "\n".join(lines)


def _share(found: np.ndarray, gain: float) -> float:
    return float((found[:, 0] if gain else found.any(axis=1)).mean())
