from __future__ import annotations

import html

import pytest

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from lrtune.report.page import render_page
from tests.runs import build_run


def report_of(folder, top=10):
    return build_report(read_run(folder), top)


def pairs_of(report, name):
    return build_sections(report)[name].pairs


def verdict_of(folder):
    return report_of(folder).verdict


def run_with(folder, scores, *, baseline=build_run.SCORES, values=build_run.EXPONENTIAL, **changes):
    build_run.write_manifest(folder, **changes)
    build_run.write_baseline(folder, baseline)
    for number, score in enumerate(scores):
        build_run.write_trial(folder, f"{number}", score, values=values, rows=0)
    return folder


# The spread is .0131 around .681 throughout (tests/stats/test_baseline.py), and that of the best of
# 3 runs .0141: the factor is 4.614 in place of 4.303 (tests/stats/test_best_of.py).


def test_outside_noise_the_verdict_names_the_selection_and_the_searched_momentum(tmp_path):
    assert verdict_of(run_with(tmp_path, [0.65, 0.712, 0.7])) == (
        "The best schedule beats the constant rate by more than noise, but is not confirmed yet. "
        "Winner: exponential(lr0=0.12, k=0.08), momentum 0.83: val_accuracy 0.7120, 0.0310 better "
        "than the constant rate (constant-0.1, not tuned: 0.6810 ± 0.0026 over 3 seeds); that is "
        "outside the noise of the best of 3 runs (+0.0141), but it is the best of 3 trials, and "
        "the best of many is partly lucky. Confirm it with fresh seeds. Its rate and momentum were "
        "searched, but the constant rate's were not: part of the gain may come from that."
    )


def test_within_noise_is_no_evidence(tmp_path):
    assert verdict_of(run_with(tmp_path, [0.69])) == (
        "No evidence that any schedule beats the constant rate here. "
        "Winner: exponential(lr0=0.12, k=0.08), momentum 0.83: val_accuracy 0.6900, 0.0090 better "
        "than the constant rate (constant-0.1, not tuned: 0.6810 ± 0.0026 over 3 seeds); that is "
        "within the noise of a single run (±0.0131)."
    )


def test_the_best_of_many_equal_trials_is_no_evidence(tmp_path):
    # Twelve trials: .702 is outside .0131 around .681, but not outside the .0210 of the best of 12.
    scores = [0.702, *[0.68] * 11]
    report = report_of(run_with(tmp_path, scores))

    assert report.headline == "No evidence that any schedule beats the constant rate here."
    assert report.reasons.endswith(
        "that is outside the noise of a single run (±0.0131), but not outside that of the best of "
        "12 runs (+0.0210)."
    )
    assert report.recommended.name == "constant-0.1"
    trials = build_sections(report)["trials"]
    noise = next(column for column in trials.columns if column.name == "noise")
    assert noise.cells == ("outside (one run of 12)", *["within"] * 9)
    assert trials.legend[1].endswith(
        "fall within ±0.0131; outside (one run of 12): not outside the noise of the best of 12 "
        "runs, +0.0210"
    )


def test_a_best_trial_beyond_the_noise_of_the_best_of_as_many_is_said_to_lead(tmp_path):
    report = report_of(run_with(tmp_path, [0.7025, *[0.68] * 10, 0.5]))

    assert report.headline.startswith("The best schedule beats the constant rate by more than")
    noise = next(
        column for column in build_sections(report)["trials"].columns if column.name == "noise"
    )
    assert noise.cells == ("outside", *["within"] * 9)


def test_worse_than_the_constant_rate(tmp_path):
    report = report_of(run_with(tmp_path, [0.5]))

    assert report.headline == "The constant rate beats every schedule tried here."
    assert report.reasons.endswith(
        "0.1810 worse than the constant rate (constant-0.1, not tuned: 0.6810 ± 0.0026 over 3 "
        "seeds); that is outside the noise of a single run (±0.0131)."
    )


def test_a_single_trial_is_not_the_best_of_many(tmp_path):
    assert "but it is one trial with one seed. Confirm it" in verdict_of(run_with(tmp_path, [0.72]))


def test_a_tie_is_named(tmp_path):
    assert "val_accuracy 0.7200 (tied with 2 others), 0.0390 better than" in verdict_of(
        run_with(tmp_path, [0.72, 0.72, 0.72])
    )


def test_a_constant_winners_gain_comes_from_its_rate_and_momentum(tmp_path):
    verdict = report_of(run_with(tmp_path, [0.72, 0.71], values=build_run.CONSTANT)).reasons

    assert verdict.startswith("Winner: constant(lr0=0.05), momentum 0.9: val_accuracy 0.7200")
    assert verdict.endswith(
        " The winner is a constant rate itself, so the gain comes from its learning rate and "
        "momentum."
    )


def test_a_constant_rate_among_the_trials_is_the_fairer_comparison(tmp_path):
    verdict = verdict_of(build_run.small_run(tmp_path))

    assert verdict.endswith(
        "but it is the best of 4 trials that finished, out of 7 tried, and the best of many is "
        "partly lucky. Confirm it with fresh seeds. The best constant rate among the trials, "
        "constant(lr0=0.05), momentum 0.9, reached 0.6900."
    )


def test_less_is_better_for_a_loss(tmp_path):
    baseline = {"constant-0.1": (62.0, 62.3, 61.7)}
    run_with(tmp_path, [61.0, 63.0], baseline=baseline, direction="min", objective="val_mse")

    report = report_of(tmp_path)

    # t(.975, 2) = 4.302653; .3 sqrt(4/3) times that is 1.4905.
    assert report.verdict.endswith(
        "momentum 0.83: val_mse 61.00, 1.00 better than the constant rate (constant-0.1, not "
        "tuned: 62.00 ± 0.30 over 3 seeds); that is within the noise of a single run (±1.49)."
    )
    assert report.header[0] == "random search of 50 epochs for val_mse (lower is better)"
    assert report.trials["delta"].tolist() == [1.0, -1.0]


def test_without_a_baseline_nothing_is_compared(tmp_path):
    run_with(tmp_path, [0.7], baseline={}, baseline_arms={}, baseline_seeds=[])

    report = report_of(tmp_path)

    assert report.verdict == (
        "This run has no baseline, so it cannot show whether any schedule beats a constant rate. "
        "Winner: exponential(lr0=0.12, k=0.08), momentum 0.83: val_accuracy 0.7000."
    )
    assert report.baseline is None
    assert pairs_of(report, "baseline") == ()


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [
        ({"constant-0.1": (0.68,)}, "with 1 seed); with one seed the spread is unknown"),
        (
            {"constant-0.1": (0.5, 0.5)},
            "± 0.0000 over 2 seeds); all its seeds scored the same",
        ),
    ],
)
def test_if_noise_is_unknown_the_verdict_says_why(tmp_path, baseline, reason):
    report = report_of(run_with(tmp_path, [0.7], baseline=baseline))

    assert report.headline == (
        "There is not enough data to tell whether any schedule beats the constant rate."
    )
    assert report.reasons.endswith(f"{reason}, so this may be noise.")


def test_a_diverged_seed_of_the_best_arm_leaves_noise_unknown(tmp_path):
    run_with(tmp_path, [0.7], baseline={"constant-0.1": (0.68, 0.68)})
    name = "baseline/constant-0.1/seed-3"
    build_run.write_trial(tmp_path, name, 0.5, status="diverged", rows=0)

    report = report_of(tmp_path)

    assert pairs_of(report, "baseline")[0] == (
        "constant-0.1",
        "0.6200 ± 0.1039 over 3 seeds, 1 diverged",
    )
    assert report.verdict.endswith("; that rate diverged with some seeds, so this may be noise.")


def test_a_run_without_trials_has_no_winner(tmp_path):
    report = report_of(build_run.write_manifest(tmp_path))

    assert report.header[1] == "no trials"
    assert report.verdict == "No trial has completed 50 epochs, so there is no winner."
    assert report.usage == ()
    assert "unranked" not in build_sections(report)
    assert report.trials.empty
    assert pairs_of(report, "baseline") == (
        ("constant-0.1", "not trained yet"),
        ("constant-0.01", "not trained yet"),
    )


def test_a_run_with_only_running_and_short_trials_has_no_winner(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.6, epochs=(1, 17, 17), rows=0)
    (tmp_path / "trial_1").mkdir()

    report = report_of(tmp_path)

    assert report.verdict == "No trial has completed 50 epochs yet, so there is no winner."
    assert pairs_of(report, "unranked") == (
        ("17 epochs", "1 trial: 0 exponential(lr0=0.12, k=0.08), val_accuracy 0.6000"),
        ("unfinished", "1 (still running or stopped)"),
    )


def test_every_trial_without_a_rank_is_listed_by_kind(tmp_path):
    assert pairs_of(report_of(build_run.small_run(tmp_path)), "unranked") == (
        ("17 epochs", "2 trials, best: 5 exponential(lr0=0.12, k=0.08), val_accuracy 0.6700"),
        ("diverged", "6: the loss is NaN"),
        ("failed", "7: OOM when allocating"),
        ("unfinished", "8 (still running or stopped)"),
    )


def test_many_failures_are_listed_by_reason_the_commonest_first(tmp_path):
    build_run.write_manifest(tmp_path)
    reasons = ["a", *["b"] * 10, "c", "c", "d", "e"]
    for number, reason in enumerate(reasons):
        build_run.write_trial(
            tmp_path, f"{number:02}", None, status="failed", message=f"{reason}\nat", rows=0
        )

    assert pairs_of(report_of(tmp_path), "unranked") == (
        (
            "failed",
            (
                "01, 02, 03, 04, 05, 06, 07, 08 and 2 more: b; 11, 12: c; 00: a; 2 trials for "
                "other reasons"
            ),
        ),
    )


def test_an_arm_says_which_seeds_are_missing(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.68,)})
    for arm in ("constant-0.1/seed-2", "constant-0.01/seed-1"):
        build_run.write_trial(tmp_path, f"baseline/{arm}", None, status="failed", rows=0)

    assert pairs_of(report_of(tmp_path), "baseline") == (
        ("constant-0.1", "0.6800 with 1 seed, 1 failed, 1 not trained yet"),
        ("constant-0.01", "no score: 1 seed failed"),
    )


def test_synthetic_data_give_a_warning(tmp_path):
    data = {**build_run.MANIFEST["data"], "source": "synthetic", "synthetic": True}

    report = report_of(build_run.write_manifest(tmp_path, data=data))

    assert report.warning == (
        "SYNTHETIC DATA: the images were drawn by lrtune, not photographed. These scores say "
        "nothing about real cats and dogs."
    )
    assert report_of(build_run.write_manifest(tmp_path)).warning is None


def test_top_limits_the_rows(tmp_path):
    section = build_sections(report_of(run_with(tmp_path, [0.7, 0.71, 0.72]), top=2))["trials"]

    assert [column.cells for column in section.columns if column.name == "trial"] == [("2", "1")]
    assert section.legend[0] == "and 1 more trial"
    with pytest.raises(ArgumentError, match=r"^top must be >= 1\. Received: top=0\.$"):
        report_of(tmp_path, top=0)


def test_a_users_own_family_that_is_unknown_here_is_reported(tmp_path):
    run_with(tmp_path, [0.7], values={"schedule": "mine", "mine.a": 2, "lr0": 0.1})

    assert report_of(tmp_path).reasons.startswith(
        "Winner: mine(lr0=0.1, a=2): val_accuracy 0.7000, "
    )


def test_the_header_says_that_the_best_epoch_counts(tmp_path):
    assert report_of(run_with(tmp_path, [0.7], score="best")).header[0] == (
        "random search of 50 epochs for val_accuracy (higher is better, the best epoch counts)"
    )


def with_largest_class(share):
    return {**build_run.MANIFEST["data"], "largest_class": share}


def test_an_accuracy_equal_to_the_share_of_the_largest_class_is_called_that(tmp_path):
    # As float32 has it: .6 is .60000002.
    scores = [0.7, 0.6000000238418579]
    baseline = {"constant-0.1": (0.65, 0.66, 0.67), "constant-0.01": (0.6, 0.61, 0.6)}
    folder = run_with(tmp_path, scores, baseline=baseline, data=with_largest_class(0.6))

    sections = build_sections(report_of(folder))

    words = "0.6000 is the share of the largest class"
    assert sections["trials"].legend[0].startswith(f"score: {words}; delta: how much better")
    assert sections["baseline"].notes[1:] == (f"{words}.",)


@pytest.mark.parametrize(
    ("share", "changes"),
    [(0.605, {}), (None, {}), (0.6, {"objective": "val_loss", "direction": "min"})],
    ids=["another share", "unknown", "a loss"],
)
def test_other_scores_are_not_called_the_share_of_the_largest_class(tmp_path, share, changes):
    folder = run_with(tmp_path, [0.7, 0.6], data=with_largest_class(share), **changes)

    sections = build_sections(report_of(folder))

    assert sections["trials"].legend[0].startswith("delta: ")
    assert len(sections["baseline"].notes) == 1


def test_a_run_on_other_data_than_images_speaks_of_samples(tmp_path):
    data = {**build_run.MANIFEST["data"], "source": "given to search()", "kind": "samples"}
    folder = build_run.tuned_run(tmp_path)
    build_run.write_manifest(folder, data=data, baseline_budget=0.5, baseline_arms=build_run.ARMS)
    confirmed = {**data, "sizes": {"train": 1, "test": 2000}}
    arms = {**build_run.CONFIRM["arms"], "constant-tuned": build_run.TUNED}
    build_run.write_confirmation(folder, arms=arms, data=confirmed)
    report = report_of(folder)

    assert report.header[2] == (
        "data: given to search(), 9,000 training samples and 1,000 validation samples"
    )
    assert "with accuracy 0.7099 on the test samples, beats" in report.headline
    assert "better than fresh seeds score on the test samples" in report.reasons
    section = build_sections(report)["confirmation"]
    assert " for 50 epochs on 1 sample (train+validation) with " in section.about[0]
    assert section.about[0].endswith(" on 2,000 test samples.")
    assert "over seeds on these test samples only. Other samples may" in section.notes[-1]
    page = render_page(read_run(folder))
    assert "The arms compared on the test samples" in page
    assert "train samples" in page
    # What remains is where the 10 % were simulated.
    told = " ".join([*report.header, report.verdict, *section.about, page])
    for note in (section.notes[-1], html.escape(section.notes[-1])):
        told = told.replace(note, "")
    assert "images" not in told
