"""The confirmation in the report; its figures by hand.

CONFIRMED's trial-1 is better than constant-tuned by .016 .014 .016 .011 .016 .016 .018 .017, in sum
.124, so .0155 with every one of 8 seeds: p = 2/256, and times 3 arms (Holm) .0234. constant-0.1 is
worse with every seed: .0078, times 3 but no less than the one before it: .0234.
"""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from lrtune.report.terminal import print_report
from lrtune.run import load_run
from tests.report.test_terminal import printed
from tests.runs import build_run

CONFIRMED = build_run.CONFIRMED


def report_of(folder):
    return build_report(read_run(folder))


def first(scores, seeds):
    """The scores of so many seeds; the others have not ended."""
    return {arm: (*row[:seeds], *[None] * (8 - seeds)) for arm, row in scores.items()}


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
Cost: 2,339 epochs, 630 s (search 220, baseline 519, confirmation 1,600).
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


def test_a_winner_that_was_not_confirmed_is_named(tmp_path):
    report = report_of(build_run.confirmed_run(tmp_path, trials={"trial-1": "77", "trial-0": "0"}))

    assert build_sections(report)["confirmation"].notes[0] == (
        "The search reported val_accuracy 0.7120 for exponential(lr0=0.12, k=0.08), momentum 0.83, "
        "but that trial was not part of this confirmation."
    )


def test_an_unfinished_confirmation_compares_the_seeds_that_have_ended(tmp_path):
    report = report_of(build_run.confirmed_run(tmp_path, first(CONFIRMED, 7)))

    unfinished = (
        "The confirmation is not finished: 28 of 32 trainings have ended, so the results may still "
        "change."
    )
    assert build_sections(report)["confirmation"].about[1] == unfinished
    # 2/128 * 3 = .047.
    assert "(adjusted p = 0.047, 7 seeds)" in build_sections(report)["confirmation"].pairs[0][1]
    assert report.answer.why.startswith("Confirmed: with 7 fresh seeds, ")
    assert report.verdict.endswith(unfinished)


def test_too_few_seeds_for_any_verdict_are_named(tmp_path):
    # 2/64 * 3 = .094: no difference is large enough.
    report = report_of(build_run.confirmed_run(tmp_path, first(CONFIRMED, 6)))

    few = (
        "No verdict is possible with 6 seeds: corrected for 3 comparisons, it takes at least 7, "
        "however large the difference."
    )
    assert build_sections(report)["confirmation"].notes[0] == few
    assert report.answer.why.startswith("No schedule was shown to beat it: with 6 fresh seeds, ")
    assert report.answer.caveats.startswith(f"{few} ")


@pytest.mark.parametrize("seeds", [0, 1, 5])
def test_the_first_seeds_are_shown_but_not_tested(tmp_path, seeds):
    folder = build_run.confirmed_run(tmp_path, first(CONFIRMED, seeds))

    report = report_of(folder)

    assert [arm.n for arm in report.confirmation.comparison.arms] == [seeds] * 4
    assert "not tested: " in dict(build_sections(report)["confirmation"].pairs)["trial-1"]
    ended = f"The confirmation is not finished: {4 * seeds} of 32 trainings have ended, so the"
    assert report.answer.caveats.startswith(ended)
    assert ("with 1 fresh seed, the best" in report.answer.why) == (seeds == 1)
    assert ("with 5 fresh seeds, the best" in report.answer.why) == (seeds == 5)
    # Before the first score, the search decides.
    assert ("in the search" in report.answer.why) == (seeds == 0)
    assert "and a test needs 6" in printed(folder, details=True).replace("\n", " ")


def test_failed_and_diverged_seeds_are_named(tmp_path):
    build_run.confirmed_run(tmp_path)
    name = "confirm/trial-0/seed-{}"
    values = build_run.STEP
    build_run.write_trial(tmp_path, name.format(11), None, status="failed", values=values)
    build_run.write_trial(tmp_path, name.format(12), 0.5, status="diverged", values=values)

    report = report_of(tmp_path)

    arm = report.confirmation.comparison.arms[1]
    # .69 .704 .688 .7 .697 .693 and the diverged one's .5
    assert (arm.name, arm.n, arm.mean) == ("trial-0", 7, pytest.approx(4.672 / 7))
    words = dict(build_sections(report)["confirmation"].pairs)["trial-0"]
    assert words.endswith(
        "; 1 of 8 seeds not counted (no score in one of the two arms); 1 seed diverged (counted); "
        "1 seed failed"
    )


def test_trainings_of_other_epochs_or_seeds_do_not_count(tmp_path):
    build_run.confirmed_run(tmp_path)
    build_run.write_trial(tmp_path, "confirm/trial-1/seed-11", 0.1, epochs=(1, 9, 9))
    build_run.write_trial(tmp_path, "confirm/trial-1/seed-99", 0.1)

    assert report_of(tmp_path).confirmation.comparison.arms[0].n == 7


def test_a_confirmation_of_one_arm_is_left_out_with_the_reason(tmp_path):
    build_run.small_run(tmp_path)
    arms = {"constant-0.1": build_run.CONSTANT}
    build_run.write_confirmation(tmp_path, {}, arms=arms, baseline="constant-0.1")

    report = report_of(tmp_path)

    assert report.confirmation is None
    assert report.answer.why.startswith("It leads constant-0.1 by 0.0310 in the search")
    assert report.notes[-1].startswith("The confirmation is left out: scores must hold the")


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


def test_control_characters_in_a_confirmation_do_not_reach_the_terminal(tmp_path):
    evil = "\x1b[2J\u202e\r[red]"
    arms = {
        "trial-1": {"schedule": evil, "lr0": evil, f"{evil}.{evil}": evil},
        "constant-tuned": build_run.TUNED,
    }
    data = {**build_run.CONFIRM["data"], "source": evil, "sizes": {}}
    scores = {arm: CONFIRMED[arm] for arm in arms}
    changes = {"objective": evil, "train_on": evil, "data": data, "trials": {"trial-1": evil}}
    folder = build_run.confirmed_run(tmp_path, scores, arms=arms, **changes)
    out = io.StringIO()

    print_report(read_run(folder), Console(file=out, width=80))

    assert all(line.isprintable() for line in out.getvalue().split("\n"))
    frame = load_run(folder).comparison()
    text = [cell for cell in frame.to_numpy().ravel() if isinstance(cell, str)]
    assert len(text) > 5
    assert all(map(str.isprintable, text))


VALUES = ("null", "-1", '"\\u001b[2J"', "[[1]]", "{}", "1.7e308")


def paths(value, at=()):
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from paths(item, (*at, key))
    yield at


@pytest.mark.parametrize("raw", VALUES)
@pytest.mark.parametrize(
    "name", ["confirm/confirm.json", "confirm/b/seed-2/outcome.json", "baseline/search/run.json"]
)
def test_a_value_of_any_kind_is_reported_or_shown(tmp_path, name, raw):
    arms = {"a": build_run.STEP, "b": build_run.CONSTANT}
    build_run.write_manifest(tmp_path, baseline_budget=0.5)
    build_run.write_baseline(tmp_path, {"constant-tuned": (0.6,)})
    build_run.write_search(tmp_path)
    scores = {"a": (0.7,) * 6, "b": (0.6, 0.61, 0.62, 0.63, 0.6, 0.64)}
    changes = {"search_scores": {"a": 0.7}, "trials": {"a": "0"}, "seeds": [1, 2, 3, 4, 5, 6]}
    if name.startswith("confirm"):
        build_run.write_confirmation(tmp_path, scores, arms=arms, baseline="b", **changes)
    text = (tmp_path / name).read_text()

    for at in paths(json.loads(text)):
        root = holder = json.loads(text)
        for key in at[:-1]:
            holder = holder[key]
        if at:
            holder[at[-1]] = json.loads(raw)
        (tmp_path / name).write_text(json.dumps(root) if at else raw)
        assert report_of(tmp_path).verdict


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
