"""What a search found, read from its files by hand, and what must not differ between two runs.

Nothing of lrtune's reader is used for it. The ranking is compared apart, as lrtune tells it.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

import lrtune

if TYPE_CHECKING:
    from pathlib import Path

TIMES = ["seconds", "total_seconds"]


def result(folder: Path, *, lenient: bool = False) -> dict[str, Any]:
    """All that a finished search must have found, wall times left out, by what it is of.

    Args:
        folder: the run.
        lenient: whether the lines of `epochs.jsonl` may be damaged; such a line is told as text.
    """
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["finished"], "run.json must tell that the search is finished"
    left = [str(path) for path in folder.rglob("*.tmp")]
    assert not left, f"temporary files are left: {left}"
    found: dict[str, Any] = {"asked": _asked(manifest)}
    outcomes = sorted(folder.rglob("outcome.json"))
    assert outcomes, "no trial has an outcome"
    for path in outcomes:
        found[str(path.parent.relative_to(folder))] = _trial(path.parent, lenient=lenient)
    assert len(list(folder.glob("trial_*"))) == len(list(folder.glob("trial_*/outcome.json")))
    found["ranking"] = _ranking(folder)
    return found


def _asked(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in manifest if key not in ("created", "finished")}


def _trial(folder: Path, *, lenient: bool) -> dict[str, Any]:
    outcome = json.loads((folder / "outcome.json").read_text())
    assert outcome.pop("seconds") >= 0
    trained = outcome["epochs"]["last"] >= outcome["epochs"]["first"]
    rows = (folder / "epochs.jsonl").read_bytes().splitlines() if trained else []
    found = {"outcome": outcome, "epochs": [_epoch(row, lenient=lenient) for row in rows]}
    if folder.name.startswith("trial_"):
        state = json.loads((folder / "trial.json").read_text())
        found["Keras Tuner's"] = {
            "values": state["hyperparameters"]["values"],
            "status": state["status"],
            "score": state["score"],
        }
    if (folder / "state.npz").exists():
        found["state"] = _state(folder / "state.npz")
    return found


def _state(path: Path) -> Any:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name].tobytes().hex() for name in arrays.files}
    except (ValueError, EOFError, zipfile.BadZipFile):
        return "damaged"


def _epoch(row: bytes, *, lenient: bool) -> Any:
    try:
        epoch = json.loads(row)
        assert epoch.pop("seconds") >= 0
    except (ValueError, AttributeError, KeyError):
        if not lenient:
            raise
        return repr(row)
    return epoch


def _ranking(folder: Path) -> str:
    table = lrtune.load_run(folder).ranking().drop(columns=TIMES)
    return str(table.to_json(orient="records", indent=1))


def differences(found: Any, expected: Any, where: str = "") -> list[str]:
    """Where two results differ, in words; none where they are equal."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return [
            line
            for key in {**expected, **found}
            for line in differences(
                found.get(key, "nothing"), expected.get(key, "nothing"), f"{where}/{key}"
            )
        ]
    if json.dumps(found) == json.dumps(expected):  # NaN is equal to itself, 1 is not 1.0
        return []
    return [f"{where}: {_short(found)} in place of {_short(expected)}"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 300 else f"{text[:300]} ..."


def without(found: dict[str, Any], trial: str, part: str) -> dict[str, Any]:
    """The result without the "epochs" or the "state" of one trial, whose file was damaged."""
    return found | {trial: {key: one for key, one in found[trial].items() if key != part}}


def finished_trials(folder: Path) -> dict[str, bytes]:
    """Every `outcome.json` that is there, as it is: its wall seconds tell one run from another.

    Without those of lost trainings, which are trained again.
    """
    found = {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("outcome.json")
    }
    return {name: content for name, content in found.items() if b'"lost"' not in content}


def run_twice(folder: Path, before: dict[str, bytes]) -> list[str]:
    """Which of the trials that were finished before are not as they were."""
    now = finished_trials(folder)
    return [f"{name} was written twice" for name in before if now.get(name) != before[name]]
