"""`lrtune search --time-limit 30m`: how much of the search fits, and when its stages stop."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lrtune.cli.options import Options
    from lrtune.display.stages import Speed, Stage
    from lrtune.records.schema import Outcome
    from lrtune.search.deadline import Deadline
    from lrtune.search.given import Given

    MakeTuner = Callable[[Options, float | None], Any]

_NUMBER = r"(\d+(?:\.\d+)?)"
_TIME = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?")


def parse_seconds(option: str, text: str) -> float:
    """The seconds > 0 that a text like 30m, 90s, 2h, 1h30m or 90 means.

    Raises:
        ArgumentError: it means none.
    """
    found = _TIME.fullmatch(text.strip().lower())
    parts = [float(one or 0) for one in found.groups()] if found else [0.0]
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if not 0 < seconds < math.inf:
        raise ArgumentError(
            f"{option} must be a time > 0 such as 30m, 90s, 2h or 1h30m, or seconds as a plain "
            f"number. Received: {text}"
        )
    return seconds


def as_limit(seconds: float) -> str:
    """Seconds, rounded up, as the option takes them: 90s, 25m."""
    return f"{math.ceil(seconds)}s" if seconds < 120 else f"{math.ceil(seconds / 60)}m"


def stages_of(options: Options, given: Given, tuner: Any) -> tuple[Stage, ...]:
    """What the whole command trains, stage by stage."""
    from lrtune.display.stages import stage_of_confirmation, stages_of_search

    rungs = tuner.rungs()
    stages = stages_of_search(rungs)
    if not options.confirm:
        return stages
    full = sum(one.trainings for one in rungs if (one.part, one.last) == ("search", options.epochs))
    sizes = given.record.sizes
    joined = sizes.get("train", 0) + sizes.get("validation", 0)
    confirmation = stage_of_confirmation(
        full,
        options.most_seeds,
        options.epochs,
        chooses=given.validation is not None or "validation_split" in given.fit_kwargs,
        size=joined / sizes["train"] if sizes.get("train") else 1.0,
    )
    return (*stages, confirmation)


@dataclass(frozen=True)
class Planned:
    """How a search fits into its time limit.

    Attributes:
        share: of the trials; None for that of the search in the run folder.
        speed: of the workers.
    """

    share: float | None
    speed: Speed

    def deadlines(
        self, deadline: Deadline, stages: Sequence[Stage], ended: Sequence[Outcome]
    ) -> tuple[Deadline, Deadline]:
        """When the search, and its search of constant rates, must stop for what comes afterwards.

        Args:
            deadline: of the whole command.
            stages: of the command.
            ended: trainings of earlier sessions, which take no more time.
        """
        from lrtune.records.ids import BASELINE_SEARCH, CONFIRM
        from lrtune.search.limit import seconds_of

        left = [one.without(ended) for one in stages]
        seconds = {one.kind: seconds_of([one], self.speed) for one in left}
        search = deadline.earlier(seconds.pop(CONFIRM, 0.0))
        constants = seconds.pop(BASELINE_SEARCH, 0.0)
        others = sum(seconds.values())
        # Where time is short, neither gets all of it.
        part = search.part(constants / ((constants + others) or 1.0))
        return search, search.earlier(others).later_of(part)


def planned(
    options: Options, given: Given, make_tuner: MakeTuner, deadline: Deadline, *, resumed: bool
) -> Planned:
    """Times an epoch, then plans a search that fits into the time until the deadline.

    Args:
        options: of the search.
        given: its data.
        make_tuner: a tuner for options and a share of the trials; it must not touch its folder.
        deadline: of the whole command.
        resumed: whether the run folder holds the search, whose share stays as it is.

    Raises:
        ArgumentError: not even the smallest plan fits; the message says what would.
    """
    from lrtune.search.limit import SMALLEST, largest_horizon, largest_share, seconds_of

    limit = options.seconds
    with TemporaryDirectory() as folder:
        asked = replace(options, run_dir=Path(folder, "run"), overwrite=False)
        speed = make_tuner(asked, 1.0).speed(
            *given.train, **given.search_kwargs, **given.batches_of(options.one_batch_size)
        )
        if resumed:
            return Planned(None, speed)
        smallest = max(SMALLEST, len(options.tries or ()) / (options.trials or math.inf))

        def stages_at(share: float, epochs: int = options.epochs) -> tuple[Stage, ...]:
            one = replace(asked, max_epochs=epochs)
            return stages_of(one, given, make_tuner(one, share))

        share = largest_share(stages_at, speed, deadline.left, smallest)
        if share is not None:
            return Planned(share, speed)
        gone = limit - deadline.left

        def needed(epochs: int) -> float:
            return gone + seconds_of(stages_at(smallest, epochs), speed)

        try:
            epochs = largest_horizon(lambda epochs: needed(epochs) <= limit, options.epochs)
        except ArgumentError:  # a schedule to try that does not fit into fewer epochs
            epochs = None
        whole = needed(options.epochs)
    other = f", or --max-epochs {epochs}" if epochs else ""
    workers = f"{speed.workers} worker{'' if speed.workers == 1 else 's'}"
    raise ArgumentError(
        f"--time-limit is too short for --max-epochs {options.epochs} here: at {speed.epoch:.2g} s "
        f"an epoch with {workers}, even a search of {smallest:.0%} of the usual trials takes "
        f"{as_limit(whole)}"
        f"{', its confirmation included' if options.confirm else ''}. "
        f"--time-limit {as_limit(1.05 * whole)} would do{other}. Received: {options.time_limit}"
    )
