"""One picture of a search: rich's tables, cut to fit the terminal.

Its height depends on the terminal and on the most workers there were, not on what they are doing.
Missing rows are left empty, so nothing moves as trials begin and end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lrtune.display.leaderboard import TOP
from lrtune.display.words import LEVELS, in_words, one_line, recipe_text, short_id
from lrtune.report.words import NOTHING, brief, count, fixed, mean_and_std
from lrtune.stats.trials import score_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.segment import Segment

    from lrtune.display.board import Board, Running

    Lines = list[list[Segment]]

ARMS = 3
"""How many of a search's constant rates are shown, the best ones."""

_WIDEST = 100
_BAR = 24
_CURVE, _SHORT_CURVE = 20, 8


def draw(board: Board, console: Console) -> Lines:
    """The picture: lines no wider than the console, and at least one fewer than it has."""
    height = max(console.height - 1, 1)
    confirmation = board.leaderboard.names
    workers, arms = max(board.slots, 1), len(confirmation) or ARMS
    top = 0 if confirmation else TOP
    # From everything there is to the least: gaps, lines a worker, trials, arms.
    choices = [(1, 2, top, arms), (0, 2, top, arms), (0, 1, top, arms), (0, 1, top, 1)]
    with board.lock:
        for gap, each, trials, shown in [*choices, (0, 1, min(top, 1), 1)]:
            parts = [(_head(board, console), 2), (_workers(board, console, each), workers * each)]
            if trials:
                parts.append((_best(board, console, trials), trials + 1))
            parts.append((_arms(board, console, shown), shown + 1))
            if sum(rows for _, rows in parts) + gap * (len(parts) - 1) <= height:
                break
        lines: Lines = []
        for table, rows in parts:
            lines += [[]] * gap if lines else []
            part = [_trimmed(line) for line in console.render_lines(table, pad=False)[:rows]]
            lines += [*part, *([[]] * (rows - len(part)))]
    return lines[:height]


def _trimmed(line: list[Segment]) -> list[Segment]:
    """Without blanks at the end, which would wrap when somebody narrows the window."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    return line


def curve(numbers: Sequence[float], width: int) -> str:
    """A line of little columns, the highest number the highest.

    Args:
        numbers: any; one that is not finite leaves a blank.
        width: int >= 1, the most characters; of more numbers, evenly spaced ones are shown, the
            last among them.
    """
    if len(numbers) > width:
        numbers = [numbers[(index + 1) * len(numbers) // width - 1] for index in range(width)]
    finite = [number for number in numbers if math.isfinite(number)]
    # NOTE: halved, as the span of two floats can be more than a float holds.
    low = min(finite, default=0.0) / 2
    span = max(finite, default=0.0) / 2 - low
    return "".join(
        LEVELS[round((number / 2 - low) / span * (len(LEVELS) - 1)) if span else 0]
        if math.isfinite(number)
        else " "
        for number in numbers
    )


def _table(console: Console, *columns: str, wide: int = 1) -> Table:
    """A table without lines.

    Args:
        console: where it will be shown.
        columns: their titles.
        wide: the column that takes the room that the others leave; those after it hold numbers.
    """
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_header=any(columns),
        header_style="bold",
        width=min(console.width, _WIDEST) if wide < len(columns) - 1 else console.width,
    )
    for index, name in enumerate(columns):
        table.add_column(
            one_line(name, console),
            no_wrap=True,
            # rich's ellipsis is a character that ASCII lacks.
            overflow="crop" if console.options.ascii_only else "ellipsis",
            ratio=1 if index == wide else None,
            min_width=7 if index > wide else None,
            justify="right" if index > wide else "left",
        )
    return table


def _head(board: Board, console: Console) -> Table:
    epochs, trials = count(board.epochs_done, "epoch"), count(board.trials_done, "trial")
    if board.trials:
        trials = f"{board.trials_done:,} of {count(board.trials, 'trial')}"
    if board.epochs:
        epochs = f"{board.epochs_done:,} of {count(board.epochs, 'epoch')}"
    found = board.found() if board.found_trials else ""
    parts = [trials, in_words(board.clock() - board.began), found, board.status]
    first = one_line(f"{epochs}, {board.time_left()}", console, "bold")
    second = one_line(", ".join(part for part in parts if part), console)
    lines = _table(console, "", wide=0)
    cells = min(_BAR, console.width - 50)
    if board.epochs and cells > 0:
        bar = ProgressBar(board.epochs, board.epochs_done, width=cells)
        head = _table(console, "", "")
        head.add_row(bar, first)
        lines.add_row(head)
    else:
        lines.add_row(first)
    lines.add_row(second)
    return lines


def _workers(board: Board, console: Console, lines_a_worker: int) -> Table:
    table = _table(console, "", "")
    # A search that was stopped left trials unfinished, but none of them is running.
    trials = [] if board.stopped else list(board.running.values())
    for trial in trials:
        recipe = recipe_text(trial.task.recipe)
        if lines_a_worker == 2:
            text = _progress(trial, board.leaderboard.places, _CURVE, "epoch ", " of ")
            second = f"{text[0]}  {trial.metric} {text[1]}" if trial.metric else "  ".join(text)
            body = one_line(recipe, console, "cyan")
            body = Text("\n").join([body, one_line(second, console)])
        else:
            text = _progress(trial, board.leaderboard.places, _SHORT_CURVE, "", "/")
            body = one_line("  ".join((*text, recipe)), console)
        table.add_row(one_line(short_id(trial.task.trial_id), console, "cyan"), body)
    if not trials:
        idle = "nothing is running" if board.stopped else "no trial is running"
        table.add_row(one_line(idle, console, "dim"))
    return table


def _progress(
    trial: Running, places: int, width: int, before: str, between: str
) -> tuple[str, str]:
    last = trial.task.last_epoch
    width = min(width, max(last - trial.task.first_epoch, 1))
    epoch = f"{before}{trial.epoch:{len(str(last))}}{between}{last}"
    score = fixed(trial.scores[-1], places) if trial.scores else NOTHING
    return f"{epoch}  {curve(trial.scores, width):{width}}", f"{score}  lr {brief(trial.lr)}"


def _best(board: Board, console: Console, most: int) -> Table:
    leaderboard, places = board.leaderboard, board.leaderboard.places
    title = leaderboard.objective
    if leaderboard.budget is not None:
        title += f" after {count(leaderboard.budget, 'epoch')}"
        if leaderboard.budget != leaderboard.horizon:
            title += f", none after {leaderboard.horizon} yet"
    table = _table(console, "Best", title, "momentum", "score", "delta")
    for outcome in leaderboard.best[:most]:
        score = score_of(outcome)
        delta = fixed(leaderboard.delta(score), places, sign=True)
        recipe = outcome.recipe
        row = (recipe.schedule_text, brief(recipe.momentum), fixed(score, places), delta)
        table.add_row(*(one_line(cell, console) for cell in (short_id(outcome.trial_id), *row)))
    if not leaderboard.best:
        table.add_row("", one_line("no trial of the search has ended yet", console, "dim"))
    return table


def _arms(board: Board, console: Console, most: int) -> Table:
    leaderboard = board.leaderboard
    reference, confirmation = leaderboard.reference, leaderboard.names
    known = {arm.name: arm for arm in leaderboard.arms}
    names = list(confirmation or known)
    rows = []
    searched = leaderboard.searched_constant()
    if searched is not None and len(names) < most:
        rows.append(("tuned", f"being searched for, {searched}"))
    for name in names[:most]:
        text = "not trained yet"
        if name in known:
            text = mean_and_std(known[name], leaderboard.places)
            if reference is not None and name == reference.name:
                text += ", the baseline" if confirmation else ", delta is against this"
            elif reference is not None and confirmation:
                delta = leaderboard.delta(known[name].mean)
                text += f", {fixed(delta, leaderboard.places, sign=True)}"
        rows.append((name, text))
    title = "Choosing, on the validation data" if leaderboard.chooses else "On the test data"
    table = _table(console, title if confirmation else "Constant rate", "")
    for row in rows or [("none has been trained yet", "")]:
        table.add_row(*(one_line(cell, console) for cell in row))
    return table
