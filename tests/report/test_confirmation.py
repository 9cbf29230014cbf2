"""The sections of a confirmation."""

from __future__ import annotations

import re

import pytest

from lrtune.report.build import build_sections
from lrtune.run import load_run
from tests.report.confirmed import CONFIRMED, report_of
from tests.report.test_terminal import printed
from tests.runs import build_run


def test_the_whole_report_at_80_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.confirmed_run(tmp_path / "run")

    assert printed("run", width=80) == (
        """\
random search of 50 epochs for val_accuracy (higher is better)
9 trials: 6 completed, 1 diverged, 1 failed, 1 running
data: cifar10 (cache), 9,000 training and 1,000 validation images

Use exponential(lr0=0.12, k=0.08) with momentum 0.83.
Confirmed: with 8 fresh seeds, it beats constant-tuned by 0.0155 (95 % interval
0.0135 to 0.0170) on the test images.
It is the best of 2 schedules tested, so its gain is probably a little too high.

Use it
  import keras
  import lrtune
  choice = lrtune.load_run('run').recommendation()
  schedule = choice.schedule.to_keras(steps_per_epoch=157)
  optimizer = keras.optimizers.SGD(schedule, momentum=choice.momentum)

Confirmation with 8 fresh seeds on the test images
  arm             n  mean ± std       difference                      p
  ─────────────────────────────────────────────────────────────────────
  trial-1         8  0.7099 ± 0.0039  +0.0155 [0.0135, 0.0170]    0.023
  trial-0         8  0.6965 ± 0.0056  +0.0021 [-0.0020, 0.0060]    0.28
  constant-tuned  8  0.6944 ± 0.0040  -                               -
  constant-0.1    8  0.6794 ± 0.0050  -0.0150 [-0.0160, -0.0140]  0.023
  difference: from constant-tuned, paired by seed, with its unadjusted 95 %
  interval; p: sign-flip test with Holm's adjustment

Trials of 50 epochs
  rank  trial  schedule                     lr0  momentum   score    delta  time
  ──────────────────────────────────────────────────────────────────────────────
     1  1      exponential(k=0.08)         0.12      0.83  0.7120  +0.0170  17 s
     2  0      step(drop=0.5,               0.1       0.5  0.7050  +0.0100  12 s
               epochs_drop=10)
     3  2      time(k=0.314)                0.1       0.5  0.6900  -0.0050  12 s
     3  3      constant                    0.05       0.9  0.6900  -0.0050  12 s
  delta: how much better than constant-tuned

Not ranked: 2 trials with fewer epochs, 1 diverged, 1 failed, 1 unfinished.
Training: 2,339 epochs, 630 s (search 220, baseline 519, confirmation 1,600).
More: `lrtune report run --details`
"""
    )


def test_all_of_the_confirmation_is_in_the_details(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.confirmed_run(tmp_path / "run")

    text = printed("run", width=80, details=True)

    assert max(map(len, text.splitlines())) <= 80
    assert (
        """
Confirmation
  Each arm was trained from scratch for 50 epochs on 10,000 images
  (train+validation) with 8 fresh seeds. The accuracy was measured once, after
  the last epoch, on 2,000 test images.
  arm             n  mean ± std        difference                     p     bias
  ──────────────────────────────────────────────────────────────────────────────
  trial-1         8  0.7099 ± 0.0039   +0.0155 [0.0135, 0.0170]   0.023  +0.0021
                     [0.7064, 0.7132]
  trial-0         8  0.6965 ± 0.0056   +0.0021 [-0.0020, 0.0060]   0.28  +0.0085
                     [0.6909, 0.7008]
  constant-tuned  8  0.6944 ± 0.0040   -                              -        -
                     [0.6908, 0.6976]
  constant-0.1    8  0.6794 ± 0.0050   -0.0150                    0.023  +0.0016
                     [0.6746, 0.6833]  [-0.0160, -0.0140]
  difference: how much better than constant-tuned, found with 0.5 times the
  search's epochs, paired by seed; []: 95 % intervals, not adjusted for the
  number of arms; p: sign-flip test with Holm's adjustment; bias: how much
  better the search's score was (selection bias)

  trial-1         exponential(lr0=0.12, k=0.08), momentum 0.83: beats the
                  baseline by 0.0155 [0.0135, 0.0170] unadjusted (adjusted p =
                  0.023, 8 seeds)
  trial-0         step(lr0=0.1, drop=0.5, epochs_drop=10), momentum 0.5: no
                  evidence of a difference: 0.0021 [-0.0020, 0.0060] unadjusted
                  (adjusted p = 0.28, 8 seeds); about 56 seeds would show a
                  difference of 0.0021, a guess from these very seeds
  constant-tuned  constant(lr0=0.0275), momentum 0.91: the baseline
  constant-0.1    constant(lr0=0.1), momentum 0: worse than the baseline by
                  0.0150 [0.0140, 0.0160] unadjusted (adjusted p = 0.023, 8
                  seeds)

  The search reported val_accuracy 0.7120 for exponential(lr0=0.12, k=0.08),
  momentum 0.83 (trial-1), 0.0021 better than fresh seeds score on the test
  images.
  No seed ended at chance; with 8 seeds an arm, up to 31 % is not excluded.
  It is not known how each of the test images was scored, so all this is about
  further seeds on these test images only.
"""
        in text
    )


def test_with_enough_width_an_arm_is_one_line_of_the_details(tmp_path):
    text = printed(build_run.confirmed_run(tmp_path), width=120, details=True)

    assert (
        "\n  trial-1         8  0.7099 ± 0.0039 [0.7064, 0.7132]  +0.0155 [0.0135, 0.0170]    "
        "0.023  +0.0021\n"
    ) in text


def test_at_100_columns_every_line_fits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.confirmed_run(tmp_path / "run")

    assert max(map(len, printed("run", width=100).splitlines())) <= 100


def test_the_report_holds_the_statistics(tmp_path):
    comparison = report_of(build_run.confirmed_run(tmp_path)).confirmation.comparison

    arms = {arm.name: arm for arm in comparison.arms}
    against = {one.arm: one for one in comparison.differences}
    assert against["trial-1"].mean == pytest.approx(0.124 / 8)
    assert against["trial-1"].p_holm == pytest.approx(6 / 256)
    assert arms["trial-1"].selection_bias == pytest.approx(0.712 - 5.679 / 8)
    assert against["constant-0.1"].p_holm == pytest.approx(6 / 256)
    assert arms["constant-tuned"].n == 8


def test_a_winner_that_was_not_confirmed_is_named(tmp_path):
    report = report_of(build_run.confirmed_run(tmp_path, trials={"trial-1": "77", "trial-0": "0"}))

    assert build_sections(report)["confirmation"].notes[0] == (
        "The search reported val_accuracy 0.7120 for exponential(lr0=0.12, k=0.08), momentum 0.83, "
        "but that trial was not part of this confirmation."
    )


def test_a_test_accuracy_equal_to_the_share_of_the_largest_class_is_called_that(tmp_path):
    data = {**build_run.CONFIRM["data"], "largest_class": 0.5}
    scores = {**CONFIRMED, "constant-0.1": (0.5, *CONFIRMED["constant-0.1"][1:])}
    report = report_of(build_run.confirmed_run(tmp_path / "one", scores, data=data))
    without = report_of(build_run.confirmed_run(tmp_path / "other", data=data))

    words = "0.5000 is the share of the largest class."
    assert words in build_sections(report)["confirmation"].notes
    assert words not in build_sections(without)["confirmation"].notes


def test_no_interval_of_an_accuracy_ends_above_1(tmp_path):
    # Skewed to the left and next to 1: the bootstrap alone would end at 1.04.
    scores = (0.999, 0.998, 0.999, 0.997, 0.7, 0.999, 0.998, 0.996)
    folder = build_run.confirmed_run(tmp_path / "run", {**build_run.CONFIRMED, "trial-1": scores})
    upper = load_run(folder).comparison().set_index("arm").loc["trial-1", "upper"]
    assert upper > 1
    means = build_sections(report_of(folder))["confirmation"].columns[2]
    assert re.search(r"\[0\.\d+,.1\.0000\]$", means.cells[0])
