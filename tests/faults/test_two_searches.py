"""Two searches on one folder: the second is refused and names the first, which goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, finish, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.harness import Child, Harness

pytestmark = pytest.mark.long


def refused_by(second: Child, folder: Path, first: int) -> None:
    assert second.wait() == 2, second.text()
    assert second.text().count("\n") == 1, second.text()
    assert f"run folder {folder} is being written by process {first} of " in second.text()


def test_the_second_search_is_refused_until_the_first_is_gone(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(number: int) -> list[str]:
        folder = tmp_path / str(number)
        job = searches.cli(harness.images, folder)
        first = harness.start(job)
        until(lambda: len(result.finished_trials(folder)) > number, "the first trials")
        refused_by(harness.start(job), folder, first.process)
        assert not first.ended, "the first must not have ended before the second was refused"
        if number == 0:
            refused_by(harness.start_command(*job["argv"]), folder, first.process)
        if number == 1:
            assert first.wait() == 0, first.text()
            return result.differences(result.result(folder), whole)
        first.signal(signal.SIGKILL)
        first.wait()
        return finish(harness, job, folder, whole)

    Tries("a second search on the folder").assert_none_is_lost(
        (f"try {number}", lambda number=number: attempt(number)) for number in range(4)
    )


def test_of_several_searches_at_once_one_runs(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(number: int) -> list[str]:
        folder = tmp_path / str(number)
        job = searches.cli(harness.images, folder)
        children = [harness.start(job) for _ in range(4)]
        codes = [child.wait() for child in children]
        assert codes.count(0) >= 1, [child.text() for child in children]
        for child, code in zip(children, codes, strict=True):
            assert code in (0, 2), child.text()
            if code == 2:
                said = child.text().splitlines()
                assert f"run folder {folder} is being written by" in said[-1]
                assert "Traceback" not in child.text()
        return result.differences(result.result(folder), whole)

    Tries("four searches at the same moment").assert_none_is_lost(
        ((f"try {number}", lambda number=number: attempt(number)) for number in range(4)), at=1
    )
