from __future__ import annotations

import pytest

from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from tests.report.test_terminal import printed
from tests.runs import build_run


def report_of(folder):
    return build_report(read_run(folder))


def baseline_of(report):
    return build_sections(report)["baseline"]


def test_the_baseline_and_the_verdict_at_80_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.tuned_run(tmp_path / "run")

    text = printed("run", width=80)

    assert (
        """
Baseline
  constant-tuned  0.6950 ± 0.0030 over 3 seeds, lr0=0.0275, momentum=0.91
  constant-0.1    0.6810 ± 0.0026 over 3 seeds
  constant-0.01   0.6520 ± 0.0122 over 3 seeds
  constant-tuned was found with 0.5 times the search's epochs: 69 epochs in 3
  trials, compared with 220 epochs of the search for schedules.

Trials of 50 epochs
  rank  trial  schedule               lr0  momentum   score    delta  noise
  ────────────────────────────────────────────────────────────────────────────
     1  1      exponential(k=0.08)   0.12      0.83  0.7120  +0.0170  outside
                                                                      (one run
                                                                      of 4)
     2  0      step(drop=0.5,         0.1       0.5  0.7050  +0.0100  within
               epochs_drop=10)
     3  2      time(k=0.314)          0.1       0.5  0.6900  -0.0050  within
     3  3      constant              0.05       0.9  0.6900  -0.0050  within
  delta: how much better than constant-tuned; noise: 95 % of single baseline
  runs fall within ±0.0149; outside (one run of 4): not outside the noise of the
  best of 4 runs, +0.0176
"""
        in text
    )
    # The search for the baseline: 50 + 17 epochs of trials that ended, 2 of one that did not.
    assert "\n  baseline search          3      69   26 s     9%\n" in text
    assert (
        """
Verdict
  No evidence that any schedule beats the tuned constant rate here.
  Winner: exponential(lr0=0.12, k=0.08), momentum 0.83: val_accuracy 0.7120,
  0.0170 better than the tuned constant rate (constant-tuned, lr0=0.0275,
  momentum=0.91, found with 0.5 times the search's epochs: 0.6950 ± 0.0030 over
  3 seeds); that is outside the noise of a single run (±0.0149), but not outside
  that of the best of 4 runs (+0.0176).
"""
        in text
    )


def test_within_the_tuned_rates_noise_is_no_evidence_against_the_tuned_rate(tmp_path):
    build_run.tuned_run(tmp_path, (0.71, 0.70, 0.72))

    assert report_of(tmp_path).headline == (
        "No evidence that any schedule beats the tuned constant rate here."
    )


def test_an_untuned_rate_that_did_better_than_the_tuned_one_is_the_reference(tmp_path):
    build_run.tuned_run(tmp_path, (0.651, 0.65, 0.652))

    report = report_of(tmp_path)

    assert report.baseline.reference.name == "constant-0.1"
    assert " the best constant rate (constant-0.1, better than those that were searched for: " in (
        report.verdict
    )


def test_a_rate_that_left_the_race_with_a_better_mean_is_named(tmp_path):
    build_run.tuned_run(tmp_path, (0.691, 0.692, 0.690))
    build_run.write_baseline(tmp_path, {"constant-tuned-2": (0.695,)})

    report = report_of(tmp_path)

    assert report.baseline.reference.name == "constant-tuned"
    assert report.verdict.endswith(
        " The constant rate constant-tuned-2 (0.6950), with fewer seeds, did better than "
        "constant-tuned."
    )


def test_no_schedule_is_better_while_a_constant_rate_is_as_good(tmp_path):
    # The rate with three seeds has .651, which .712 beats by far, but another has .712 as well.
    folder = build_run.tuned_run(tmp_path, (0.651, 0.65, 0.652))
    plain = {"constant-0.1": (0.651, 0.65, 0.65), "constant-0.01": (0.6, 0.61, 0.6)}
    build_run.write_baseline(folder, plain)
    build_run.write_baseline(folder, {"constant-tuned-2": (0.713, 0.711)})

    report = report_of(folder)

    assert report.headline == "No evidence that any schedule beats every constant rate here."
    assert " But constant-tuned-2 (0.7120) is as good. " in report.reasons
    assert (report.recommended.name, report.recommended.shown) == ("constant-tuned-2", False)


def test_a_constant_rate_that_is_worse_than_the_best_schedule_takes_nothing_back(tmp_path):
    folder = build_run.tuned_run(tmp_path, (0.651, 0.65, 0.652))
    plain = {"constant-0.1": (0.651, 0.65, 0.65), "constant-0.01": (0.6, 0.61, 0.6)}
    build_run.write_baseline(folder, plain)
    build_run.write_baseline(folder, {"constant-tuned-2": (0.711, 0.711)})

    report = report_of(folder)

    assert report.headline.startswith("The best schedule beats the tuned constant rate by more")
    assert (report.recommended.name, report.recommended.shown) == ("1", True)


def test_with_a_tuned_rate_the_gain_is_not_attributed_to_the_search(tmp_path):
    build_run.write_manifest(tmp_path, baseline_budget=1.0, baseline_arms=build_run.ARMS)
    build_run.write_baseline(tmp_path, {"constant-tuned": (0.695, 0.692, 0.698)})
    build_run.write_search(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.73)

    verdict = report_of(tmp_path).verdict

    assert "found with 1 times the search's epochs" in verdict
    assert verdict.endswith("Confirm it with fresh seeds.")


def untuned(folder, **changes):
    build_run.small_run(folder, **{"baseline_budget": 0.5, **changes})
    return folder


def test_a_baseline_search_that_has_not_started_is_named(tmp_path):
    report = report_of(untuned(tmp_path))

    (note,) = baseline_of(report).notes
    assert note == (
        "The constant rate is to be tuned with 0.5 times the search's epochs; that search has not "
        "started yet."
    )
    assert "(constant-0.1, not tuned yet: 0.6810 ± 0.0026 over 3 seeds)" in report.verdict


@pytest.mark.parametrize(
    ("changes", "start", "end"),
    [
        ({}, "is being", ": 69 epochs in 3 trials so far."),
        ({"finished": "x"}, "was", " (69 epochs in 3 trials), but no rate trains."),
    ],
)
def test_a_baseline_search_without_a_result_is_named(tmp_path, changes, start, end):
    build_run.write_search(untuned(tmp_path), **changes)

    assert baseline_of(report_of(tmp_path)).notes == (
        f"The constant rate {start} tuned with 0.5 times the search's epochs{end}",
    )


def test_an_unreadable_baseline_search_is_not_reported_as_not_started(tmp_path):
    build_run.write_search(untuned(tmp_path))
    (tmp_path / "baseline" / "search" / "run.json").write_text("{")

    assert baseline_of(report_of(tmp_path)).notes[0].endswith("that search cannot be read.")


def test_a_damaged_trial_of_the_baseline_search_is_named_in_the_notes(tmp_path):
    build_run.tuned_run(tmp_path)
    (tmp_path / "baseline" / "search" / "trial_0" / "outcome.json").write_text("{")

    (note,) = report_of(tmp_path).notes
    assert note == (
        "baseline/search/trial_0/outcome.json cannot be read (it is not complete JSON): its "
        "outcome is left out."
    )


def test_an_arm_that_was_found_but_not_trained_yet_shows_its_rate(tmp_path):
    build_run.tuned_run(tmp_path, ())

    report = report_of(tmp_path)

    assert baseline_of(report).pairs[0] == (
        "constant-tuned",
        "not trained yet, lr0=0.0275, momentum=0.91",
    )
    assert report.baseline.reference.name == "constant-0.1"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"beta_1": 0.97, "weight_decay": 0.01}, "lr0=0.001, beta_1=0.97, weight_decay=0.01"),
        ({}, "lr0=0.001"),  # of a model that the user compiled
    ],
    ids=["adamw", "none"],
)
def test_the_tuned_rate_has_the_settings_of_its_own_optimizer(settings, text, tmp_path):
    found = {"schedule": "constant", "lr0": 0.001, **settings}
    build_run.small_run(tmp_path, baseline_budget=0.5, baseline_arms={"constant-tuned": found})
    for seed in (1, 2, 3):
        trial_id = f"baseline/constant-tuned/seed-{seed}"
        build_run.write_trial(tmp_path, trial_id, 0.695, values=found)

    report = report_of(tmp_path)

    assert dict(baseline_of(report).pairs)["constant-tuned"].endswith(f"over 3 seeds, {text}")
    assert f"(constant-tuned, {text}, found with" in report.verdict
