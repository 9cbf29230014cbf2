"""Reads and checks one JSON file of a run folder: returns a valid record or raises an exception."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from lrtune._util.inside import plain_file
from lrtune.records.ids import CONFIRM, folder_of, is_arm_name, parse_id
from lrtune.records.samples import LARGEST_FILE, SAMPLES, PackedSamples, Samples, unpack
from lrtune.records.schema import (
    CONFIRM_MANIFEST,
    MANIFEST,
    OUTCOME,
    SCHEMA,
    ConfirmManifest,
    Manifest,
    Outcome,
)

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""The exceptions that reading and checking a damaged file may raise."""


class NewerSchemaError(ValueError):
    """A newer lrtune wrote this file, in a layout that this one does not know."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder. Raises one of `UNREADABLE` if there is no valid one."""
    return _convert(_known_versions(loads(read_bytes(folder, MANIFEST))), Manifest)


def read_confirm_manifest(folder: Path) -> ConfirmManifest:
    """The manifest of its confirmation. Raises one of `UNREADABLE` if there is no valid one."""
    raw = loads(read_bytes(folder, f"{CONFIRM}/{CONFIRM_MANIFEST}"))
    manifest = _convert(_known_versions(raw), ConfirmManifest)
    for arm in manifest.arms:
        if not is_arm_name(arm):
            raise ValueError(f"no arm can be called {arm!r}")
    if manifest.baseline not in manifest.arms:
        raise ValueError(f"the baseline {manifest.baseline!r} is not one of the arms")
    if manifest.tested is not None and manifest.tested not in manifest.candidates:
        raise ValueError(f"the tested arm {manifest.tested!r} is not one of the candidates")
    if manifest.design == "sequential" and not manifest.scale > 0:
        raise ValueError(f"scale: must be > 0, but it is {manifest.scale}")
    return manifest


def read_outcome(folder: Path, trial_id: str) -> Outcome:
    """The outcome of a training. Raises one of `UNREADABLE` if there is no valid one."""
    raw = loads(read_bytes(folder, f"{folder_of(trial_id)}/{OUTCOME}"))
    if isinstance(raw, dict) and raw.get("seconds", 0.0) is None:
        raw["seconds"] = math.nan
    outcome = _convert(raw, Outcome)
    if outcome.trial_id != parse_id(trial_id).local:
        raise ValueError(f"it belongs to trial {outcome.trial_id!r}")
    if outcome.status == "completed" and (
        outcome.score is None or not math.isfinite(outcome.score)
    ):
        raise ValueError("it is completed, but has no score")
    return outcome


def read_samples(folder: Path, trial_id: str) -> Samples:
    """How a training did on each test sample. Raises one of `UNREADABLE` if that is unknown."""
    raw = loads(read_bytes(folder, f"{folder_of(trial_id)}/{SAMPLES}", at_most=LARGEST_FILE))
    return unpack(_convert(raw, PackedSamples))


def _known_versions(raw: Any) -> Any:
    """The same with only those versions that can be read: nothing but words depends on them."""
    if not isinstance(raw, dict):
        return raw
    versions = raw.get("versions")
    items = versions.items() if isinstance(versions, dict) else ()
    return {**raw, "versions": {name: one for name, one in items if isinstance(one, str)}}


def _convert(raw: Any, kind: type[T]) -> T:
    """The record in parsed JSON; unknown keys are ignored."""
    if not isinstance(raw, dict):
        raise TypeError("it is not a JSON object")
    version = msgspec.convert(raw, _Version).schema
    if version > SCHEMA:
        raise NewerSchemaError(
            f"written by a newer lrtune: schema {version}, this one reads {SCHEMA}"
        )
    return msgspec.convert(raw, kind)


@dataclass(frozen=True)
class _Version:
    schema: int


def read_bytes(folder: Path, name: str, at_most: int = 16 * 2**20) -> bytes:
    """The content of a file of a run folder.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a plain file in plain folders, or has more bytes than `at_most`; the
            largest of ours, the oracle of a search of 10,000 trials, has 1.3 MB.
    """
    with plain_file(folder, name).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > at_most:
            raise ValueError(f"it has {size:,} bytes")
        return file.read()


def loads(content: bytes) -> Any:
    """Standard JSON with numbers that fit into a double or 64 bits.

    NOTE: not msgspec's own parser, which refuses the lone surrogates that Python writes.
    """
    return json.loads(content, parse_constant=_refuse, parse_float=_finite, parse_int=_int64)


def loads_numbers(content: bytes) -> Any:
    """The same, but a number too large for a double becomes infinite: the caller must check.

    NOTE: calling `_finite` for each number takes as long as the rest of the parser.
    """
    return json.loads(content, parse_constant=_refuse, parse_int=_int64)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # 1e999 is a number to JSON
        raise ValueError(f"{text[:20]} is more than a float can hold")
    return number


def _int64(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"{text[:20]} is more than 64 bits can hold")
    return int(text)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def reason(error: Exception) -> str:
    """What was wrong, in words for a parenthesis."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "it is not complete JSON"
    if isinstance(error, msgspec.ValidationError):
        # "Expected `int`, got `str` - at `$.epochs.first`" in the reader's order.
        what, _, where = str(error).replace("`", "").partition(" - at $.")
        what = f"{what[0].lower()}{what[1:]}".replace("object missing required field", "no field")
        return f"{where}: {what}" if where else what
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
