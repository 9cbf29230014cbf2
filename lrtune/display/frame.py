"""One picture of a search, as lines that fit the terminal.

Its height depends on the terminal and on the most workers there were, not on what they do: what is
missing is an empty line, so that nothing jumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from lrtune._util.printable import printable
from lrtune.display.leaderboard import TOP
from lrtune.display.words import in_words, schedule_and_momentum, short_id
from lrtune.report.words import NOTHING, brief, count, fixed, mean_and_std

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.display.board import Board, Running

ARMS = 3
"""How many arms the baseline of a search has: the tuned one and the reading's two."""

_BAR = 24
_SPARK, _SHORT_SPARK = 20, 8


@dataclass(frozen=True)
class Signs:
    """The characters of pictures, as far as the terminal's encoding has them."""

    levels: str = "▁▂▃▄▅▆▇█"
    done: str = "━"
    left: str = "─"
    more: str = "…"
    plus_minus: str = "±"


PLAIN = Signs(levels="_.:-=+*#", done="#", left="-", more="~", plus_minus="+/-")


def signs_for(encoding: str) -> Signs:
    """Those that can be shown."""
    signs = Signs()
    try:
        "".join(vars(signs).values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return signs


@dataclass(frozen=True)
class _Room:
    """What of a picture there is room for."""

    gaps: bool
    lines_a_worker: int
    arms: int
    top: int


def draw(board: Board, width: int, height: int, signs: Signs | None = None) -> list[Text]:
    """The picture.

    Args:
        board: what to show.
        width: int >= 1, cells of the terminal.
        height: int >= 1, its lines; one is left free.
        signs: None for those of Unicode.

    Returns:
        Lines, none wider than `width`, `height - 1` at most.
    """
    pen = _Pen(width, signs or Signs())
    height = max(height - 1, 1)
    with board.lock:
        for room in _rooms(board):
            lines = _lines(board, pen, room)
            if len(lines) <= height:
                return lines
    return lines[:height]


def spark(numbers: Sequence[float], width: int, levels: str) -> str:
    """A line of little columns, the highest number the highest.

    Args:
        numbers: any; one that is not finite leaves a blank.
        width: int >= 1, the most characters; of more numbers, evenly spaced ones are shown, the
            last among them.
        levels: the characters from low to high.
    """
    if len(numbers) > width:
        numbers = [numbers[(index + 1) * len(numbers) // width - 1] for index in range(width)]
    finite = [number for number in numbers if math.isfinite(number)]
    if not finite:
        return " " * len(numbers)
    low, high = min(finite), max(finite)
    # NOTE: halved, as the span of two floats can be more than a float holds.
    span = high / 2 - low / 2
    steps = len(levels) - 1
    return "".join(
        " "
        if not math.isfinite(number)
        else levels[round((number / 2 - low / 2) / span * steps) if span else 0]
        for number in numbers
    )


class _Pen:
    """Makes lines that fit."""

    def __init__(self, width: int, signs: Signs) -> None:
        self.width = width
        self.signs = signs

    def fit(self, text: str, cells: int) -> str:
        """Cut, or filled up with blanks, to just so many cells."""
        if cell_len(text) > cells and cells > 0:
            return set_cell_size(text, cells - 1) + self.signs.more
        return set_cell_size(text, max(cells, 0))

    def line(self, text: str, style: str = "") -> Text:
        """A line without markup, cut at the terminal's width."""
        text = printable(text.replace("±", self.signs.plus_minus)).rstrip()
        if cell_len(text) > self.width:
            text = self.fit(text, self.width)
        return Text(text, style=style, no_wrap=True, overflow="crop")


def _rooms(board: Board) -> list[_Room]:
    """What to show, from all there is to the least."""
    arms = len(board.leaderboard.names) or max(ARMS, len(board.leaderboard.arms))
    top = 0 if board.leaderboard.names else TOP
    return [
        _Room(gaps=True, lines_a_worker=2, arms=arms, top=top),
        _Room(gaps=False, lines_a_worker=2, arms=arms, top=top),
        _Room(gaps=False, lines_a_worker=1, arms=arms, top=top),
        _Room(gaps=False, lines_a_worker=1, arms=1, top=top),
        _Room(gaps=False, lines_a_worker=1, arms=1, top=min(top, 1)),
    ]


def _lines(board: Board, pen: _Pen, room: _Room) -> list[Text]:
    gap = [pen.line("")] if room.gaps else []
    lines = [*_head(board, pen), *gap, *_workers(board, pen, room.lines_a_worker)]
    if room.top:
        lines += [*gap, *_top(board, pen, room.top)]
    return [*lines, *gap, *_arms(board, pen, room.arms)]


def _head(board: Board, pen: _Pen) -> list[Text]:
    bar = ""
    epochs = count(board.epochs_done, "epoch")
    if board.epochs:
        epochs = f"{board.epochs_done:,} of {count(board.epochs, 'epoch')}"
        cells = min(_BAR, max(pen.width - 50, 0))
        done = min(board.epochs_done * cells // board.epochs, cells)
        bar = pen.signs.done * done + pen.signs.left * (cells - done)
        bar += "  " if bar else ""
    trials = count(board.trials_done, "trial")
    if board.trials:
        trials = f"{board.trials_done:,} of {count(board.trials, 'trial')}"
    parts = [trials, in_words(board.clock() - board.began)]
    if board.found_trials:
        parts.append(board.found())
    parts.append(board.status)
    return [
        pen.line(f"{bar}{epochs}, {board.time_left()}", "bold"),
        pen.line(", ".join(part for part in parts if part)),
    ]


def _workers(board: Board, pen: _Pen, lines_a_worker: int) -> list[Text]:
    # Of a search that was stopped nothing runs, whatever it left unfinished.
    trials = [] if board.stopped else list(board.running.values())
    names = [short_id(trial.trial_id) for trial in trials]
    longest = max(map(len, names), default=0)
    lines = []
    for name, trial in zip(names, trials, strict=True):
        of = _long if lines_a_worker == 2 else _short
        lines += of(pen, f"{name:{longest}}", trial, board.leaderboard.places)
    missing = max(board.slots, 1) * lines_a_worker - len(lines)
    idle = ["nothing is running" if board.stopped else "no trial is running"]
    words = (idle if not trials else []) + [""] * missing
    return lines + [pen.line(text, "dim") for text in words[:missing]]


def _long(pen: _Pen, name: str, trial: Running, places: int) -> list[Text]:
    schedule, momentum = schedule_and_momentum(trial.recipe)
    behind = f"  momentum {momentum}" if momentum else ""
    cells = min(cell_len(schedule), pen.width - cell_len(name) - 2 - cell_len(behind))
    parts = [_epoch(trial, "epoch ", " of "), *_reached(pen, trial, places, _SPARK)]
    if trial.scores:
        parts.insert(2, printable(trial.metric))
    indent = " " * min(len(name) + 2, 8)
    return [
        pen.line(f"{name}  {pen.fit(schedule, cells)}{behind}", "cyan"),
        pen.line(indent + "  ".join(parts)),
    ]


def _short(pen: _Pen, name: str, trial: Running, places: int) -> list[Text]:
    schedule, momentum = schedule_and_momentum(trial.recipe)
    behind = f"momentum {momentum}" if momentum else ""
    parts = [name, _epoch(trial, "", "/"), *_reached(pen, trial, places, _SHORT_SPARK)]
    return [pen.line("  ".join(part for part in (*parts, behind, schedule) if part))]


def _epoch(trial: Running, before: str, between: str) -> str:
    if trial.budget is None:
        return f"{before}{trial.epoch}"
    digits = len(str(trial.budget))
    return f"{before}{trial.epoch:{digits}}{between}{trial.budget}"


def _reached(pen: _Pen, trial: Running, places: int, width: int) -> list[str]:
    width = min(width, max(pen.width // 4, 1))
    if trial.budget is not None:
        width = min(width, max(trial.budget - trial.first, 1))
    curve = pen.fit(spark(trial.scores, width, pen.signs.levels), width)
    score = fixed(trial.scores[-1], places) if trial.scores else NOTHING
    return [curve, score, f"lr {NOTHING if trial.lr is None else brief(trial.lr)}"]


def _top(board: Board, pen: _Pen, most: int) -> list[Text]:
    leaderboard = board.leaderboard
    best, reference, places = leaderboard.best[:most], leaderboard.reference, leaderboard.places
    title = f"Best {leaderboard.objective}"
    if leaderboard.budget is not None:
        title += f" after {count(leaderboard.budget, 'epoch')}"
        if leaderboard.budget != leaderboard.horizon:
            title += f", none after {leaderboard.horizon} yet"
    rows = []
    for outcome in best:
        score = math.nan if outcome.score is None else outcome.score
        delta = fixed(leaderboard.delta(score, reference), places, sign=True)
        schedule, momentum = schedule_and_momentum(outcome.recipe)
        rows.append((short_id(outcome.trial_id), schedule, momentum, fixed(score, places), delta))
    longest = max((len(row[0]) for row in rows), default=0)
    score_width = max([5, *(len(row[3]) for row in rows)])
    delta_width = max([5, *(len(row[4]) for row in rows)])
    numbers = 8 + 2 + score_width + 2 + delta_width
    cells = max(min(pen.width, 100) - numbers - 2, 0)
    lines = [
        pen.line(
            f"{pen.fit(title, cells)}  momentum  {'score':>{score_width}}  {'delta':>{delta_width}}"
            if rows
            else title,
            "bold",
        )
    ]
    for name, schedule, momentum, shown, delta in rows:
        left = pen.fit(f"{name:{longest}}  {schedule}", cells)
        lines.append(
            pen.line(f"{left}  {momentum:>8}  {shown:>{score_width}}  {delta:>{delta_width}}")
        )
    if not rows:
        lines.append(pen.line("no trial of the search has ended yet", "dim"))
    return lines + [pen.line("")] * (most + 1 - len(lines))


def _arms(board: Board, pen: _Pen, most: int) -> list[Text]:
    leaderboard = board.leaderboard
    reference, places = leaderboard.reference, leaderboard.places
    known = {arm.name: arm for arm in leaderboard.arms}
    names = list(leaderboard.names or known)
    if most == 1 and reference is not None:
        names = [reference.name]
    longest = max(map(cell_len, names), default=0)
    shown = []
    for name in names[:most]:
        arm = known.get(name)
        text = mean_and_std(arm, places) if arm is not None else "not trained yet"
        if arm is not None and reference is not None:
            delta = leaderboard.delta(arm.mean, reference)
            if arm.name == reference.name:
                text += ", delta is against this" if not leaderboard.names else ", the baseline"
            elif leaderboard.names:
                text += f", {fixed(delta, places, sign=True)}"
        shown.append(f"{pen.fit(name, longest)}  {text}")
    searched = leaderboard.searched_constant()
    if searched is not None and len(shown) < most:
        shown.insert(0, f"tuned: being searched for, {searched}")
    title = "On the test images" if leaderboard.names else "Constant rate"
    lines = [pen.line(title, "bold"), *map(pen.line, shown)]
    if not shown:
        lines.append(pen.line("none has been trained yet", "dim"))
    return lines + [pen.line("")] * (most + 1 - len(lines))
