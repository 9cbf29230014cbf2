"""Reads the files that Keras Tuner keeps in a run folder, `oracle.json` and `trial.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lrtune.records import schema
from lrtune.records.ids import folder_of, id_of_folder, parse_id
from lrtune.records.parse import UNREADABLE, read_bytes

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, name: str) -> Any:
    """The JSON in a file of Keras Tuner's. Raises one of `UNREADABLE` if it is damaged."""
    return json.loads(read_bytes(folder, name))


def read_proposal(folder: Path, trial_id: str) -> dict[str, Any] | None:
    """The hyperparameter values that Keras Tuner proposed for a trial, from its `trial.json`.

    Returns:
        Values by name; None where the file is missing or damaged.
    """
    try:
        raw = load(folder, f"{folder_of(trial_id)}/{schema.TRIAL_FILE}")
        values = raw["hyperparameters"]["values"]
        same = raw["trial_id"] == parse_id(trial_id).local
        return dict(values) if same and isinstance(values, dict) else None
    except UNREADABLE:
        return None


def started_trials(folder: Path) -> list[str]:
    """Ids of all trials that Keras Tuner's oracle gave to a search; none where it does not say."""
    try:
        begun = load(folder, schema.ORACLE)["start_order"]
        return [one for one in begun if isinstance(one, str) and id_of_folder(f"trial_{one}")]
    except UNREADABLE:
        return []
