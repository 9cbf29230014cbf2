"""Checks that a run folder holds the search that the user asks for."""

from __future__ import annotations

import dataclasses
import json
import platform
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lrtune._version import __version__
from lrtune.errors import OtherSearchError
from lrtune.records import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lrtune.records.schema import Manifest

_OPTIONS = {
    "algo": ("algorithm", "--algo"),
    "seed": ("seed", "--seed"),
    "objective": ("objective", "--objective"),
    "direction": ("direction of the objective", ""),
    "score": ("score", "--score"),
    "max_epochs": ("epochs", "--max-epochs"),
    "horizon": ("horizon", "--horizon"),
    "min_epochs": ("min_epochs", "--min-epochs"),
    "factor": ("factor", ""),
    "batch_sizes": ("batch_size", "--batch-size"),
    "batch_size": ("batch_size", "--batch-size"),
    "baseline_budget": ("baseline_budget", "--baseline-budget"),  # it decides about families
    "families": ("families", "--families"),
    "optimizer": ("optimizer", "--optimizer"),
    "optimizer_options": ("optimizer_options", ""),
    "ranges": ("ranges", "--range"),
    "fixed": ("fixed", "--fix"),
    "tries": ("tries", "--try"),
}
"""What must be equal for two searches to be the same, in the words of a script and of the command
line, in the order in which differences are reported. The number of trials may differ: a search can
be resumed for more trials."""

_OTHERS = ("space", "model", "fit", "fingerprint")
"""What must be equal as well; each of these has its own wording."""


def identity(manifest: Manifest) -> dict[str, Any]:
    """Everything that must be the same for a search to be resumed."""
    plain = schema.to_json(manifest) | {"fingerprint": manifest.data.fingerprint}
    return {name: plain[name] for name in (*_OPTIONS, *_OTHERS)}


def refuse_other_search(folder: Path, found: Manifest, asked: Mapping[str, Any]) -> None:
    """Raises OtherSearchError with the first difference, and both values, if there is one.

    Args:
        folder: the run folder, for the message.
        found: the manifest of its search.
        asked: what the user asks for now, by the names of `identity`, as far as it is known. What
            is empty, like the fingerprint of data that have none, matches everything.
    """
    now = {name: schema.plain(value) for name, value in asked.items()}
    told = next(_differences(identity(found), now), None)
    if told is None:
        return
    script, command = told
    where = f"run folder {folder} holds another search: "
    raise OtherSearchError(
        f"{where}{script}. To resume it, use the same again; else choose another project_name, or "
        "pass overwrite=True to erase it",
        f"{where}{command}. To resume it, use the same again; else choose another --run-dir, or "
        "pass --overwrite to erase it",
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


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What differs, in the words of a script and of the command line."""
    for name, (argument, flag) in _OPTIONS.items():
        if name in now and was[name] != now[name]:
            values = f"{_text(was[name])}, now {_text(now[name])}"
            yield f"{argument} {values}", f"{flag or argument} {values}"
    told = [
        *_of_spaces(was["space"], now.get("space")),
        *_of_models(was["model"], now.get("model") or {}),
        *_of_fits(was["fit"], now.get("fit"), known=bool(was["model"]["architecture"])),
    ]
    before, fingerprint = was["fingerprint"], now.get("fingerprint")
    if before and fingerprint and before != fingerprint:
        told.append(f"the data are others (fingerprint {before}, now {fingerprint})")
    for one in told:
        yield one, one


def _of_spaces(before: list[Any], now: list[Any] | None) -> Iterator[str]:
    if now is None or before == now:
        return
    old, new = ({one["config"]["name"]: one for one in space} for space in (before, now))
    for name in [*old, *new]:
        if old.get(name) != new.get(name):
            yield (
                f"the hyperparameter {name} had {_configured(old.get(name))}, now "
                f"{_configured(new.get(name))}"
            )
    yield f"hyperparameters in the order {', '.join(old)}, now {', '.join(new)}"


def _configured(one: Mapping[str, Any] | None) -> str:
    """The domain of a hyperparameter as Keras Tuner writes it."""
    config = one["config"] if one else {}
    if "min_value" in config and "max_value" in config:
        scale = f", {config['sampling']}" if config.get("sampling") else ""
        return f"{config['min_value']} to {config['max_value']}{scale}"
    for name in ("values", "value"):
        if name in config:
            return _text(config[name])
    if one is None:
        return "no place in the search"
    return _text({key: value for key, value in config.items() if key != "name"})


def _of_models(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if not (before["architecture"] and now.get("architecture")):
        return
    yield from _of_fits(
        {"dtype_policy": before["dtype_policy"], **before["compiled"]},
        {"dtype_policy": now["dtype_policy"], **now["compiled"]},
    )
    for number, (old, new) in enumerate(zip(before["layers"], now["layers"], strict=False), 1):
        if old != new:
            shown, now_shown = old.rsplit(" #", 1)[0], new.rsplit(" #", 1)[0]
            same = shown == now_shown
            both = f"({shown}) has other settings" if same else f"was {shown}, now {now_shown}"
            yield f"layer {number} of the model {both}"
    if len(before["layers"]) != len(now["layers"]):
        yield f"the model had {len(before['layers'])} layers, now {len(now['layers'])}"
    if before["architecture"] != now["architecture"]:
        yield "the model's layers are connected or set otherwise"
    for name, what in {
        "frozen": "the weights of the model that are not trained are others",
        "source": "the code of the function that builds the model has changed",
    }.items():
        if before[name] and now[name] and before[name] != now[name]:
            yield what


def _of_fits(
    before: Mapping[str, Any], now: Mapping[str, Any] | None, *, known: bool = True
) -> Iterator[str]:
    """What differs between named values, of which a run of an older lrtune recorded none."""
    if now is None or not known:
        return
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield f"{name} {_text(before.get(name))}, now {_text(now.get(name))}"


def _text(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ",".join(map(str, value))
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(f"{name}={_setting(one)}" for name, one in value.items())
    return str(value)


def _setting(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, int | float) for one in value):
        return ":".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def installed() -> dict[str, str]:
    """Versions of the packages that train: package name -> version."""
    packages = ("keras", "keras-tuner", "numpy", "tensorflow")
    return {
        "lrtune": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
