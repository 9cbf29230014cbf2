"""What a confirmation makes the report recommend."""

from __future__ import annotations

import pytest

from lrtune.report.build import build_sections
from lrtune.run import load_run
from tests.report.confirmed import CONFIRMED, report_of
from tests.runs import build_run


def test_an_untuned_baseline_is_named_as_a_possible_cause_of_the_gain(tmp_path):
    build_run.small_run(tmp_path)
    arms = {arm: values for arm, values in build_run.CONFIRM["arms"].items()
            if arm != "constant-tuned"}  # fmt: skip
    scores = {arm: CONFIRMED[arm] for arm in arms}
    build_run.write_confirmation(tmp_path, scores, arms=arms, baseline="constant-0.1")

    report = report_of(tmp_path)

    (legend,) = build_sections(report)["confirmation"].legend
    assert legend.startswith("difference: how much better than constant-0.1, not tuned, paired by")
    # Better by .031 .029 .03 .025 .033 .03 .033 .033, in sum .244; trial-0 is better, too.
    assert report.verdict == (
        "Use exponential(lr0=0.12, k=0.08) with momentum 0.83. Confirmed: with 8 fresh seeds, it "
        "beats constant-0.1 by 0.0305 (95 % interval 0.0280 to 0.0330) on the test images. 2 arms "
        "beat it. This one has the best mean, but the arms were not tested against each other. It "
        "is the best of 2 schedules tested, so its gain is probably a little too high. Its rate "
        "and momentum were searched, but the constant rate's were not: part of the gain may come "
        "from that."
    )


def test_without_a_confirmed_arm_the_constant_rate_is_the_choice(tmp_path):
    # The search's best trial now has trial-0's scores, which are no evidence.
    scores = {**CONFIRMED, "trial-1": CONFIRMED["trial-0"], "trial-0": CONFIRMED["constant-0.1"]}
    report = report_of(build_run.confirmed_run(tmp_path, scores))

    assert report.verdict == (
        "Use a constant rate of 0.0275 with momentum 0.91. No schedule was shown to beat it: with "
        "8 fresh seeds, the best schedule leads by 0.0021 (95 % interval -0.0020 to 0.0060) on the "
        "test images."
    )
    # Its mean is the best all the same, but nothing shows that it is better.
    assert (report.answer.choice.name, report.answer.choice.shown) == ("constant-tuned", False)
    assert build_sections(report)["confirmation"].notes[0] == (
        "The search reported val_accuracy 0.7120 for exponential(lr0=0.12, k=0.08), momentum 0.83 "
        "(trial-1), 0.0155 better than fresh seeds score on the test images."
    )


def test_an_arm_worse_than_the_constant_rate_is_not_recommended(tmp_path):
    scores = {**CONFIRMED, "trial-1": CONFIRMED["constant-0.1"]}
    scores["trial-0"] = scores["trial-1"]
    folder = build_run.confirmed_run(tmp_path, scores)

    report = report_of(folder)

    assert report.verdict == (
        "Use a constant rate of 0.0275 with momentum 0.91. It beats every schedule confirmed: with "
        "8 fresh seeds, the best schedule trails by 0.0150 (95 % interval 0.0140 to 0.0160) on the "
        "test images."
    )
    choice = load_run(folder).recommendation()
    assert choice.schedule.lr0 == 0.0275
    assert choice.settings == {"momentum": 0.91}


def test_an_arm_other_than_the_searchs_winner_can_be_recommended(tmp_path):
    scores = {**CONFIRMED, "trial-1": CONFIRMED["trial-0"], "trial-0": CONFIRMED["trial-1"]}
    report = report_of(build_run.confirmed_run(tmp_path, scores))

    assert report.answer.use == ("Use step(lr0=0.1, drop=0.5, epochs_drop=10) with momentum 0.5.")
    assert report.answer.why.startswith("Confirmed: ")
    assert (report.answer.choice.name, report.answer.choice.shown) == ("0", True)


def test_a_confirmed_constant_rate_is_used_as_one(tmp_path):
    arms = {**build_run.CONFIRM["arms"], "trial-1": build_run.CONSTANT}
    answer = report_of(build_run.confirmed_run(tmp_path, arms=arms)).answer

    assert answer.use == "Use a constant rate of 0.05 with momentum 0.9."
    assert answer.why.startswith("Confirmed: with 8 fresh seeds, it beats constant-tuned by 0.0155")


def test_the_best_of_several_schedules_has_a_gain_with_selection_bias(tmp_path):
    several = report_of(build_run.confirmed_run(tmp_path / "several"))
    arms = {arm: values for arm, values in build_run.CONFIRM["arms"].items() if arm != "trial-0"}
    scores = {arm: CONFIRMED[arm] for arm in arms}
    folder = build_run.tuned_run(tmp_path / "one")
    build_run.write_confirmation(folder, scores, arms=arms, trials={"trial-1": "1"})
    one = report_of(folder)

    assert several.answer.caveats == (
        "It is the best of 2 schedules tested, so its gain is probably a little too high."
    )
    assert one.answer.why.startswith("Confirmed: ")
    assert one.answer.caveats == ""


def test_a_constant_rate_that_beats_the_baseline_too_is_named(tmp_path):
    # Better than constant-tuned by .011 with every seed, worse than trial-1.
    also = tuple(score + 0.011 for score in CONFIRMED["constant-tuned"])
    report = report_of(build_run.confirmed_run(tmp_path, {**CONFIRMED, "constant-0.1": also}))

    assert report.answer.use == "Use exponential(lr0=0.12, k=0.08) with momentum 0.83."
    assert report.answer.caveats.startswith(
        "The constant rate constant-0.1 (0.7054) beats constant-tuned, too. 2 arms beat it. "
    )


def test_the_baseline_of_a_confirmation_may_be_any_constant_rate(tmp_path):
    names = {"constant-tuned": "constant-tuned-2"}
    arms = {**build_run.CONFIRM["arms"], "constant-tuned": build_run.TUNED}
    arms = {names.get(name, name): values for name, values in arms.items()}
    scores = {names.get(name, name): row for name, row in CONFIRMED.items()}
    build_run.tuned_run(tmp_path)
    build_run.write_confirmation(tmp_path, scores, arms=arms, baseline="constant-tuned-2")

    assert report_of(tmp_path).verdict == (
        "Use exponential(lr0=0.12, k=0.08) with momentum 0.83. Confirmed: with 8 fresh seeds, it "
        "beats constant-tuned-2 by 0.0155 (95 % interval 0.0135 to 0.0170) on the test images. It "
        "is the best of 2 schedules tested, so its gain is probably a little too high."
    )


@pytest.mark.parametrize("noise", [0.0, 0.04], ids=["beats it too", "is not shown to"])
def test_no_schedule_is_confirmed_while_a_constant_rate_is_as_good(tmp_path, noise):
    signs = (1, -1, 1, -1, 1, -1, 1, -1)
    good = (score + noise * sign for score, sign in zip(CONFIRMED["trial-1"], signs, strict=True))
    folder = build_run.confirmed_run(tmp_path, {**CONFIRMED, "constant-0.1": tuple(good)})

    report = report_of(folder)

    assert report.verdict == (
        "Use a constant rate of 0.1 with momentum 0. No schedule was shown to beat it: on the test "
        "images it scored 0.7099, and the best schedule 0.7099."
    )
    assert (report.answer.choice.name, report.answer.choice.shown) == ("constant-0.1", False)


def test_a_loss_is_better_where_it_is_less(tmp_path):
    changes = {"direction": "min", "objective": "val_loss"}
    build_run.small_run(tmp_path, **changes)
    build_run.write_confirmation(tmp_path, **changes)

    report = report_of(tmp_path)

    # The baseline's losses are less than those of trial-1, greater than those of constant-0.1.
    differences = report.confirmation.comparison.differences
    assert [one.arm for one in differences if one.mean > 0] == ["constant-0.1"]
    assert report.verdict.startswith(
        "Use a constant rate of 0.1 with momentum 0. Confirmed: with 8 fresh seeds, it beats "
    )
