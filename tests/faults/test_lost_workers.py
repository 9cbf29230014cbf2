"""A worker that is killed, hangs or crashes costs its trial another try, and nobody else anything.

Two workers, random search: its proposals do not depend on the order of results, so the final set
and all scores are those of an undisturbed run, which trains in one process.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, finish, left_behind, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.harness import Harness

pytestmark = pytest.mark.long

TRIALS = 4


@pytest.fixture
def whole(harness: Harness) -> dict[str, Any]:
    return harness.undisturbed(
        "workers", lambda folder: searches.job("random", folder, trials=TRIALS)
    )


def two_workers(folder: Path, **more: Any) -> dict[str, Any]:
    return searches.job("random", folder, trials=TRIALS, workers=2, **more)


def test_each_worker_is_killed_once(harness: Harness, whole: dict[str, Any], tmp_path: Path):
    folder = tmp_path / "run"

    def attempt() -> list[str]:
        child = harness.start(two_workers(folder))
        until(lambda: len(child.workers()) == 2, "starting two workers")
        for worker in child.workers():
            # It has told an epoch, or another one has: it is in the middle of a task.
            seen = len(list(folder.rglob("epochs.jsonl")))
            until(lambda seen=seen: child.ended or _epochs(folder) > seen, "training an epoch")
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
        assert child.wait() == 0, child.text()
        return left_behind(child, folder) + result.differences(result.result(folder), whole)

    _alone("SIGKILL of each of two workers", attempt, 2)


def test_the_server_that_workers_are_forked_from_is_killed(
    harness: Harness, whole: dict[str, Any], tmp_path: Path
):
    folder = tmp_path / "run"

    def attempt() -> list[str]:
        child = harness.start(two_workers(folder))
        until(lambda: len(child.workers()) == 2, "starting two workers")
        until(lambda: child.ended or _epochs(folder), "training an epoch")
        for server in child.servers():
            server.kill()
        assert child.wait() == 0, child.text()
        return left_behind(child, folder) + result.differences(result.result(folder), whole)

    _alone("SIGKILL of the fork server", attempt)


@pytest.mark.parametrize(("how", "timeout"), [("hang", 8.0), ("crash", 3600.0)])
def test_a_worker_that_hangs_or_crashes_once(
    how: str, timeout: float, harness: Harness, whole: dict[str, Any], tmp_path: Path
):
    folder, marker = tmp_path / "run", tmp_path / "marker"

    def attempt() -> list[str]:
        child = harness.start(
            two_workers(folder, trial_timeout=timeout),
            env={searches.SABOTAGE: f"{how}:{marker}"},
        )
        assert child.wait() == 0, child.text()
        assert marker.exists(), "the worker was to do harm"
        return left_behind(child, folder) + result.differences(result.result(folder), whole)

    _alone("a worker hangs" if how == "hang" else "a worker ends with SIGSEGV", attempt)


def test_a_trial_whose_worker_always_dies_fails_alone(
    harness: Harness, whole: dict[str, Any], tmp_path: Path
):
    folder = tmp_path / "run"
    name = "trial_1"
    momentum = whole[name]["outcome"]["values"]["momentum"]

    def attempt() -> list[str]:
        child = harness.start(
            two_workers(folder, max_retries=1),
            env={searches.SABOTAGE: f"always:{momentum!r}"},
        )
        assert child.wait() == 0, child.text()
        outcome = json.loads((folder / name / "outcome.json").read_text())
        assert outcome["status"] == "lost"
        assert outcome["score"] is None
        assert "its worker process ended with SIGKILL" in outcome["message"]
        assert "2 times" in outcome["message"]
        return left_behind(child, folder) + finish(harness, two_workers(folder), folder, whole)

    _alone("a worker always dies at one trial, until the command runs again", attempt)


def test_memory_that_is_short_for_a_while_loses_no_trial(
    harness: Harness, whole: dict[str, Any], tmp_path: Path
):
    """Four deaths in two trials that may each start again once: no trial is to blame."""
    folder, count = tmp_path / "run", tmp_path / "deaths"

    def attempt() -> list[str]:
        child = harness.start(
            two_workers(folder, max_retries=1), env={searches.SABOTAGE: f"short:{count}"}
        )
        assert child.wait() == 0, child.text()
        assert len(count.read_bytes()) == 4
        return left_behind(child, folder) + result.differences(result.result(folder), whole)

    _alone("four workers in a row are killed", attempt)


def _epochs(folder: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in folder.rglob("epochs.jsonl"))


def _alone(name: str, attempt: Any, count: int = 1) -> None:
    tries = Tries(name)
    tries.one(name, attempt, count)
    assert not tries.losses, tries.losses
