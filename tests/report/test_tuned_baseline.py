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


def test_the_whole_report_at_80_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.tuned_run(tmp_path / "run")

    assert printed("run", width=80) == (
        """\
random search of 50 epochs for val_accuracy (higher is better)
9 trials: 6 completed, 1 diverged, 1 failed, 1 running
data: cifar10 (cache), 9,000 training and 1,000 validation images

Use a constant rate of 0.0275 with momentum 0.91.
No schedule was shown to beat it: the best trial leads by 0.0170 in the search,
and chance alone can give the best of 4 trials as much as 0.0176.

Use it
  import keras
  import lrtune
  choice = lrtune.load_run('run').recommendation()
  rate = choice.schedule.lr0
  optimizer = keras.optimizers.SGD(rate, momentum=choice.momentum)

Trials of 50 epochs
  rank  trial  schedule                   lr0  momentum   score    delta  noise
  ──────────────────────────────────────────────────────────────────────────────
     1  1      exponential(k=0.08)       0.12      0.83  0.7120  +0.0170  unsure
     2  0      step(drop=0.5,             0.1       0.5  0.7050  +0.0100  within
               epochs_drop=10)
     3  2      time(k=0.314)              0.1       0.5  0.6900  -0.0050  within
     3  3      constant                  0.05       0.9  0.6900  -0.0050  within
  delta: how much better than constant-tuned; noise: 95 % of single baseline
  runs fall within ±0.0149; unsure: outside, but chance alone can give the best
  of 4 +0.0176

Baseline
  constant-tuned  0.6950 ± 0.0030 over 3 seeds, lr0=0.0275, momentum=0.91
  constant-0.1    0.6810 ± 0.0026 over 3 seeds
  constant-0.01   0.6520 ± 0.0122 over 3 seeds

Not ranked: 2 trials with fewer epochs, 1 diverged, 1 failed, 1 unfinished.
Training: 739 epochs, 230 s (search 220, baseline 519).
More: `lrtune report run --details`
"""
    )


def test_all_costs_of_the_tuned_baseline_are_details(tmp_path):
    text = printed(build_run.tuned_run(tmp_path), details=True)

    # The search for the baseline: 50 + 17 epochs of trials that ended, 2 of one that did not.
    assert "\n  baseline search          3      69   26 s     9%\n" in text
    assert (
        "\n  constant-tuned was found with 0.5 times the search's epochs: 69 epochs in 3 trials, "
        "compared with\n  220 epochs of the search for schedules.\n"
    ) in text


def test_within_the_tuned_rates_noise_the_tuned_rate_is_the_choice(tmp_path):
    answer = report_of(build_run.tuned_run(tmp_path, (0.71, 0.70, 0.72))).answer

    assert answer.use == "Use a constant rate of 0.0275 with momentum 0.91."
    assert answer.why == (
        "No schedule was shown to beat it: the best trial leads by 0.0020 in the search, and "
        "chance alone can give as much as 0.0497."
    )


def test_an_untuned_rate_that_did_better_than_the_tuned_one_is_the_reference(tmp_path):
    build_run.tuned_run(tmp_path, (0.651, 0.65, 0.652))

    report = report_of(tmp_path)

    assert report.baseline.reference.name == "constant-0.1"
    assert "It leads constant-0.1 by 0.0310 in the search" in report.verdict


def test_a_rate_that_left_the_race_with_a_better_mean_is_named(tmp_path):
    build_run.tuned_run(tmp_path, (0.691, 0.692, 0.690))
    build_run.write_baseline(tmp_path, {"constant-tuned-2": (0.695,)})

    report = report_of(tmp_path)

    assert report.baseline.reference.name == "constant-tuned"
    assert report.verdict.endswith(
        " Another constant rate did better than constant-tuned, with fewer seeds: constant-tuned-2 "
        "(0.6950)."
    )


def test_no_schedule_is_better_while_a_constant_rate_is_as_good(tmp_path):
    # The rate with three seeds has .651, which .712 beats by far, but another has .712 as well.
    folder = build_run.tuned_run(tmp_path, (0.651, 0.65, 0.652))
    plain = {"constant-0.1": (0.651, 0.65, 0.65), "constant-0.01": (0.6, 0.61, 0.6)}
    build_run.write_baseline(folder, plain)
    build_run.write_baseline(folder, {"constant-tuned-2": (0.713, 0.711)})

    report = report_of(folder)

    assert report.verdict == (
        "Use a constant rate of 0.05 with momentum 0.9. No schedule was shown to beat it: it "
        "scored 0.7120 ± 0.0014 over 2 seeds, and the best trial 0.7120."
    )
    assert (report.answer.choice.name, report.answer.choice.shown) == ("constant-tuned-2", False)


def test_a_constant_rate_that_is_worse_than_the_best_schedule_takes_nothing_back(tmp_path):
    folder = build_run.tuned_run(tmp_path, (0.651, 0.65, 0.652))
    plain = {"constant-0.1": (0.651, 0.65, 0.65), "constant-0.01": (0.6, 0.61, 0.6)}
    build_run.write_baseline(folder, plain)
    build_run.write_baseline(folder, {"constant-tuned-2": (0.711, 0.711)})

    report = report_of(folder)

    assert report.answer.use.startswith("Use exponential(lr0=0.12, k=0.08) with momentum 0.83, but")
    assert (report.answer.choice.name, report.answer.choice.shown) == ("1", True)


def test_with_a_tuned_rate_the_gain_is_not_attributed_to_the_search(tmp_path):
    build_run.write_manifest(tmp_path, baseline_budget=1.0, baseline_arms=build_run.ARMS)
    build_run.write_baseline(tmp_path, {"constant-tuned": (0.695, 0.692, 0.698)})
    build_run.write_search(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.73)

    report = report_of(tmp_path)

    assert report.answer.caveats == ""
    assert "found with 1 times the search's epochs" in baseline_of(report).notes[0]


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
    # "lr0=0.001, beta_1=0.97" is "a constant rate of 0.001 with beta_1 0.97".
    words = text.removeprefix("lr0=").replace("=", " ").replace(", ", " with ", 1)
    assert report.answer.use == f"Use a constant rate of {words.replace(', ', ' and ')}."


def test_the_reference_may_be_another_rate_of_the_tuning_search(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arms = {"constant-tuned-2": build_run.TUNED, "constant-0.1": build_run.ARMS["constant-0.1"]}
    build_run.write_manifest(tmp_path / "run", baseline_budget=0.5, baseline_arms=arms)
    build_run.write_baseline(tmp_path / "run", {"constant-tuned-2": (0.695, 0.692, 0.698)})
    build_run.write_trial(tmp_path / "run", "0", 0.73, rows=0)

    report = report_of("run")

    assert report.verdict == (
        "Use exponential(lr0=0.12, k=0.08) with momentum 0.83, but confirm it: `lrtune confirm "
        "run`. It leads constant-tuned-2 by 0.0350 in the search, and chance alone can give as "
        "much as 0.0149."
    )
    assert baseline_of(report).pairs[0] == (
        "constant-tuned-2",
        "0.6950 ± 0.0030 over 3 seeds, lr0=0.0275, momentum=0.91",
    )
