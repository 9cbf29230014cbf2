"""Axes of scores: logarithmic for losses that differ by more than a decade, else linear."""

from __future__ import annotations

import pytest

from lrtune.plots.gallery import Plots
from lrtune.records.reader import read_run
from tests.plots import look
from tests.runs import build_run


@pytest.mark.parametrize(
    ("objective", "scores", "scale"),
    [
        ("val_loss", (0.01, 0.02, 0.2, 0.3), "log"),
        ("val_loss", (0.1, 0.2, 0.3, 0.4), "linear"),
        ("val_loss", (-0.01, 0.02, 0.2, 0.3), "linear"),
        ("val_accuracy", (0.01, 0.02, 0.2, 0.3), "linear"),
    ],
)
def test_losses_that_differ_by_more_than_a_decade_have_a_log_axis(
    tmp_path, objective, scores, scale
):
    direction = "min" if objective == "val_loss" else "max"
    build_run.write_manifest(tmp_path, objective=objective, direction=direction)
    for number, score in enumerate(scores):
        build_run.write_trial(tmp_path, f"{number}", score)
    plots = Plots(read_run(tmp_path))
    by_family, by_rate, so_far = (
        one.axes[0] for one in (plots.family_scores(), plots.hyperparameters(), plots.best_so_far())
    )
    assert by_family.get_xscale() == scale
    assert {by_rate.get_yscale(), so_far.get_yscale()} == {scale}
    low, high = by_family.get_xlim()
    assert low < min(scores)
    assert max(scores) < high
    assert {x for x, _ in look.points(by_family)} == set(scores)


@pytest.mark.parametrize(
    ("direction", "scores", "scale"),
    [
        ("min", (0.6, 0.1, 0.02), "log"),
        ("min", (0.6, 0.4, 0.3), "linear"),
        ("min", (0.6, 0.1, -0.02), "linear"),
        ("max", (0.02, 0.3, 0.9), "linear"),
    ],
)
def test_a_loss_that_falls_by_more_than_a_decade_has_a_log_axis(tmp_path, direction, scores, scale):
    build_run.write_manifest(tmp_path, max_epochs=3, direction=direction, objective="val_score")

    def row(epoch):
        return {"epoch": epoch, "lr": 0.1, "val_score": scores[epoch - 1]}

    build_run.write_trial(
        tmp_path, "0", scores[-1], values=build_run.STEP, epochs=(1, 3, 3), row=row
    )
    above, _ = Plots(read_run(tmp_path)).learning_curves().axes
    assert above.get_yscale() == scale
    low, high = above.get_ylim()
    assert low < min(scores)
    assert max(scores) < high
