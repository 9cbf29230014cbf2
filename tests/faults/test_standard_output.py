"""A standard output that fails never ends a search: results and page are written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults import result, searches
from tests.faults.harness import ROOT, Tries
from tests.faults.outputs import OUTPUTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.harness import Harness

pytestmark = pytest.mark.long


@pytest.mark.parametrize("where", [("--in-process",), ("--workers", 2)])
def test_a_search_whose_output_fails_is_finished(
    harness: Harness, tmp_path: Path, where: tuple[object, ...]
):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))

    def attempt(output: str) -> list[str]:
        folder = tmp_path / output
        job = searches.cli(harness.images, folder, *where)
        child = harness.start(job, stdout=output)
        assert child.wait() == 0, child.text()
        assert len(child.text().splitlines()) == 1, child.text()
        assert ">What to use<" in (folder / "report.html").read_text()
        return result.differences(result.result(folder), whole)

    Tries(f"standard output that fails, {where[0]}").assert_none_is_lost(
        (output, lambda output=output: attempt(output)) for output in OUTPUTS
    )


def test_a_search_without_standard_streams_and_one_in_ascii_are_finished(
    harness: Harness, tmp_path: Path
):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))
    command = f'exec "{sys.executable}" -m lrtune.search "$@"'

    def attempt(name: str, streams: str, env: dict[str, str]) -> list[str]:
        folder = tmp_path / f"rün ↑ {name}"
        words = searches.command(harness.images, folder, "--workers", 2)
        child = subprocess.run(
            ["/bin/sh", "-c", f"{command} {streams}", "sh", *words],
            capture_output=True,
            cwd=ROOT,
            env=os.environ | env,
            timeout=180,
        )
        assert (child.returncode, child.stderr) == (0, b""), child.stderr
        child.stdout.decode("ascii")
        assert ">What to use<" in (folder / "report.html").read_text()
        return result.differences(result.result(folder), whole)

    Tries("no standard streams, or ASCII").assert_none_is_lost(
        [
            ("closed", lambda: attempt("closed", "<&- >&- 2>&-", {})),
            ("ascii", lambda: attempt("ascii", "", {"PYTHONIOENCODING": "ascii"})),
        ]
    )
