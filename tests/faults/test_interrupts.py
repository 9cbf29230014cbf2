"""Ctrl-C, SIGTERM and SIGHUP: nothing of a search is left but its run folder, which continues."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, dice, finish, left_behind, sleep_or_end, until

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.faults.harness import Child, Harness

pytestmark = pytest.mark.long

INTERRUPTED = 130

KINDS = [
    *((number, double) for number in (signal.SIGINT, signal.SIGTERM) for double in (False, True)),
    (signal.SIGHUP, False),
]


def interrupt(child: Child, drawn: random.Random, number: int, *, double: bool) -> None:
    """To all as a terminal does with Ctrl-C and when it goes away; SIGTERM to the search alone."""
    group = number != signal.SIGTERM
    child.signal(number, group=group)
    if double:
        sleep_or_end(child, 0.3 * drawn.random())
        child.signal(number, group=group)


def last_lines_tell(child: Child, folder: Path, *, double: bool) -> list[str]:
    """What is wrong with the end of the output."""
    text = child.text()
    if "Traceback" in text:
        return [f"a traceback: {text[-1500:]}"]
    if double:  # which asks for an end at once
        return []
    lines = text.strip().splitlines()
    wrong = []
    finished = lines[-1].startswith(
        "Interrupted. The search is finished and saved: `lrtune report "
    )
    if not finished and not lines[-2].startswith("Interrupted. To resume the search:"):
        wrong.append(f"the last lines must say how to resume: {text[-500:]}")
    if not finished and f"--run-dir {folder}" not in lines[-1]:
        wrong.append(f"the last line must be the command: {lines[-2:]}")
    # After a finished search, its last line tells how to see the ranking.
    unfinished = not finished and (folder / "run.json").exists()
    if unfinished and "random search of 2 epochs" not in text:
        wrong.append(f"the ranking so far must be told: {text[-800:]}")
    return wrong


def test_an_interrupted_search_leaves_nothing_and_continues(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))
    whole_time = harness.duration("command")
    ended = []

    def attempt(kind: int, number: int) -> list[str]:
        signum, double = KINDS[kind]
        folder = tmp_path / f"{kind}-{number}"
        job = searches.cli(harness.images, folder)
        drawn = dice("interrupts", kind, number)
        # The page's pictures take a third of the time, so one of four is interrupted with them.
        child = harness.start(job, pictures=number == 0)
        until(lambda: "Starting TensorFlow" in child.text() or child.ended, "starting")
        sleep_or_end(child, drawn.random() * (0.9 if number == 0 else 0.6) * whole_time)
        interrupt(child, drawn, signum, double=double)
        code = child.wait()
        ended.append(code)
        wrong = left_behind(child, folder)
        if code != 0:  # 0: the signal came after the search had ended
            assert code == INTERRUPTED, f"exit code {code}: {child.text()}"
            wrong += last_lines_tell(child, folder, double=double)
        return wrong + finish(harness, job, folder, whole)

    Tries("SIGINT and SIGTERM, once and twice, and SIGHUP").assert_none_is_lost(
        (
            (f"{KINDS[kind]} {number}", lambda kind=kind, number=number: attempt(kind, number))
            for kind in range(len(KINDS))
            for number in range(4)
        ),
        at=3,  # much of it is waiting
    )
    assert ended.count(INTERRUPTED) > len(ended) / 2


def test_ctrl_c_that_turns_into_another_error_ends_the_search(harness: Harness, tmp_path: Path):
    """In TensorFlow's C code it was seen to become a SystemError."""
    whole = harness.undisturbed("random", lambda run: searches.job("random", run))
    folder, marker = tmp_path / "run", tmp_path / "marker"
    job = searches.job("random", folder)

    def attempt() -> list[str]:
        child = harness.start(job, env={searches.SABOTAGE: f"swallow:{marker}"})
        assert child.wait() == INTERRUPTED, child.text()
        assert marker.exists()
        return finish(harness, job, folder, whole)

    Tries("SIGINT that becomes another error").assert_none_is_lost([("SystemError", attempt)])


def test_an_interrupted_command_with_two_workers_leaves_nothing(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(kind: int) -> list[str]:
        signum, double = KINDS[kind]
        folder = tmp_path / str(kind)
        job = searches.cli(harness.images, folder, "--workers", 2)
        drawn = dice("two workers", kind)
        child = harness.start(job)
        until(lambda: "Starting TensorFlow" in child.text(), "starting")
        # From before the workers start to the last of their trials.
        trials = drawn.choice([0, 0, 1, 3, 6])
        until(lambda: len(child.workers()) == 2 or child.ended, "starting two workers")
        until(lambda: len(result.finished_trials(folder)) >= trials, f"{trials} trials")
        sleep_or_end(child, drawn.random())
        interrupt(child, drawn, signum, double=double)
        code = child.wait()
        wrong = left_behind(child, folder)
        assert code == INTERRUPTED, f"exit code {code}: {child.text()}"
        wrong += last_lines_tell(child, folder, double=double)
        # One process trains what is left: neither the numbers nor the search depend on it.
        return wrong + finish(harness, searches.cli(harness.images, folder), folder, whole)

    Tries("SIGINT and SIGTERM, once and twice, and SIGHUP, two workers").assert_none_is_lost(
        (f"{KINDS[kind]}", lambda kind=kind: attempt(kind)) for kind in range(len(KINDS))
    )


def test_workers_of_a_killed_search_end_by_themselves(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(trials: int) -> list[str]:
        folder = tmp_path / str(trials)
        child = harness.start(searches.cli(harness.images, folder, "--workers", 2))
        until(lambda: len(child.workers()) == 2, "starting two workers")
        until(lambda: len(result.finished_trials(folder)) >= trials, f"{trials} trials")
        child.signal(signal.SIGKILL)
        child.wait()
        # A worker that is still importing TensorFlow does not react for some seconds.
        until(lambda: not child.descendants(), "ending all processes", 60)
        for path in folder.rglob("*.tmp"):  # a kill may leave these; the next search removes them
            path.unlink()
        wrong = left_behind(child, folder)
        return wrong + finish(harness, searches.cli(harness.images, folder), folder, whole)

    Tries("SIGKILL of a search with two workers, what is left").assert_none_is_lost(
        (f"after {trials} trials", lambda trials=trials: attempt(trials)) for trials in (0, 2)
    )
