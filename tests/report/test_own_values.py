"""The user's own hyperparameters and the batch size, wherever a run is reported."""

from __future__ import annotations

import dataclasses

import pytest

import lrtune
from lrtune.records.reader import read_run
from lrtune.report.build import build_report, build_sections
from lrtune.report.code import code_for
from lrtune.report.page import render_page
from lrtune.report.page_settings import list_settings
from lrtune.report.recipes import whole_recipes
from lrtune.schedules.recipe import Recipe
from tests.runs import build_run

WINNER = {**build_run.EXPONENTIAL, "width": 48, "dropout": 0.2, "batch_size": 32}
TUNED = {**build_run.TUNED, "width": 32, "dropout": 0.2, "batch_size": 64}
MANIFEST = {"batch_size": None, "batch_sizes": (32, 64, 128)}
WHOLE = "The comparison is of whole recipes, not of schedules alone: "
DIFFERENT = "has width=48, batch_size=32, constant-tuned width=32, batch_size=64."


def searched(folder, tuned=TUNED):
    """A run whose winner has other own values than the tuned constant rate."""
    arms = {**build_run.ARMS, "constant-tuned": tuned}
    build_run.write_manifest(folder, baseline_budget=0.5, baseline_arms=arms, **MANIFEST)
    build_run.write_baseline(folder, {"constant-tuned": (0.695, 0.692, 0.698)})
    build_run.write_trial(folder, "1", 0.712, values=WINNER)
    build_run.write_trial(folder, "0", 0.705, values={**build_run.STEP, "batch_size": 64})
    return folder


def confirmed(folder, scores=build_run.CONFIRMED):
    arms = {**build_run.CONFIRM["arms"], "trial-1": WINNER, "constant-tuned": TUNED}
    build_run.write_confirmation(searched(folder), scores, arms=arms, batch_size=None)
    return folder


def test_own_values_are_a_column_of_every_table(tmp_path):
    run = lrtune.load_run(confirmed(tmp_path))
    own = "width=48, dropout=0.2, batch_size=32"
    assert run.ranking()["own"].tolist() == [own, "batch_size=64"]
    assert run.baseline()["own"].tolist() == ["width=32, dropout=0.2, batch_size=64"]
    assert run.comparison()["own"].tolist()[0] == own
    assert run.comparison()["trial_id"].tolist()[:2] == ["1", "0"]
    assert own in run._repr_html_()
    assert run.hyperparameters("1") == WINNER
    # What the optimizer takes, and nothing else: `SGD(schedule, **run.settings(name))`.
    assert run.settings("1") == {"momentum": 0.83}


def test_terminal_and_page_have_a_column_only_where_something_is_searched(tmp_path):
    report = build_report(read_run(searched(tmp_path / "a")))
    columns = {one.name: one for one in build_sections(report)["trials"].columns}
    assert columns["own values"].cells == ("width=48, dropout=0.2, batch_size=32", "batch_size=64")
    assert columns["own values"].optional
    assert ">width=48, dropout=0.2, batch_size=32</td>" in render_page(report.records)

    plain = build_report(read_run(build_run.small_run(tmp_path / "b")))
    assert "own values" not in [one.name for one in build_sections(plain)["trials"].columns]


def test_the_verdict_says_that_whole_recipes_are_compared(tmp_path):
    report = build_report(read_run(searched(tmp_path)))
    assert report.answer.use.startswith(
        "Use exponential(lr0=0.12, k=0.08) with momentum 0.83, width=48, dropout=0.2, "
        "batch_size=32, but confirm it: "
    )
    assert report.answer.caveats == f"{WHOLE}the best trial {DIFFERENT}"
    assert report.usage[-1] == (
        "# with width=48, dropout=0.2, batch_size=32, see choice.hyperparameters"
    )
    assert report.answer.choice.hyperparameters == {"width": 48, "dropout": 0.2, "batch_size": 32}


def test_equal_own_values_need_no_such_sentence(tmp_path):
    same = {**TUNED, "width": 48, "batch_size": 32}
    assert WHOLE not in build_report(read_run(searched(tmp_path, same))).verdict


def test_every_arm_of_the_baseline_shows_its_own_values(tmp_path):
    fixed = {**build_run.ARMS["constant-0.1"], "width": 16}
    tuned = {**TUNED, "width": 8}
    folder = searched(tmp_path)
    arms = {"constant-tuned": tuned, "constant-0.1": fixed}
    build_run.write_manifest(folder, baseline_budget=0.5, baseline_arms=arms, **MANIFEST)
    build_run.write_baseline(folder, {"constant-0.1": (0.68, 0.67, 0.66)})
    arms = dict(build_sections(build_report(read_run(folder)))["baseline"].pairs)
    assert arms["constant-tuned"].endswith("momentum=0.91, width=8, dropout=0.2, batch_size=64")
    assert arms["constant-0.1"].endswith("over 3 seeds, width=16")


def test_a_confirmation_says_that_whole_recipes_are_compared(tmp_path):
    report = build_report(read_run(confirmed(tmp_path)))
    section = build_sections(report)["confirmation"]
    assert section.notes[0] == (
        f"{WHOLE}trial-1 has width=48, batch_size=32, trial-0 has no width, no dropout, no "
        "batch_size, constant-tuned width=32, batch_size=64, dropout=0.2."
    )
    assert f"{WHOLE}trial-1 {DIFFERENT}" in report.verdict
    arms = dict(section.pairs)
    assert "width=48, dropout=0.2, batch_size=32: " in arms["trial-1"]
    assert "width=32, dropout=0.2, batch_size=64: the baseline" in arms["constant-tuned"]


def test_without_a_confirmed_arm_it_is_said_of_the_best_schedule(tmp_path):
    scores = {**build_run.CONFIRMED, "trial-0": build_run.CONFIRMED["constant-0.1"]}
    scores["trial-1"] = build_run.CONFIRMED["constant-tuned"]
    report = build_report(read_run(confirmed(tmp_path, scores)))
    assert report.answer.why.startswith("No schedule was shown to beat it: with 8 fresh seeds, ")
    assert report.answer.caveats == f"{WHOLE}trial-1 {DIFFERENT}"


@pytest.mark.parametrize(
    ("own", "others", "sentence"),
    [
        ({"width": 4}, {"width": 4}, ""),
        ({}, {}, ""),
        ({"depth": 2, "width": 4}, {"width": 4}, f"{WHOLE}it has depth=2, the rate no depth."),
        # Another family's parameter has no effect.
        ({"time.k": 1.0}, {}, ""),
    ],
)
def test_only_own_values_that_differ_are_named(own, others, sentence):
    one, other = (Recipe.from_values({**build_run.STEP, **more}) for more in (own, others))
    assert whole_recipes({"it": one}, "the rate", other) == sentence


@pytest.mark.parametrize(("batch", "steps"), [(32, 282), (64, 141), (128, 71)])
@pytest.mark.parametrize("style", ["keras", "lrtune"])
def test_the_code_has_the_trials_own_batch_size_and_steps(tmp_path, batch, steps, style):
    manifest = read_run(searched(tmp_path)).manifest  # of 9,000 images
    recipe = Recipe.from_values({**build_run.TIME, "width": 48, "act": "relu", "batch_size": batch})
    lines = code_for(recipe, manifest, style).splitlines()
    assert f"steps_per_epoch = {steps}  # 9,000 images in batches of {batch}" in lines
    assert f"# model.fit(..., batch_size={batch}, epochs=50)" in lines
    assert lines[-1] == "# The model's own hyperparameters: width=48, act='relu'"


def test_a_models_own_batch_size_is_not_taken_for_lrtunes(tmp_path):
    manifest = dataclasses.replace(read_run(searched(tmp_path)).manifest, batch_sizes=())
    recipe = Recipe.from_values({**build_run.TIME, "batch_size": 5})
    code = code_for(recipe, dataclasses.replace(manifest, batch_size=64))
    assert "images in batches of 64" in code
    assert code.endswith("# The model's own hyperparameters: batch_size=5")


def test_the_settings_on_the_page_say_which_batch_sizes_were_searched(tmp_path):
    settings = dict(list_settings(read_run(searched(tmp_path)).manifest)["Search"])
    assert settings["batch size"] == "32, 64, 128 (searched)"
