"""Searches that are killed while they write."""

from __future__ import annotations

from collections import Counter

import pytest

from lrtune.records import files
from tests.search.fake_search import completed, diverged, failed

KINDS = {
    "random": {"trials": 7, "baseline": 2},
    "bayesian": {"trials": 7, "bayesian": True, "baseline": 2},
    "shape": {"trials": 7, "shape": True, "baseline": 2},
    "hyperband": {"max_epochs": 9, "baseline": 2},
    "rescaled": {"max_epochs": 9, "baseline": 2, "horizon": "rescaled"},
}
KIND = pytest.mark.parametrize("kind", KINDS)


class Killed(BaseException):
    """Stands for a kill: nothing that comes after it is done."""


def content(folder):
    """All that the trials of a run have recorded, by their files."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.name in ("outcome.json", "trial.json", "epochs.jsonl")
    }


def mixed(task):
    """Some trials diverge, some fail."""
    x = task.values.get("x", 0.1)
    if 0.3 < x < 0.4:
        return failed(task)
    return diverged(task) if x < 0.3 else completed(task)


def kill_at(monkeypatch, number):
    """Lets the `number`-th step of writing be the last that is done; counts them."""
    count = Counter()

    def boundary(path):
        count["steps"] += 1
        if count["steps"] == number:
            raise Killed

    monkeypatch.setattr(files, "boundary", boundary)
    return count
