"""The winner on the page: its schedule against the constant rate, and the code to paste."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.errors import LrtuneError
from lrtune.report.confirmation import best_confirmed
from lrtune.report.page_pictures import PagePicture, draw_winner
from lrtune.report.words import brief
from lrtune.stats.winner import best_trial

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.report.build import Report
    from lrtune.schedules import Schedule
    from lrtune.stats.confirmation import Confirmed


@dataclass(frozen=True)
class Winner:
    """What the verdict says to use.

    Attributes:
        picture: None where the schedule's family is not known here.
        code: Python to paste.
        title: what it is.
        arm: of the confirmation; None where there is none, or it has no score yet.
        alone: whether the code needs no run folder.
        instead: the constant rate, where nothing shows that the schedule is better; else empty.
    """

    picture: PagePicture | None
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
        best = best_trial(records)
        recipe = best.recipe if arm is None and best is not None else records.recipe(arm or "")
        schedule, momentum = recipe.schedule, recipe.momentum
        picture = draw_winner(records, arm)
    except (LrtuneError, ValueError, OverflowError):  # a family of the user's own, say
        return Winner(None, from_folder, title, arm, alone=False)
    instead = ""
    if not (schedule.name == "constant" or better or _is_promising(report, arm)):
        instead = _instead(report, arm)
    alone = type(schedule).__module__.startswith("lrtune.schedules.")
    code = _code(schedule, momentum, records.manifest) if alone else from_folder
    return Winner(picture, code, title, arm, alone, instead)


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


def _instead(report: Report, arm: str | None) -> str:
    """The constant rate in place of the winner; empty without a baseline."""
    if arm is not None and report.confirmation is not None:
        name = report.confirmation.manifest.baseline
    elif report.baseline is not None:
        name = report.baseline.reference.name
    else:
        return ""
    recipe = report.records.recipe(name)
    rate, momentum = brief(recipe.lr0), brief(recipe.momentum)
    return (
        f"There is no evidence that it beats {name}, which is simpler: "
        f"keras.optimizers.SGD(learning_rate={rate}, momentum={momentum})"
    )


def _code(schedule: Schedule, momentum: float, manifest: Manifest) -> str:
    if schedule.name == "constant":
        return (
            "import keras\n\n"
            f"optimizer = keras.optimizers.SGD(learning_rate={schedule.lr0!r}, "
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
