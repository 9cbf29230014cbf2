"""When a training counts as collapsed: it ended where its model began."""

from __future__ import annotations

import dataclasses

import pytest

from lrtune.records.reader import read_run
from lrtune.records.schema import Outcome, Span
from lrtune.stats.collapse import has_collapsed
from tests.runs import build_run


@pytest.fixture
def manifest(tmp_path):
    manifest = read_run(build_run.write_manifest(tmp_path)).manifest
    return dataclasses.replace(manifest, data=dataclasses.replace(manifest.data, largest_class=0.5))


def outcome(score, untrained=None, status="completed"):
    return Outcome("0", status, {}, Span(1, 50, 50), 1, 1.0, score, untrained=untrained)


@pytest.mark.parametrize(
    ("ended", "collapsed"),
    [
        (outcome(0.65, 0.49), False),
        (outcome(0.65), False),  # an old run does not say where it began
        (outcome(0.49, 0.49), True),
        (outcome(0.48, 0.49), True),
        (outcome(0.5, 0.48), True),  # always the same class
        (outcome(0.65, 0.49, "diverged"), True),
        (outcome(None, 0.49, "failed"), False),
        (outcome(float("inf"), 0.49), False),
    ],
)
def test_a_training_that_is_no_better_than_untrained_has_collapsed(manifest, ended, collapsed):
    assert has_collapsed(ended, manifest) is collapsed


def test_a_loss_above_the_untrained_models_has_collapsed(manifest):
    loss = dataclasses.replace(manifest, objective="val_loss", direction="min")
    assert has_collapsed(outcome(0.75, 0.71), loss)
    assert not has_collapsed(outcome(0.5, 0.71), loss)
