"""Which trainings have a folder in a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lrtune.records.ids import find_id, first_tried, id_of_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.records.ids import ArmKind, TrialId


def trial_ids(folder: Path) -> list[str]:
    """Ids of all trials of the search that have a folder, in the order in which they started."""
    return sorted(filter(None, map(id_of_folder, _folders(folder))), key=first_tried)


def arm_ids(folder: Path, kind: ArmKind) -> list[TrialId]:
    """Ids of all seeds of arms that have a folder, by arm and then seed."""
    found = [
        find_id(f"{kind}/{arm}/{seed}")
        for arm in _folders(folder / kind)
        for seed in _folders(folder / kind / arm)
    ]
    arms = [one for one in found if one is not None and one.arm]
    return sorted(arms, key=lambda one: (len(one.arm), one.arm, one.seed))


def _folders(folder: Path) -> list[str]:
    """Names of the folders in a folder."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir()]
