"""Runs to draw, written once for all tests of pictures."""

from __future__ import annotations

import pytest

from lrtune.records.reader import read_run
from tests.runs import make_run


@pytest.fixture(scope="session")
def searches(tmp_path_factory):
    """Records of typical runs, by name."""
    folder = tmp_path_factory.mktemp("plots")
    hyperband = make_run.hyperband_run(folder / "hyperband", tuned=True)
    runs = {
        "random 3": make_run.random_run(folder / "random-3", 3),
        "random 30": make_run.random_run(folder / "random-30", 30, tuned=True),
        "random 300, loss": make_run.random_run(folder / "random-300", 300, loss=True),
        "hyperband": make_run.confirm(hyperband),
        "hyperband, loss": make_run.hyperband_run(folder / "hyperband-loss", loss=True, seed=2),
    }
    return {name: read_run(run) for name, run in runs.items()}
