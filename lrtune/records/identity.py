"""Checks that a run folder holds the search that the user asks for."""

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
    "batch_sizes": "choice of batch sizes",
    "batch_size": "batch size",
    "families": "schedule families",
    "optimizer": "optimizer",
    "optimizer_options": "options of the optimizer",
    "ranges": "ranges of hyperparameters",
    "fixed": "fixed hyperparameters",
    "tries": "schedules to try first",
    "space": "search space",
    "baseline_budget": "baseline budget",
}
"""What must be equal for two searches to be the same, in the order in which differences are
reported. The number of trials may differ: a search can be resumed for more trials."""


def identity(manifest: Manifest) -> dict[str, Any]:
    """Everything that must be the same for a search to be resumed."""
    plain = schema.to_json(manifest) | {"fingerprint": manifest.data.fingerprint}
    return {name: plain[name] for name in _WORDS}


def refuse_other_search(folder: Path, found: Manifest, asked: Mapping[str, Any]) -> None:
    """Raises RunFolderError with the first difference, and both values, if there is one.

    Args:
        folder: the run folder, for the message.
        found: the manifest of its search.
        asked: what the user asks for now, by the names of `identity`, as far as it is known. An
            empty fingerprint, of data that have none, matches any other.
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
            f"run folder {folder} holds a search with another {what}: the folder has "
            f"{_text(before)}, you asked for {_text(now)}. Use the same value to resume, choose "
            "another --run-dir, or pass --overwrite to erase the search"
        )


def continued(manifest: Manifest, before: Manifest) -> Manifest:
    """The manifest of a resumed search, with the time at which it was first started.

    Warns if it was started with other versions of the packages that train.

    Args:
        manifest: of the search as the user asks for it now.
        before: the one in the run folder.
    """
    changed = [
        f"{name} {before.versions[name]} (now {now})"
        for name, now in manifest.versions.items()
        if before.versions.get(name, now) != now
    ]
    if changed:
        warnings.warn(
            f"the search was started with {', '.join(changed)}: new trials may differ from earlier "
            "ones in their last digits.",
            stacklevel=3,
        )
    return dataclasses.replace(manifest, created=before.created)


def _first_difference(before: list[Any], now: list[Any]) -> tuple[str, Any, Any]:
    """The first hyperparameter that differs: its name and both configurations."""
    old, new = ({one["config"]["name"]: one for one in space} for space in (before, now))
    for name in [*old, *new]:
        if old.get(name) != new.get(name):
            return f"space for {name}", old.get(name, "nothing"), new.get(name, "nothing")
    return "order of hyperparameters", list(old), list(new)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value) or "none"
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        shown = {key: one for key, one in value.get("config", value).items() if key != "name"}
        return json.dumps(shown)
    return str(value)


def installed() -> dict[str, str]:
    """Versions of the packages that train: package name -> version."""
    packages = ("keras", "keras-tuner", "numpy", "tensorflow")
    return {
        "lrtune": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
