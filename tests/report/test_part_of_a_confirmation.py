"""A confirmation that lacks trainings, or holds some that do not belong to it."""

from __future__ import annotations

import pytest

from lrtune.report.build import build_sections
from tests.report.confirmed import CONFIRMED, first, report_of
from tests.report.test_terminal import printed
from tests.runs import build_run


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
