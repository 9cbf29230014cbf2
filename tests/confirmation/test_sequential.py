"""The sequential confirmation: a choice on validation data, then pairs up to the answer."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

import lrtune
from lrtune.display.observer import Observer
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.ids import parse_id
from lrtune.records.reader import read_run
from lrtune.stats.confirmation import measure_confirmation
from tests.runner import tiny
from tests.runs import build_run

EPOCHS = 2
X, Y = tiny.points(120)
VALIDATION, TEST = tiny.points(60, seed=1), tiny.points(60, seed=2)


def hypermodel():
    return lrtune.ScheduleHyperModel(tiny.build, epochs=EPOCHS)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    tuner = lrtune.RandomSearch(
        hypermodel(), objective="val_accuracy", max_trials=4, directory=folder,
        project_name="run", seed=1, workers=1,
    )  # fmt: skip
    tuner.search(X, Y, validation_data=VALIDATION, batch_size=16, verbose=0)
    return folder / "run"


def confirm(folder, **changes):
    settings = {
        "validation_data": VALIDATION, "test_data": TEST, "hypermodel": hypermodel(),
        "workers": 1, "verbose": 0, **changes,
    }  # fmt: skip
    return lrtune.confirm(folder, X, Y, **settings)


@pytest.fixture(scope="module")
def confirmed(searched, tmp_path_factory):
    folder = tmp_path_factory.mktemp("confirmed") / "run"
    shutil.copytree(searched, folder)
    confirm(folder)
    return folder


def scores(outcomes):
    """Arm -> seed -> score."""
    return {
        arm: {parse_id(one.trial_id).seed: one.score for one in of_arm}
        for arm, of_arm in outcomes.items()
    }


def test_three_candidates_race_on_the_validation_data_and_the_best_mean_is_tested(confirmed):
    confirmation = read_run(confirmed).confirmation
    found = scores(confirmation.choice)
    assert sorted(map(len, found.values())) == [2, 3, 3]  # eight trainings
    finals = {arm: np.mean(list(seeds.values())) for arm, seeds in found.items() if len(seeds) == 3}
    assert confirmation.manifest.tested == max(finals, key=finals.get)
    left = next(arm for arm in found if arm not in finals)
    first_two = confirmation.manifest.choice_seeds[:2]
    means = {arm: np.mean([seeds[one] for one in first_two]) for arm, seeds in found.items()}
    assert means[left] == min(means.values())


def test_the_choice_never_sees_the_test_data_nor_the_seeds_of_the_test(confirmed):
    records = read_run(confirmed)
    manifest = records.confirmation.manifest
    used = {one.seed for one in records.by_id.values()}
    assert not used & {*manifest.seeds, *manifest.choice_seeds}
    assert not set(manifest.seeds) & set(manifest.choice_seeds)
    # Candidates are scored by accuracies of the 60 validation points, each measured once.
    (first, *_), *_ = records.confirmation.choice.values()
    rows = records.epochs(first.trial_id)
    assert [("val_accuracy" in row) for row in rows] == [False, True]


def test_a_candidates_training_equals_the_searchs_with_the_same_seed(confirmed, tmp_path):
    from lrtune.records.task import TrainingJob
    from lrtune.runner.inprocess import InProcessRunner
    from lrtune.schedules.recipe import Recipe
    from tests.tasks import task_of

    records = read_run(confirmed)
    arm, outcomes = next(iter(records.confirmation.choice.items()))
    values = dict(records.confirmation.manifest.arms[arm])
    kwargs = {"validation_data": VALIDATION, "batch_size": 16}
    job = TrainingJob(hypermodel(), (X, Y), kwargs)
    with InProcessRunner(job) as runner:
        runner.submit(task_of("0", values, outcomes[0].seed, 0, EPOCHS))
        (alone,) = runner.wait(lambda *_: None)
    assert Recipe.from_values(values) == outcomes[0].recipe
    assert alone.epochs[-1]["val_accuracy"] == outcomes[0].score


def test_the_evidence_is_the_product_over_pairs_in_the_order_of_seeds(confirmed):
    records = read_run(confirmed)
    manifest = records.confirmation.manifest
    found = scores(records.confirmation.outcomes)
    tested, baseline = found[manifest.tested], found[manifest.baseline]
    assert set(found) == {manifest.tested, manifest.baseline}
    measured = measure_confirmation(records)
    d = [tested[seed] - baseline[seed] for seed in manifest.seeds[: measured.evidence.n]]
    assert measured.evidence.differences == pytest.approx(d)
    assert measured.evidence.reason
    assert manifest.finished
    reference = np.array([one.score for one in records.baseline[manifest.baseline]])
    assert manifest.scale == pytest.approx(math.sqrt(2) * reference.std(ddof=1) or 0.003)
    # In one process nothing is trained beyond the answer.
    assert [len(seeds) for seeds in found.values()] == [measured.evidence.n] * 2


class StopAfter(Observer):
    """Ctrl-C after some trainings."""

    def __init__(self, trainings):
        self.left = trainings

    def trial_ended(self, outcome):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.parametrize("trainings", [1, 5, 8, 9, 10, 12])
def test_a_confirmation_that_was_stopped_anywhere_ends_as_an_undisturbed_one(
    searched, confirmed, tmp_path, trainings
):
    folder = shutil.copytree(searched, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        confirm(folder, observer=StopAfter(trainings))
    assert len(read_run(folder).confirmation.all) == trainings
    confirm(folder)
    one, other = read_run(confirmed).confirmation, read_run(folder).confirmation
    assert scores(other.choice) == scores(one.choice)
    assert scores(other.outcomes) == scores(one.outcomes)
    assert other.manifest.tested == one.manifest.tested


def test_with_two_workers_the_answer_is_the_same(searched, confirmed, tmp_path):
    folder = shutil.copytree(searched, tmp_path / "run")
    confirm(folder, workers=2)
    one, other = (measure_confirmation(read_run(run)) for run in (confirmed, folder))
    assert other.evidence == one.evidence
    assert other.scores == one.scores


def test_a_larger_min_seeds_goes_on_where_the_test_gave_up(confirmed, tmp_path):
    folder = shutil.copytree(confirmed, tmp_path / "run")
    before = measure_confirmation(read_run(folder))
    assert before.evidence.verdict == "not shown"
    more = before.evidence.n + 3
    confirm(folder, min_seeds=more)
    after = measure_confirmation(read_run(folder))
    assert after.evidence.n >= more
    assert after.evidence.differences[: before.evidence.n] == before.evidence.differences
    assert after.manifest.seeds == before.manifest.seeds
    assert after.manifest.min_seeds == more
    confirm(folder)  # the plain command goes on as before: there is nothing to do
    assert measure_confirmation(read_run(folder)) == after


def test_the_seeds_after_an_overwrite_are_new_ones(confirmed, tmp_path):
    folder = shutil.copytree(confirmed, tmp_path / "run")
    before = read_run(folder).confirmation.manifest
    seen = {*before.seeds, *before.choice_seeds}
    for attempt in (1, 2):
        confirm(folder, overwrite=True, max_seeds=4)
        now = read_run(folder).confirmation.manifest
        assert now.attempt == attempt
        assert not seen & {*now.seeds, *now.choice_seeds}
        seen |= {*now.seeds, *now.choice_seeds}


def test_a_named_trial_is_tested_without_a_choice(searched, tmp_path):
    folder = shutil.copytree(searched, tmp_path / "run")
    confirm(folder, arms=["2"], max_seeds=4)
    confirmation = read_run(folder).confirmation
    assert confirmation.manifest.tested == "trial-2"
    assert not (folder / "choice").exists()
    assert confirmation.choice == {}


def test_without_validation_data_the_best_of_the_search_is_tested(searched, tmp_path):
    folder = shutil.copytree(searched, tmp_path / "run")
    confirm(folder, validation_data=None, max_seeds=4)
    confirmation = read_run(folder).confirmation
    assert (
        confirmation.manifest.trials[confirmation.manifest.tested]
        == (lrtune.load_run(folder).ranking()["trial_id"].iloc[0])
    )
    assert confirmation.manifest.data.sizes == {"train": 120, "test": 60}


@pytest.mark.parametrize(("train_on", "trained"), [("train+validation", 180), ("train", 120)])
def test_the_test_trains_on_the_validation_data_too(searched, tmp_path, train_on, trained):
    folder = shutil.copytree(searched, tmp_path / "run")
    confirm(folder, train_on=train_on, max_seeds=1, min_seeds=1)
    manifest = read_run(folder).confirmation.manifest
    assert manifest.train_on == train_on
    assert manifest.data.sizes == {"train": trained, "test": 60}


def test_a_confirmation_of_another_design_in_the_folder_is_refused(confirmed):
    with pytest.raises(RunFolderError, match="other design: the folder has sequential, you asked"):
        confirm(confirmed, design="fixed")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"seeds": 8},
            (
                "seeds cannot be given to the sequential design, which takes max_seeds and "
                "min_seeds. Received: seeds=8."
            ),
        ),
        (
            {"design": "fixed", "max_seeds": 8},
            (
                "max_seeds cannot be given to the fixed design, which takes seeds. Received: "
                "max_seeds=8."
            ),
        ),
        ({"max_seeds": 0}, "max_seeds must be an integer >= 1. Received: max_seeds=0."),
        (
            {"max_seeds": 8, "min_seeds": 9},
            "min_seeds must be an integer from 1 to 8. Received: min_seeds=9.",
        ),
    ],
)
def test_seeds_that_do_not_fit_the_design_are_refused(searched, asked, message):
    with pytest.raises(ArgumentError) as refused:
        confirm(searched, **asked)
    assert str(refused.value) == message


# Recorded runs


def evidence_of(folder, pairs, **changes):
    build_run.write_sequential(folder, pairs, **changes)
    return measure_confirmation(read_run(folder))


def by_hand(differences, scale):
    """The product as the issue defines it, for differences without outliers."""
    e, squares = 1.0, 3 * scale**2
    for i, d in enumerate(differences, 1):
        e *= 1 + 0.9 * math.tanh(d / math.sqrt(squares / (i + 2)))
        squares += d**2
    return e


@pytest.fixture
def folder(tmp_path):
    return build_run.tuned_run(tmp_path / "run")


def test_pairs_behind_one_that_is_still_trained_do_not_count(folder):
    found = evidence_of(folder, [(0.7, 0.69), (0.71, None), (0.72, 0.69)])
    assert found.evidence.differences == pytest.approx([0.01])
    assert found.evidence.e == pytest.approx(by_hand([0.01], 0.005))
    assert found.evidence.verdict == "undecided"
    assert found.ended == 5


def test_what_was_trained_beyond_the_answer_does_not_count(folder):
    found = evidence_of(folder, [(0.71, 0.69)] * 9)
    assert found.evidence.verdict == "better"
    assert found.evidence.n < 9
    (difference,) = found.comparison.differences
    assert (difference.verdict, difference.n) == ("better", found.evidence.n)
    assert difference.lower > 0
    assert difference.evidence == found.evidence.e >= 20
    assert math.isnan(difference.p)


def test_a_failed_training_leaves_its_pair_out_and_one_pair_fewer_may_follow(folder):
    build_run.write_sequential(folder, [(0.7, 0.69), (None, 0.69), (0.71, 0.69)], seeds=[1, 2, 3])
    build_run.write_trial(folder, "confirm/trial-1/seed-2", None, status="failed", rows=0)
    found = measure_confirmation(read_run(folder))
    assert found.evidence.differences == pytest.approx([0.01, 0.02])
    assert found.evidence.reason == "all seeds"
    assert found.failed["trial-1"] == 1


def test_a_diverged_seed_counts_with_its_score_and_as_collapsed(folder):
    build_run.write_sequential(folder, [(0.7, 0.69), (None, 0.69)])
    build_run.write_trial(folder, "confirm/trial-1/seed-22", 0.5, status="diverged", rows=0)
    found = measure_confirmation(read_run(folder))
    assert found.evidence.differences == pytest.approx([0.01, -0.19])
    assert found.collapsed == {"trial-1": 1, "constant-tuned": 0}


def test_while_it_chooses_there_is_no_comparison_yet(folder):
    build_run.write_sequential(folder, [], [(0.7, 0.69)], tested=None, finished=None)
    assert measure_confirmation(read_run(folder)) is None
    with pytest.raises(RunFolderError, match="has no comparison yet"):
        lrtune.load_run(folder).comparison()


def test_the_choice_is_part_of_the_cost(folder):
    build_run.write_sequential(folder, [(0.7, 0.69)], [(0.7, 0.69)] * 3)
    cost = lrtune.load_run(folder).cost().set_index("of")
    assert cost.loc["confirm", "trials"] == 8
    assert cost.loc["confirm", "epochs"] == 8 * 50
