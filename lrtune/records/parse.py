"""What is read from a run folder's files is checked here: JSON as it should be, or an exception."""

from __future__ import annotations

import json
import math
import stat
from typing import TYPE_CHECKING, Any, TypeVar

from lrtune.records import schema

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome

_T = TypeVar("_T")

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading and checking a damaged file may raise."""


def checked_manifest(raw: Any) -> Manifest:
    """The manifest that this JSON object is; raises one of `UNREADABLE` where it is none."""
    manifest = schema.manifest_from_json(raw)
    _check("algo", manifest.algo, str)
    _check("objective", manifest.objective, str)
    if manifest.direction not in ("max", "min"):
        raise ValueError(f"direction must be max or min, not {manifest.direction!r}")
    if _check("max_epochs", manifest.max_epochs, int) < 1:
        raise ValueError(f"max_epochs must be >= 1, not {manifest.max_epochs}")
    for name, values in _check("baseline_arms", manifest.baseline_arms, dict).items():
        _check(f"baseline_arms[{name!r}]", values, dict)
    for index, one in enumerate(manifest.space):
        _check(f"space[{index}]", one, dict)
    _check("data.source", manifest.data.source, str)
    _check("data.sizes", manifest.data.sizes, dict)
    return manifest


def checked_confirm_manifest(raw: Any) -> ConfirmManifest:
    """The manifest of a confirmation; raises one of `UNREADABLE` where it is none."""
    if version := newer(raw):
        raise ValueError(f"written by a newer lrtune, {version}")
    manifest = schema.confirm_manifest_from_json(raw)
    for name in ("arms", "trials", "search_scores"):
        _check(name, getattr(manifest, name), dict)
    for arm, values in manifest.arms.items():
        _check(f"arms[{arm!r}]", values, dict)
        if not schema.is_trial_id(f"{schema.CONFIRM}/{arm}/seed-0"):
            raise ValueError(f"no arm can be called {arm!r}")
    for arm, score in manifest.search_scores.items():
        _check(f"search_scores[{arm!r}]", score, int, float)
    for arm, trial_id in manifest.trials.items():
        _check(f"trials[{arm!r}]", trial_id, str)
    if manifest.baseline not in manifest.arms:
        raise ValueError(f"the baseline {manifest.baseline!r} is none of the arms")
    if manifest.direction not in ("max", "min"):
        raise ValueError(f"direction must be max or min, not {manifest.direction!r}")
    for seed in manifest.seeds:
        _check("seeds", seed, int)
    _check("objective", manifest.objective, str)
    _check("epochs", manifest.epochs, int)
    _check("train_on", manifest.train_on, str)
    _check("data.sizes", manifest.data.sizes, dict)
    return manifest


def checked_outcome(raw: Any, trial_id: str) -> Outcome:
    """The outcome that this JSON object is; raises one of `UNREADABLE` where it is none."""
    if version := newer(raw):
        raise ValueError(f"written by a newer lrtune, {version}")
    outcome = schema.outcome_from_json(raw)
    if outcome.trial_id != trial_id:
        raise ValueError(f"it is of trial {outcome.trial_id!r}")
    if outcome.status not in schema.STATUSES:
        raise ValueError(f"status must be one of {', '.join(schema.STATUSES)}")
    _check("values", outcome.values, dict)
    for name in ("first", "last", "planned"):
        _check(f"epochs.{name}", getattr(outcome.epochs, name), int)
    _check("seconds", outcome.seconds, int, float, type(None))
    _check("score", outcome.score, int, float, type(None))
    _check("parent", outcome.parent, str, type(None))
    _check("message", outcome.message, str, type(None))
    return outcome


def _check(name: str, value: _T, *kinds: type) -> _T:
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"{name} is {type(value).__name__}")
    return value


def read_bytes(path: Path, at_most: int = 16 * 2**20) -> bytes:
    """The content of a file, which must be one: a pipe would be waited on, a device never ends.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no file, or has more bytes than `at_most`; the largest of ours, the oracle
            of a search of thousands of trials, has less than one MiB.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a file")
    if status.st_size > at_most:
        raise ValueError(f"it has {status.st_size:,} bytes")
    return path.read_bytes()


def loads(content: bytes) -> Any:
    """JSON as the standard has it, with numbers that a double or 64 bits can hold."""
    return json.loads(content, parse_constant=_refuse, parse_float=_finite, parse_int=_int64)


def loads_numbers(content: bytes) -> Any:
    """The same, but a number that no double can hold is infinite: whoever calls must look.

    NOTE: a call of `_finite` a number takes as long as the rest of the parser.
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
    raise ValueError(f"{constant} is no JSON")


def newer(raw: Any) -> str:
    """Which newer schema wrote this, in words; empty if none."""
    if not isinstance(raw, dict):
        raise TypeError("it is no JSON object")
    version = _check("schema", raw["schema"], int)
    return f"schema {version}, this one reads {schema.SCHEMA}" if version > schema.SCHEMA else ""


def reason(error: Exception) -> str:
    """What was wrong, in words that stand between brackets."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "it is no whole JSON"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
