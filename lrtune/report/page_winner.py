"""The winner on the page: its schedule against the constant rate, and the code to paste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrtune.errors import LrtuneError
from lrtune.report.code import code_for
from lrtune.report.confirmation import best_confirmed
from lrtune.report.constants import confirmed_as_good
from lrtune.report.page_pictures import PagePicture, draw_winner

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.report.build import Report
    from lrtune.report.recommended import Recommended
    from lrtune.stats.confirmation import Confirmed


@dataclass(frozen=True)
class Winner:
    """The best schedule, and the code of what the run says to use.

    Attributes:
        picture: of the best schedule; None where its family is not known here.
        code: Python to paste, for the recommended choice.
        title: what the picture shows.
        arm: of the confirmation; None where there is none, or it has no score yet.
        alone: whether the code needs no run folder.
        instead: that the code is the constant rate's, because nothing shows that a schedule is
            better; else empty.
    """

    picture: PagePicture | None
    code: str
    title: str
    arm: str | None
    alone: bool
    instead: str = ""


def find_winner(records: RunRecords, report: Report) -> Winner | None:
    """The best schedule and the code to use; None without one.

    Args:
        records: of the run.
        report: of the run.
    """
    choice = report.recommended
    if choice is None:
        return None
    arm, better = _best_arm(report.confirmation)
    title = "The best schedule of the search"
    if arm is not None:
        title = "The confirmed schedule" if better else "The best mean, not shown to be better"
    instead = "" if choice.shown else _instead(choice)
    try:
        code, alone = code_for(choice.recipe, records.manifest), True
    except LrtuneError:  # a family of the user's own, say
        code, alone = "\n".join(("import keras", "import lrtune", "", *report.usage)), False
    try:
        picture = draw_winner(records, arm)
    except (LrtuneError, ValueError, OverflowError):
        picture = None
    return Winner(picture, code, title, arm, alone, instead)


def _instead(choice: Recommended) -> str:
    """Why the code is not that of the best schedule."""
    return (
        f"This is {choice.name}: there is no evidence that a schedule beats it. "
        f"`lrtune show RUN {choice.best}` prints the code of the best schedule."
    )


def _best_arm(confirmed: Confirmed | None) -> tuple[str | None, bool]:
    """The arm to use, and whether it beats the baseline and no constant rate is as good."""
    if confirmed is None:
        return None, False
    arm = best_confirmed(confirmed)
    better = [one.arm for one in confirmed.comparison.differences if one.verdict == "better"]
    return arm, arm in better and not confirmed_as_good(confirmed, arm)
