"""When trials ran. A run folder says how long each took, and when the search began."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from lrtune.records import schema
from lrtune.records.ids import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome

_SLACK = 2.0
"""Seconds by which file times may differ from what the manifest rounded to seconds."""


class Times(NamedTuple):
    """Start and end of a trial, in seconds since 1970."""

    start: float
    end: float


def trial_times(
    folder: Path, outcomes: Iterable[Outcome], manifest: Manifest | ConfirmManifest
) -> dict[str, Times]:
    """When each trial ran, by its id.

    A trial ended when its `outcome.json` was written, and began as long before as it took. Where a
    copy of the folder has lost the files' times, so that any of them is not within the search's,
    the trials are laid out one after another from the search's start, in their order: durations are
    right then, and nothing else is.
    """
    outcomes = list(outcomes)
    first, last = _instant(manifest.created), _instant(manifest.finished)
    lasted = {outcome.trial_id: seconds_of(outcome.seconds) for outcome in outcomes}
    ended = {one: _written(folder, one) for one in lasted}
    if all(
        end - lasted[one] >= (first or 0.0) - _SLACK and end <= (last or math.inf) + _SLACK
        for one, end in ended.items()
    ):
        return {one: Times(end - lasted[one], end) for one, end in ended.items()}
    clock, laid_out = first or 0.0, {}
    for one, seconds in lasted.items():
        laid_out[one] = Times(clock, clock + seconds)
        clock += seconds
    return laid_out


def seconds_of(value: Any) -> float:
    """A recorded duration, 0 where there is none."""
    usable = isinstance(value, int | float) and math.isfinite(value) and value > 0
    return float(value) if usable else 0.0


def created(manifest: Manifest | ConfirmManifest) -> float:
    """When the search began, in seconds since 1970; 0 where it does not say."""
    return _instant(manifest.created) or 0.0


def _written(folder: Path, trial_id: str) -> float:
    try:
        return (folder / folder_of(trial_id) / schema.OUTCOME).stat().st_mtime
    except OSError:
        return -math.inf


def _instant(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        return None
