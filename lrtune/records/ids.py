"""Ids of trainings and their folders: the only place that builds or parses them.

    0007                            a trial of the search
    baseline/search/0007            a trial of the search for the best constant rate
    baseline/constant-0.1/seed-1    a seed of an arm of the baseline
    confirm/trial-0007/seed-42      a seed of an arm of the confirmation

Records and tables hold ids as text. Each training has a folder below the run folder. For an arm's
seed the folder is the id, for a search's trial it is `trial_0007` as in Keras Tuner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from lrtune.errors import RunFolderError

BASELINE: Final = "baseline"
CONFIRM: Final = "confirm"

BASELINE_SEARCH: Final = "baseline/search"
"""The folder of the search for the best constant rate, a run of its own; no arm has this name."""

_TRIAL = "trial_"
_ID = re.compile(
    rf"(?P<nested>{BASELINE_SEARCH}/)?(?P<number>[0-9]{{1,18}})"
    rf"|(?P<kind>{BASELINE}|{CONFIRM})/(?P<arm>\w[\w.+-]*)/seed-(?P<seed>0|[1-9][0-9]{{0,17}})",
    re.ASCII,
)

ArmKind = Literal["baseline", "confirm"]
Kind = Literal["search", "baseline/search", ArmKind]


@dataclass(frozen=True)
class TrialId:
    """The parts of an id.

    Attributes:
        kind: "search", or "baseline/search" for the search for the best constant rate; "baseline"
            or "confirm" for a seed of an arm.
        number: id of a search's trial within its search, "0007"; empty for an arm.
        arm: name of the arm, "constant-0.1"; empty for a search's trial.
        seed: of the arm's training; 0 for a search's trial.
    """

    kind: Kind
    number: str = ""
    arm: str = ""
    seed: int = 0

    def __str__(self) -> str:
        """The id as text, as in records."""
        if self.arm:
            return f"{self.kind}/{self.arm}/seed-{self.seed}"
        return self.number if self.kind == "search" else f"{self.kind}/{self.number}"

    @property
    def local(self) -> str:
        """The id within its own run: `baseline/search` is a run of its own."""
        return self.number or str(self)

    @property
    def folder(self) -> str:
        """The training's folder, relative to the run folder."""
        if self.arm:
            return str(self)
        within = "" if self.kind == "search" else f"{self.kind}/"
        return f"{within}{_TRIAL}{self.number}"


def find_id(text: str) -> TrialId | None:
    """Parses an id; None if the text is not one."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    if found["number"]:
        return TrialId(BASELINE_SEARCH if found["nested"] else "search", number=found["number"])
    kind: Kind = "baseline" if found["kind"] == BASELINE else "confirm"
    return TrialId(kind, arm=found["arm"], seed=int(found["seed"]))


def parse_id(text: str) -> TrialId:
    """Parses an id.

    Raises:
        RunFolderError: the text is not an id. Ids are read from files, and a `..` in one must not
            lead out of the run folder.
    """
    found = find_id(text)
    if found is None:
        raise RunFolderError(
            "a trial's id must be a number, or baseline/ARM/seed-N or confirm/ARM/seed-N with an "
            f"arm of letters, digits and ._+-. Received: {text!r}"
        )
    return found


def folder_of(trial_id: str) -> str:
    """The folder of a training, relative to the run folder; raises as `parse_id` does."""
    return parse_id(trial_id).folder


def id_of_folder(name: str) -> str | None:
    """The id of the search's trial with a folder of this name; None for any other folder.

    Keras Tuner pads ids with zeros to the width of the number of trials.
    """
    number = name.removeprefix(_TRIAL)
    found = find_id(number) if number != name else None
    return None if found is None or found.kind != "search" else found.number


def arm_id(kind: ArmKind, arm: str, seed: int) -> str:
    """The id of one seed of an arm."""
    return str(TrialId(kind, arm=arm, seed=seed))


def is_arm_name(arm: str) -> bool:
    """Whether an arm can have this name, which is also a folder's."""
    return find_id(arm_id("confirm", arm, 0)) is not None


def first_tried(trial_id: str) -> tuple[int, str]:
    """A key that sorts the trials of one search in the order in which they were proposed.

    Hyperband may need more digits than Keras Tuner padded for. A longer id is then a later one.
    """
    return len(trial_id), trial_id
