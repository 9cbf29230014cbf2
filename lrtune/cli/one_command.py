"""`lrtune search --confirm`: the confirmation that follows the search in the same command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune._util.references import is_reference
from lrtune.cli import app as cli
from lrtune.cli.confirm import Asked, confirm
from lrtune.cli.options import Options, command_line
from lrtune.errors import DataError

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.search.deadline import Deadline
    from lrtune.search.given import Given


def refuse_without_test(source: str, given: Given) -> None:
    """Raises DataError if there are no test data, which a confirmation needs."""
    if given.test is None:
        what = f"{source} must return them as a part named 'test'"
    elif not is_reference(source) and not len(given.test[0]):
        what = f"{source} has none"
    else:
        return
    raise DataError(f"--confirm compares on test data: {what}")


def confirm_search(
    options: Options, console: Console, deadline: Deadline, *, stopped: bool
) -> None:
    """Confirms the search in the run folder and shows the result.

    Args:
        options: of the search.
        console: where to print.
        deadline: of the whole command.
        stopped: whether the deadline of the search came before its end.

    Raises:
        LrtuneError: the run folder has another confirmation.
        typer.Exit: with code 130, after an interrupt.
    """
    from lrtune.confirmation.arms import missing_of
    from lrtune.confirmation.plan import Design
    from lrtune.records.reader import read_run
    from lrtune.report.terminal import say

    folder = options.folder
    records = read_run(folder)
    missing = missing_of(records)
    if missing is not None or (deadline.is_past and records.confirmation is None):
        closing = f"The search has {missing}."
        if missing is None:
            closing = (
                f"The time limit of {options.time_limit} ended before the confirmation began. To "
                f"go on:\n  {command_line(options)}"
            )
        elif stopped:
            closing = f"{closing}\n{search_left(options)}"
        cli.show_result(folder, console, "search", closing=closing)
        return
    asked = Asked(
        design=Design(max_seeds=options.max_seeds),
        options=options.run_options,
        quiet=options.quiet,
        finished="The search and the confirmation in {run} are finished; --overwrite starts new "
        "ones.",
        resume=f"To resume:\n  {command_line(options)}",
        deadline=deadline,
    )
    if confirm(folder, asked, console):
        say(
            console,
            f"The time limit of {options.time_limit} ended before the answer. To go on:\n"
            f"  {command_line(options)}",
        )
    if stopped:
        say(console, f"{_searched(options)} The confirmation is of these.")


def search_left(options: Options) -> str:
    """What a search with a time limit has left undone, and the command that goes on."""
    return f"{_searched(options)} To go on:\n  {command_line(options)}"


def _searched(options: Options) -> str:
    from lrtune.records.reader import read_run

    records = read_run(options.folder)
    planned = sum(one.trainings for one in records.manifest.plan if one.part == "search")
    return (
        f"The search stopped for the time limit of {options.time_limit}, after "
        f"{len(records.outcomes):,} of at most {planned:,} trials."
    )
