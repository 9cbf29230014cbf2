"""Numbers that no search would have: report and page show the rest, at their usual size."""

from __future__ import annotations

import pytest

from lrtune.records.reader import read_run
from lrtune.report.page import render_page
from tests.report.test_terminal import printed
from tests.runs import build_run

FAR = 2_000_000_000


def a_horizon_of_two_thousand_million_epochs(folder):
    build_run.small_run(folder, max_epochs=FAR)
    build_run.write_trial(folder, "9", 0.7, values=build_run.STEP, epochs=(1, FAR, FAR), rows=3)
    build_run.write_confirmation(folder, epochs=FAR)


def a_trial_with_an_absurd_number(folder):
    build_run.small_run(folder)
    build_run.write_trial(folder, "300000000", 0.71)


def a_number_of_23_digits(folder):
    build_run.small_run(folder)
    (folder / f"trial_{23 * '9'}").mkdir()


def scores_and_rates_at_the_ends_of_floats(folder):
    build_run.small_run(folder)
    ends = ((1e308, 1e38), (-1e308, 1.2e-38), (1.7e308, 0.1), (5e-324, 1e-30))
    for number, (score, rate) in enumerate(ends, start=20):
        values = {**build_run.STEP, "lr0": rate}
        build_run.write_trial(folder, str(number), score, values=values)


def losses_of_every_size(folder):
    build_run.small_run(folder, objective="val_loss", direction="min")
    for number, score in enumerate((1e-300, 1e-30, 0.1, 1e30, 1e150), start=20):
        build_run.write_trial(folder, str(number), score, values=build_run.STEP)


RUNS = (
    a_horizon_of_two_thousand_million_epochs, a_trial_with_an_absurd_number,
    a_number_of_23_digits, scores_and_rates_at_the_ends_of_floats,
    losses_of_every_size,
)  # fmt: skip


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_odd_numbers_are_drawn_and_reported(make, tmp_path):
    make(tmp_path)
    text, page = printed(tmp_path), render_page(read_run(tmp_path))
    assert "Trials of" in text
    assert page.count("<img ") >= 5
    assert len(page) < 2**20


def test_epochs_that_a_far_horizon_lacks_are_named(tmp_path):
    a_horizon_of_two_thousand_million_epochs(tmp_path)
    assert "trial_9/epochs.jsonl lacks 1999999997 of its epochs." in read_run(tmp_path).notices
