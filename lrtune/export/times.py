"""When trials ran. A run folder records how long each took and when the search began."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from lrtune.records import schema
from lrtune.records.ids import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lrtune.records.schema import ConfirmManifest, Manifest, Outcome

_SLACK = 2.0
"""Seconds by which file times may differ from the manifest's, which are rounded to seconds."""


class Times(NamedTuple):
    """Start and end of a trial, in seconds since 1970."""

    start: float
    end: float


def trial_times(
    folder: Path, outcomes: Iterable[Outcome], manifest: Manifest | ConfirmManifest
) -> dict[str, Times]:
    """When each trial ran, by its id.

    A trial ended when its `outcome.json` was written, and its duration says when it began. A copy
    of the folder may have lost the files' times: if any of them lies outside the search, the trials
    are placed one after another from the search's start, and only their durations are right.
    """
    seconds = {outcome.trial_id: seconds_of(outcome.seconds) for outcome in outcomes}
    first, last = created(manifest), _instant(manifest.finished, math.inf)
    ends = {one: _written(folder, one) for one in seconds}
    if not all(
        first - _SLACK <= ends[one] - lasted and ends[one] <= last + _SLACK
        for one, lasted in seconds.items()
    ):
        _, *one_after_another = accumulate(seconds.values(), initial=first)
        ends = dict(zip(seconds, one_after_another, strict=True))
    return {one: Times(ends[one] - lasted, ends[one]) for one, lasted in seconds.items()}


def seconds_of(recorded: float) -> float:
    """A recorded duration; 0 where it is NaN or negative."""
    return recorded if recorded > 0 else 0.0


def created(manifest: Manifest | ConfirmManifest) -> float:
    """When the search began, in seconds since 1970; 0 if the manifest's time cannot be read."""
    return _instant(manifest.created, 0.0)


def _written(folder: Path, trial_id: str) -> float:
    try:
        return (folder / folder_of(trial_id) / schema.OUTCOME).stat().st_mtime
    except OSError:
        return -math.inf


def _instant(text: str | None, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except (ValueError, OverflowError, OSError):
        return otherwise
