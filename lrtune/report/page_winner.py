"""The winner on the page: its schedule drawn against the constant rate, and the code to paste."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lrtune.errors import LrtuneError
from lrtune.report.confirmation import best_confirmed
from lrtune.report.words import brief, count
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.winner import best_trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.report.build import Report
    from lrtune.schedules import Schedule
    from lrtune.stats.confirmation import Confirmed

WIDTH, HEIGHT = 460, 230
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 16, 42
SAMPLES = 160

Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A line drawing of learning rates over epochs, on a logarithmic scale.

    Attributes:
        alt: what it shows, in words.
        winner, baseline: paths of SVG; the baseline's empty without one.
        label: of the baseline.
        x_ticks, y_ticks: place and text of each.
    """

    alt: str
    winner: str
    baseline: str
    label: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Winner:
    """What the verdict says to use.

    Attributes:
        curve: None where the schedule's family is not known here.
        code: Python to paste.
        title: what it is.
        arm: of the confirmation; None where there is none, or it has no score yet.
        alone: whether the code needs no run folder.
        instead: the constant rate, where nothing shows that the schedule is better; else empty.
    """

    curve: Curve | None
    code: str
    title: str
    arm: str | None
    alone: bool
    instead: str = ""


def find_winner(records: RunRecords, report: Report) -> Winner | None:
    """The schedule that the verdict names; None without one.

    Args:
        records: of the run.
        report: of the run.
    """
    if not report.usage:
        return None
    from_folder = "\n".join(("import keras", "import lrtune", "", *report.usage))
    arm, better = _best_arm(report.confirmation)
    title = "The best schedule of the search"
    if arm is not None:
        title = "The confirmed schedule" if better else "The best mean, not shown to be better"
    try:
        rate, label = _constant(records, arm)
        best = best_trial(records)
        recipe = best.recipe if arm is None and best is not None else records.recipe(arm or "")
        schedule, momentum = recipe.schedule, recipe.momentum
        curve = _draw(schedule, rate, label, _horizon(records, arm))
    except (LrtuneError, ValueError, OverflowError):  # a family of the user's own, say
        return Winner(None, from_folder, title, arm, alone=False)
    instead = ""
    if not (schedule.name == "constant" or better or _is_promising(report, arm)):
        instead = _instead(records, rate, label)
    if not type(schedule).__module__.startswith("lrtune.schedules."):
        return Winner(curve, from_folder, title, arm, alone=False, instead=instead)
    code = _code(schedule, momentum, records.manifest)
    return Winner(curve, code, title, arm, alone=True, instead=instead)


def _best_arm(confirmed: Confirmed | None) -> tuple[str | None, bool]:
    """The arm to use, and whether it beats the baseline."""
    if confirmed is None:
        return None, False
    arm = best_confirmed(confirmed)
    better = [one.arm for one in confirmed.comparison.differences if one.verdict == "better"]
    return arm, arm in better


def _is_promising(report: Report, arm: str | None) -> bool:
    """Whether the search's winner is better by more than noise, and nothing has refuted that."""
    delta, baseline = float(report.ranked["delta"].iloc[0]), report.baseline
    return arm is None and delta > 0 and baseline is not None and not baseline.within_noise(delta)


def _instead(records: RunRecords, rate: float, label: str) -> str:
    if math.isnan(rate):
        return ""
    momentum = brief(records.recipe(label).momentum)
    return (
        f"There is no evidence that it beats {label}, which is simpler: "
        f"keras.optimizers.SGD(learning_rate={brief(rate)}, momentum={momentum})"
    )


def _constant(records: RunRecords, arm: str | None) -> tuple[float, str]:
    """The rate to draw against, NaN without a baseline, and its name."""
    confirmation = records.confirmation
    if arm is not None and confirmation is not None:
        base = confirmation.manifest.baseline
        return records.recipe(base).lr0, base
    baseline = measure_baseline(records)
    if baseline is None:
        return math.nan, ""
    return baseline.reference.recipe.lr0, baseline.reference.name


def _horizon(records: RunRecords, arm: str | None) -> int:
    confirmation = records.confirmation
    if arm is not None and confirmation is not None:
        return max(confirmation.manifest.epochs, 1)
    return records.manifest.max_epochs


def _code(schedule: Schedule, momentum: float, manifest: Manifest) -> str:
    if schedule.name == "constant":
        return (
            "import keras\n\n"
            f"optimizer = keras.optimizers.SGD(learning_rate={schedule.lr0!r}, "  # type: ignore[attr-defined]
            f"momentum={momentum!r})"
        )
    images, batch = manifest.data.sizes.get("train"), manifest.batch_size
    steps = "steps_per_epoch = ...  # training images / batch size"
    if isinstance(images, int) and isinstance(batch, int) and images > 0 and batch > 0:
        number = math.ceil(images / batch)
        steps = f"steps_per_epoch = {number}  # {images:,} images in batches of {batch:,}"
    given = f"lrtune.schedules.{schedule!r}".replace("(", "(\n    ").replace(", ", ",\n    ")
    return (
        "import keras\nimport lrtune\n\n"
        f"schedule = {given.removesuffix(')')},\n)\n{steps}\n"
        "optimizer = keras.optimizers.SGD(\n"
        f"    learning_rate=schedule.to_keras(steps_per_epoch),\n    momentum={momentum!r},\n)"
    )


def _draw(schedule: Schedule, constant: float, label: str, epochs: int) -> Curve:
    held = not schedule.per_step
    times = np.linspace(0, epochs, SAMPLES + 1)
    if held:
        times = np.unique(np.floor(np.linspace(0, epochs - 1, min(epochs, 400))))
    rates = [float(rate) for rate in schedule(times)]
    points = [(float(t), r) for t, r in zip(times, rates, strict=True) if r > 0]
    if not points:
        raise ValueError("no rate above 0 to draw")
    known = [rate for _, rate in points] + ([] if math.isnan(constant) else [constant])
    # NOTE: five decades are all that can be told apart in 170 pixels; a rate below is as good as 0.
    high = 10 ** (math.log10(max(known)) + 0.08)
    low = max(10 ** (math.log10(min(known)) - 0.08), high / 1e5)
    if held:
        points = _stepped(points, epochs)
    against = "" if math.isnan(constant) else f"; the constant rate {label} is {brief(constant)}"
    rates_told = f"from {brief(rates[0])} to {brief(rates[-1])}"
    if rates[0] == rates[-1]:
        rates_told = f"at {brief(rates[0])} all along"
    flat = [] if math.isnan(constant) else [(0.0, constant), (float(epochs), constant)]
    return Curve(
        alt=(
            f"Learning rate of the best {schedule.name} schedule over {count(epochs, 'epoch')}, "
            f"on a logarithmic scale: {rates_told}{against}."
        ),
        winner=_path(points, epochs, low, high),
        baseline=_path(flat, epochs, low, high),
        label=label,
        x_ticks=[(_x(tick, epochs), f"{tick:,}") for tick in _whole_ticks(epochs)],
        y_ticks=[
            (_y(tick, low, high), f"{tick:.3g}".replace("e-0", "e-"))
            for tick in _log_ticks(low, high)
        ],
    )


def _stepped(points: Sequence[Point], epochs: int) -> list[Point]:
    """The same with each rate held until the next."""
    ends = [time for time, _ in points[1:]] + [float(epochs)]
    return [
        corner
        for (time, rate), end in zip(points, ends, strict=True)
        for corner in ((time, rate), (end, rate))
    ]


def _path(points: Sequence[Point], epochs: int, low: float, high: float) -> str:
    places = [f"{_x(time, epochs):g} {_y(max(rate, low), low, high):g}" for time, rate in points]
    return f"M{'L'.join(places)}" if places else ""


def _x(time: float, epochs: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * time / epochs, 1)


def _y(rate: float, low: float, high: float) -> float:
    share = math.log(rate / low) / math.log(high / low)
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def _whole_ticks(epochs: int) -> list[int]:
    size = 10 ** math.floor(math.log10(epochs))
    step = next(s for s in (size / 5, size / 2, size, size * 2) if epochs / s <= 6)
    return list(range(0, epochs + 1, max(round(step), 1)))


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for firsts in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9)):
        ticks = [first * 10.0**decade for decade in decades for first in firsts]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= 3:
            break
    return inside or [math.sqrt(low * high)]
