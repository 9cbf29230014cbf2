"""What a report says of a sequential confirmation."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lrtune
from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from tests.report.test_page import page_of
from tests.runs import build_run

ALL_BETTER = [(0.71, 0.69), (0.712, 0.694), (0.708, 0.689), (0.711, 0.688), (0.709, 0.691)]
NONE_BETTER = [(0.69, 0.70), (0.692, 0.699), (0.688, 0.70), (0.691, 0.698)]
CHOICE = [(0.7, 0.69), (0.71, 0.7), (0.72, 0.69)]


@pytest.fixture
def folder(tmp_path):
    return build_run.tuned_run(tmp_path / "run")


def confirmed(folder, pairs, **changes):
    build_run.write_sequential(folder, pairs, CHOICE, **changes)
    return build_report(read_run(folder))


def test_a_schedule_that_beats_the_baseline_is_the_choice_with_its_least_gain(folder):
    report = confirmed(folder, ALL_BETTER)
    assert report.answer.use == "Use exponential(lr0=0.12, k=0.08) with momentum 0.83."
    (difference,) = report.confirmation.comparison.differences
    # Differences .020 .018 .019 .023 .018.
    assert report.answer.why == (
        "Confirmed: with 5 fresh seeds, it beats constant-tuned by 0.0196 on the test images (by "
        f"at least {difference.lower:.4f} with 95 % confidence)."
    )
    assert 0 < difference.lower < 0.0196
    choice = lrtune.load_run(folder).recommendation()
    assert (choice.name, choice.shown) == ("1", True)


def test_a_test_that_gave_up_says_why_and_how_to_go_on(folder):
    report = confirmed(folder, NONE_BETTER)
    assert report.answer.use == "Use a constant rate of 0.05 with momentum 0.9."
    assert report.answer.why == (
        "No schedule was shown to beat it: with 4 fresh seeds, the best schedule trails by 0.0090 "
        "on the test images. A gain had become unlikely, so the test stopped there."
    )
    caveats = report.answer.caveats.replace("\N{NO-BREAK SPACE}", " ")
    assert f"`lrtune confirm {folder} --min-seeds 12` trains up to 12 pairs;" in caveats


def test_a_test_that_used_all_its_seeds_suggests_more_of_them(folder):
    report = confirmed(folder, ALL_BETTER[:4], seeds=[21, 22, 23, 24])
    assert report.answer.why.endswith(" The test ends after so many pairs.")
    caveats = report.answer.caveats.replace("\N{NO-BREAK SPACE}", " ")
    assert f"`lrtune confirm {folder} --max-seeds 12` trains up to 12 pairs;" in caveats


def test_a_test_that_goes_on_has_no_answer_yet(folder):
    report = confirmed(folder, ALL_BETTER[:2], finished=None)
    assert report.answer.why == (
        "No schedule was shown to beat it so far: with 2 fresh seeds, the best schedule leads by "
        "0.0190 on the test images."
    )
    assert "up to 20 pairs." in report.answer.caveats


def test_while_it_chooses_the_report_is_that_of_the_search_and_says_so(folder):
    build_run.write_sequential(folder, [], CHOICE[:1], tested=None, finished=None)
    report = build_report(read_run(folder))
    assert report.confirmation is None
    assert report.answer.caveats.endswith(
        "The confirmation is choosing what to test, on the validation images: 2 of 6 trainings "
        "have ended."
    )


def test_the_section_names_the_choice_the_evidence_and_the_collapsed_seeds(folder):
    section = build_sections(confirmed(folder, ALL_BETTER))["confirmation"]
    about, notes = " ".join(section.about), " ".join(section.notes)
    assert (
        "Chosen on the validation images, with other fresh seeds: trial-1 0.7100 (3 seeds), "
        "trial-0 0.6933 (3 seeds)."
    ) in about
    assert "for 50 epochs on 10,000 images (train+validation) with 5 fresh seeds." in about
    # 1 - .05 ** (1 / 5) = .451
    assert (
        "No seed ended at chance; with 5 seeds an arm, up to 45 % is not excluded."
    ) in notes.replace("\N{NO-BREAK SPACE}", " ")
    assert "p:" not in " ".join(section.legend)
    (evidence,) = [one for one in section.columns if one.name == "evidence"]
    found = lrtune.load_run(folder).comparison()["evidence"].max()
    assert evidence.cells[0] == f"{found:.3g}"
    assert found >= 20


def test_with_a_collapsed_seed_the_claim_is_about_seeds_that_train(folder):
    pairs = [*ALL_BETTER[:3], (0.5, 0.69), *ALL_BETTER[3:]]
    data = {**build_run.CONFIRM["data"], "largest_class": 0.5}
    section = build_sections(confirmed(folder, pairs, data=data))["confirmation"]
    notes = " ".join(section.notes).replace("\N{NO-BREAK SPACE}", " ")
    # At 1 of 6: the 95 % Clopper-Pearson bound is .582.
    assert "trial-1 1 of 6 (up to 58 % is not excluded)" in notes
    assert (
        "Seeds at chance dominate these means and intervals. Among seeds that train in both arms, "
        "the difference from constant-tuned is: trial-1 +0.0196 (5 pairs)."
    ) in notes


def write_samples(folder, rights):
    """Which of the samples each training of an arm had right."""
    from lrtune.records.samples import Samples, pack

    for arm, of_seeds in rights.items():
        for seed, right in zip(build_run.SEQUENTIAL["seeds"], of_seeds, strict=False):
            path = folder / "confirm" / arm / f"seed-{seed}" / "samples.json"
            packed = pack(Samples("val_accuracy", right, "same"))
            path.write_text(json.dumps(packed))


def on_images(folder, better, base):
    """The report of a confirmation whose trainings had these images right."""
    pairs = [(one.mean(), other.mean()) for one, other in zip(better, base, strict=True)]
    confirmed(folder, pairs, scale=0.003)
    write_samples(folder, {"trial-1": better, "constant-tuned": base})
    return build_report(read_run(folder))


def test_the_interval_for_other_images_is_shown(folder):
    rng = np.random.default_rng(0)
    base = [rng.random(400) < 0.69 for _ in range(8)]
    better = [row | (rng.random(400) < 0.1) for row in base]
    report = on_images(folder, better, base)
    found = report.confirmation.other_samples["trial-1"]
    counted = report.confirmation.evidence.n
    mean = np.mean(better[:counted]) - np.mean(base[:counted])
    assert found.mean == pytest.approx(mean)
    (difference,) = report.confirmation.comparison.differences
    lower, upper = min(found.lower, difference.lower), max(found.upper, difference.upper)
    assert report.answer.caveats.replace("\N{NO-BREAK SPACE}", " ") == (
        f"For other images of this kind, and other seeds, the difference is {mean:+.4f} "
        f"[{lower:.4f}, {upper:.4f}] (95 % interval)."
    )


def test_before_five_pairs_nothing_is_said_of_other_images(folder):
    base = [np.arange(30) < right for right in (20, 21, 20, 21)]
    report = on_images(folder, base[::-1], base)
    assert "For other images" not in report.answer.caveats
    notes = " ".join(build_sections(report)["confirmation"].notes)
    assert "It is not known" not in notes  # it is


def test_the_code_is_for_the_data_that_the_confirmation_trained_on(folder):
    confirmed(folder, ALL_BETTER)
    code = lrtune.load_run(folder).code()
    assert "steps_per_epoch = 157  # 10,000 images in batches of 64" in code


def test_a_gain_that_other_images_may_not_have_is_called_that(folder):
    # Whatever the seed, the arm has two more of the same thirty images right.
    base, better = ([np.arange(30) < right] * 5 for right in (20, 22))
    report = on_images(folder, better, base)
    assert report.answer.choice.shown
    assert report.confirmation.other_samples["trial-1"].lower < 0
    assert report.answer.caveats.endswith(", so on other images it may be no better.")


def test_the_page_of_a_sequential_confirmation_has_its_picture_and_tiles(folder):
    confirmed(folder, ALL_BETTER)
    page = page_of(folder)
    assert "evidence, 20 is needed" in page.words
    assert "Differences from the baseline" in page.words


def test_a_picture_of_few_pairs_has_no_infinite_bounds(folder):
    confirmed(folder, NONE_BETTER)
    frame = lrtune.load_run(folder).plot.forest.data()
    assert set(frame["verdict"]) == {"none"}
    assert np.isinf(frame["lower"]).all()
    lrtune.load_run(folder).plot.forest()
