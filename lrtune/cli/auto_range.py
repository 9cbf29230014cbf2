"""`lrtune search --range lr0=auto`: a range test finds the range, and the run folder keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.cli.options import Options
    from lrtune.search.given import Given


def with_recorded_range(options: Options) -> Options:
    """The options with the range that the search in the run folder has, if there is one.

    A resumed search must not test again: the same test on another machine may differ.
    """
    from lrtune.records.manifest import DamagedManifestError
    from lrtune.records.reader import read_run
    from lrtune.records.writer import holds_run

    if not holds_run(options.folder):
        return options
    try:
        ranges = read_run(options.folder).manifest.ranges
    except DamagedManifestError:
        return options
    return options.with_lr0(*ranges["lr0"]) if "lr0" in ranges else options


def with_found_range(options: Options, hypermodel: Any, given: Given, console: Console) -> Options:
    """The options with the range that a test finds, or the usual one where it finds none.

    Args:
        options: of the search, with `--range lr0=auto`.
        hypermodel: of the search.
        given: its data.
        console: where to print what was found.
    """
    from lrtune.finder.api import range_test
    from lrtune.report.terminal import say

    if not options.quiet:
        say(console, "Range test for lr0 ...")
    found = range_test(
        hypermodel, *given.train, **given.fit_kwargs, **given.batches_of(options.one_batch_size)
    )
    low, high = found.suggested or options.space.ranges["lr0"]
    if not options.quiet:
        usual = "" if found.suggested else f" The usual range is searched: {low:g} to {high:g}."
        say(console, f"{found}{usual}")
    return options.with_lr0(low, high)
