"""Whether a search that was asked for is the one that a run folder holds."""

from __future__ import annotations

import dataclasses
import json
import platform
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lrtune._version import __version__
from lrtune.errors import RunFolderError
from lrtune.records import schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lrtune.records.schema import Manifest

_WORDS = {
    "fingerprint": "dataset fingerprint",
    "algo": "algorithm",
    "seed": "seed",
    "objective": "objective",
    "direction": "direction of the objective",
    "score": "score",
    "max_epochs": "horizon in epochs",
    "factor": "Hyperband factor",
    "batch_size": "batch size",
    "families": "schedule families",
    "space": "search space",
    "baseline_budget": "baseline budget",
}
"""What makes a search this search, in the order in which a difference is named. The number of
trials is not among it: a search may be continued for more of them."""


def identity(manifest: Manifest) -> dict[str, Any]:
    """All that must be the same for a search to be continued."""
    plain = schema.to_json(manifest)
    return {name: plain["data" if name == "fingerprint" else name] for name in _WORDS} | {
        "fingerprint": manifest.data.fingerprint
    }


def refuse_other_search(folder: Path, found: Manifest, asked: Mapping[str, Any]) -> None:
    """Raises RunFolderError with the first difference, and both values, if there is one.

    Args:
        folder: the run folder, for the message.
        found: what its search was asked.
        asked: what is asked now, by the names of `identity`, as much of it as is known. An empty
            fingerprint is of data that have none, and differs from nothing.
    """
    was = identity(found)
    for name, words in _WORDS.items():
        if name not in asked or was[name] == schema.plain(asked[name]):
            continue
        before, now = was[name], schema.plain(asked[name])
        if name == "fingerprint" and not (before and now):
            continue
        what = words
        if name == "space":
            what, before, now = _first_difference(before, now)
        raise RunFolderError(
            f"run folder {folder} holds a search with another {what}: {_text(before)} there, "
            f"{_text(now)} here; give the same to continue it, choose another --run-dir, or pass "
            "--overwrite to erase it"
        )


def continued(manifest: Manifest, before: Manifest) -> Manifest:
    """The manifest of a search that goes on: begun when the one before was.

    Warns where it was begun with other versions of what trains.

    Args:
        manifest: of the search as it is asked for now.
        before: what the run folder holds.
    """
    changed = [
        f"{name} {before.versions[name]} (now {now})"
        for name, now in manifest.versions.items()
        if before.versions.get(name, now) != now
    ]
    if changed:
        warnings.warn(
            f"the search was begun with {', '.join(changed)}: trials from here on may differ in "
            "their last digits from those before.",
            stacklevel=3,
        )
    return dataclasses.replace(manifest, created=before.created)


def _first_difference(before: list[Any], now: list[Any]) -> tuple[str, Any, Any]:
    """The first hyperparameter that differs: what it is called, and both of its configurations."""
    old, new = ({one["config"]["name"]: one for one in space} for space in (before, now))
    for name in [*old, *new]:
        if old.get(name) != new.get(name):
            return f"space for {name}", old.get(name, "nothing"), new.get(name, "nothing")
    return "order of hyperparameters", list(old), list(new)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    if isinstance(value, dict):
        shown = {key: one for key, one in value.get("config", value).items() if key != "name"}
        return json.dumps(shown)
    return str(value)


def installed() -> dict[str, str]:
    """Versions of what trains: package name -> version."""
    packages = ("keras", "keras-tuner", "numpy", "tensorflow")
    return {
        "lrtune": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
