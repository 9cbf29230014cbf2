from __future__ import annotations

import json
import random

import pytest

from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from tests.cli.test_report import called
from tests.report.test_terminal import printed
from tests.runs import build_run


def sections_of(folder):
    return build_sections(build_report(read_run(folder), details=True))


def test_details_are_shown_only_when_asked_for(tmp_path, capsys):
    build_run.small_run(tmp_path)

    assert not {"importance", "curves"} & build_sections(build_report(read_run(tmp_path))).keys()
    assert "Importance" not in called(capsys, tmp_path)[1]
    assert "Importance" in called(capsys, tmp_path, "--details")[1]


def test_with_few_trials_the_importance_is_unknown(tmp_path):
    importance = sections_of(build_run.small_run(tmp_path))["importance"]

    assert importance.pairs == (
        (
            "all families",
            (
                "Only 5 trials trained for the same number of epochs; with fewer than 50, chance "
                "often decides which hyperparameter seems to matter most."
            ),
        ),
    )
    assert importance.notes == ()


def test_the_most_important_hyperparameter_comes_first(tmp_path):
    build_run.write_manifest(tmp_path, families=["constant"])
    draw = random.Random(1)  # noqa: S311 - figures for a test, not secrets
    for number in range(60):
        lr0 = 10 ** draw.uniform(-3, -0.5)
        values = {"schedule": "constant", "lr0": lr0, "momentum": draw.random()}
        build_run.write_trial(tmp_path, f"{number}", 0.5 + lr0, values=values, rows=0)

    (overall, constant) = sections_of(tmp_path)["importance"].pairs

    assert overall[0] == "all families"
    assert overall[1].startswith("lr0 1.00, ")
    assert overall[1].endswith(" (60 trials)")
    assert "; all together 0." in overall[1]
    assert constant[0] == "constant"
    assert "share of the variance" in printed_details(tmp_path)


def test_families_with_few_trials_share_one_line(tmp_path):
    build_run.large_run(tmp_path, 60, epochs=1)

    pairs = dict(sections_of(tmp_path)["importance"].pairs)

    assert list(pairs) == ["all families", "other families"]
    assert pairs["other families"] == "fewer than 50 trials each: constant, time, step, exponential"


def test_shares_that_predict_nothing_are_called_noise(tmp_path):
    build_run.large_run(tmp_path, 60, epochs=1)

    assert (
        "these shares are noise. "
        in dict(sections_of(tmp_path)["importance"].pairs)["all families"]
    )


def printed_details(folder):
    import io

    from rich.console import Console

    from lrtune.report.terminal import print_report

    out = io.StringIO()
    print_report(read_run(folder), Console(file=out, width=80), details=True)
    return out.getvalue()


def test_a_random_search_has_a_tuning_curve(tmp_path):
    # Exponential scored .712 and, diverged, .5: the best of 2 is .712 three times in four.
    assert """
Tuning curve: the best of n trials
  schedule     n  expected  median  95 % band of the median
  ─────────────────────────────────────────────────────────
  constant     1    0.6900  0.6900  [0.0000, 1.0000]
  time         1    0.6900  0.6900  [0.0000, 1.0000]
  step         1    0.7050  0.7050  [0.0000, 1.0000]
  exponential  1    0.6060  0.5000  [0.0000, 1.0000]
               2    0.6590  0.7120  [0.0000, 1.0000]
""" in printed_details(build_run.small_run(tmp_path))


@pytest.mark.parametrize("algo", ["hyperband", "bayesian"])
def test_no_other_search_has_a_tuning_curve(tmp_path, algo):
    build_run.small_run(tmp_path, algo=algo)

    assert "curves" not in sections_of(tmp_path)
    assert "Tuning curve" not in printed_details(tmp_path)
    assert "best so far     0.7050 after 55, 0.7120 after 110" in printed_details(tmp_path)


def test_best_so_far_has_none_before_the_first_full_trial(tmp_path):
    build_run.write_manifest(tmp_path)
    for number in range(3):
        build_run.write_trial(tmp_path, f"{number}", 0.6, epochs=(1, 50, 49), rows=0)
    build_run.write_trial(tmp_path, "3", 0.7, rows=0)

    # Of 200 epochs the first trial of the full budget trained the last 50.
    assert dict(sections_of(tmp_path)["progress"].pairs)["best so far"] == (
        "none yet after 50, none yet after 100, none yet after 150, 0.7000 after 200 epochs of the "
        "search"
    )


def test_a_trial_that_never_reached_the_baseline_says_never(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.995, 0.996)})
    build_run.write_trial(tmp_path, "0", 0.98)
    build_run.write_trial(tmp_path, "1", 0.7)

    # val_accuracy is 1 - .6/epoch, at most .988, of the baseline's seeds too.
    text = " ".join(printed(tmp_path, details=True).split())
    assert "first epoch at 0.9955 (the mean of constant-0.1) or better: never in trial 0, " in text
    assert "never in trial 1; constant-0.1 itself: never, never" in text


def test_the_baselines_own_seeds_reach_the_target_as_well(tmp_path):
    build_run.write_manifest(tmp_path)
    # The mean, .8, is reached in epoch 3 of 1 - .6/epoch; the second seed is never above .6.
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.81, 0.79)})
    rows = [{"epoch": epoch, "val_accuracy": 0.6} for epoch in range(1, 51)]
    path = tmp_path / "baseline" / "constant-0.1" / "seed-2" / "epochs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    build_run.write_trial(tmp_path, "0", 0.9)

    assert dict(sections_of(tmp_path)["progress"].pairs)["time to target"] == (
        "first epoch at 0.8000 (the mean of constant-0.1) or better: epoch 3 in trial 0; "
        "constant-0.1 itself: epoch 3, never"
    )
