"""What a short trial trains: the beginning of its schedule, or all of it in less time."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.run import load_run
from lrtune.schedules import Compressed, ExponentialDecay, ReduceOnPlateau
from lrtune.search.oracle import rung_of
from tests.cli.command import called
from tests.runner import tiny
from tests.search.fake_search import Schedules, Search, completed, diverged
from tests.search.killed import Killed, content

RESCALED = {"max_epochs": 9, "horizon": "rescaled"}
USUAL = {"horizon": None}


def manifest(folder):
    return json.loads((folder / "run.json").read_text())


def stops_after(number):
    """Trains so many tasks; then the process is gone."""
    ended = []

    def train(task):
        if len(ended) == number:
            raise Killed
        ended.append(task)
        return completed(task)

    return train


def begun(folder, tasks, **arguments):
    """The folder of a search that was killed after so many tasks."""
    with pytest.raises(Killed):
        Search(folder, stops_after(tasks), **arguments).run()
    return folder


def trained(search):
    """How many tasks began after so many epochs and ended after so many."""
    return Counter((task.first_epoch, task.last_epoch) for task in search.runner.tasks)


def test_hyperband_rescales_schedules_from_a_ninth_of_the_epochs(tmp_path):
    search = Search(tmp_path / "run", completed, max_epochs=27, **USUAL).run()

    # Brackets of 3, 2 and 1 rungs; each has 4 trials of 27 epochs, shared among its rungs: 1.33, 2
    # and 4, times 3 for every rung before, rounded up. 12 and 4 and 2, 6 and 2, 4.
    assert trained(search) == {(0, 3): 12, (0, 9): 4 + 6, (0, 27): 2 + 2 + 4}
    assert {name: manifest(search.folder)[name] for name in ("horizon", "min_epochs")} == {
        "horizon": "rescaled", "min_epochs": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("max_epochs", "least", "rungs"),
    [
        (1, 1, {1}),
        (3, 1, {1, 3}),
        (9, 1, {1, 3, 9}),
        (20, 2, {3, 7, 20}),  # 2.2, 6.7, rounded up
        (27, 3, {3, 9, 27}),
        (50, 6, {6, 17, 50}),  # 5.6, 16.7
        (100, 11, {12, 34, 100}),  # 11.1, 33.3
    ],
)
def test_the_usual_first_rung_is_a_ninth_of_the_epochs(max_epochs, least, rungs, tmp_path):
    tuner = Search(tmp_path / "run", completed, max_epochs=max_epochs, **USUAL).tuner
    assert tuner.min_epochs == least
    assert {rung.last for rung in tuner.rungs() if rung.trainings} == rungs


def test_truncated_rungs_are_keras_tuners(tmp_path):
    tuner = Search(tmp_path / "run", completed, max_epochs=50, horizon="truncated").tuner
    assert tuner.min_epochs == 1
    assert {rung.last for rung in tuner.rungs() if rung.trainings} == {2, 6, 17, 50}


def test_without_schedules_or_rungs_nothing_is_rescaled(tmp_path):
    numbers = Search(tmp_path / "numbers", completed, max_epochs=27).tuner
    full = lrtune.RandomSearch(Schedules(27), objective="val_loss", directory=tmp_path)
    for tuner in (numbers, full):
        assert (tuner.horizon, tuner.min_epochs) == ("truncated", 1)


@pytest.mark.parametrize(("asked", "least"), [({}, 3), ({"min_epochs": 2}, 2)])
def test_the_search_for_the_constant_rate_is_truncated_from_the_same_rung(asked, least, tmp_path):
    model = lrtune.ScheduleHyperModel(tiny.build, epochs=27)
    tuner = lrtune.Hyperband(
        model, objective="val_loss", max_epochs=27, directory=tmp_path, **asked
    )
    constants = tuner._constant_tuner
    assert (constants.horizon, constants.min_epochs) == ("truncated", least)


def test_a_search_that_was_begun_truncated_is_resumed_truncated(tmp_path):
    # As lrtune recorded it when this was the default, and before it knew of horizons.
    whole = Search(tmp_path / "whole", completed, max_epochs=27, horizon="truncated").run()
    for older in (False, True):
        folder = tmp_path / f"older {older}"
        begun(folder, 12, max_epochs=27, horizon="truncated")
        if older:
            left = {k: v for k, v in manifest(folder).items() if k not in ("horizon", "min_epochs")}
            (folder / "run.json").write_text(json.dumps(left))
        again = Search(folder, completed, max_epochs=27, **USUAL).run()

        assert len(again.runner.tasks) == len(whole.runner.tasks) - 12
        assert content(folder) == content(whole.folder)
        assert (manifest(folder)["horizon"], manifest(folder)["min_epochs"]) == ("truncated", 1)


def test_a_search_keeps_the_first_rung_that_it_was_begun_with(tmp_path):
    more = {"max_epochs": 27, "horizon": "rescaled"}
    folder = begun(tmp_path / "run", 30, min_epochs=1, **more)
    Search(folder, completed, **more).run()
    whole = Search(tmp_path / "whole", completed, min_epochs=1, **more).run()
    assert content(folder) == content(whole.folder)
    assert manifest(folder)["min_epochs"] == 1


def test_only_a_search_that_is_resumed_keeps_its_horizon(tmp_path):
    folder = begun(tmp_path / "run", 3, max_epochs=27, horizon="truncated")
    with pytest.raises(RunFolderError, match="horizon truncated, now rescaled"):
        Search(folder, completed, max_epochs=27, horizon="rescaled")
    anew = Search(folder, completed, max_epochs=27, overwrite=True, **USUAL).tuner
    assert (anew.horizon, anew.min_epochs) == ("rescaled", 3)


def test_other_epochs_are_named_before_the_rungs_that_follow_from_them(tmp_path):
    folder = begun(tmp_path / "run", 3, max_epochs=50, **USUAL)
    with pytest.raises(RunFolderError, match="another search: epochs 50, now 3"):
        Search(folder, completed, max_epochs=3, **USUAL)


def test_every_rung_of_a_rescaled_search_starts_again(tmp_path):
    search = Search(tmp_path / "run", completed, **RESCALED).run()

    epochs = Counter(last for _, last in trained(search).elements())
    assert {first for first, _ in trained(search)} == {0}
    assert all(task.parent_state is None for task in search.runner.tasks)
    assert epochs == {1: epochs[1], 3: epochs[3], 9: epochs[9]}
    assert sum(last * number for last, number in epochs.items()) == search.tuner.plan()[1]
    truncated = Search(tmp_path / "truncated", completed, max_epochs=9, horizon="truncated").run()
    assert len(search.runner.tasks) == len(truncated.runner.tasks)


def test_a_schedule_is_compressed_by_the_horizon_over_the_rungs_epochs(tmp_path):
    search = Search(tmp_path / "run", completed, **RESCALED).run()

    for task in search.runner.tasks:
        assert task.recipe.compression == 9 / task.last_epoch
        assert ("tuner/compression" in task.values) == (task.last_epoch < 9)


def test_a_promoted_trial_has_its_parents_values_and_seed(tmp_path):
    search = Search(tmp_path / "run", completed, **RESCALED).run()

    tasks = {task.trial_id: task for task in search.runner.tasks}
    promoted = [task for task in tasks.values() if "tuner/trial_id" in task.values]
    assert len(promoted) > 3
    for task in promoted:
        parent = tasks[task.values["tuner/trial_id"]]
        assert task.recipe.values == parent.recipe.values
        assert task.seed == parent.seed
        assert task.recipe.compression < parent.recipe.compression


def test_a_schedule_that_diverged_in_less_time_is_trained_if_it_is_promoted(tmp_path):
    search = Search(tmp_path / "run", diverged, **RESCALED).run()

    assert len(search.runner.tasks) == len(search.oracle.trials)


def test_no_state_is_kept_for_a_promotion(tmp_path):
    search = Search(tmp_path / "run", completed, keep_models=0, **RESCALED).run()

    assert search.states == set()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """3 trials of 1 epoch, 1 of them promoted to 3, and 2 trials of 3 epochs; really trained."""
    folder = tmp_path_factory.mktemp("rescaled")
    model = lrtune.ScheduleHyperModel(tiny.build, epochs=3, families=["linear", "exponential"])
    tuner = lrtune.Hyperband(
        model, objective="val_loss", max_epochs=3, directory=folder, project_name="run", seed=1,
        workers=1, baseline_seeds=0, horizon="rescaled",
    )  # fmt: skip
    tuner.search(*tiny.points(), **{**tiny.fit_kwargs(), "verbose": 0})
    return load_run(folder / "run")


def test_a_short_trial_really_goes_through_the_whole_schedule(run):
    short = [one for one in run.records.outcomes if one.epochs.planned == 1]
    assert len(short) == 3
    for one in short:
        values = one.values
        ends = run.epochs(one.trial_id).iloc[-1]
        step = (tiny.STEPS - 1) / tiny.STEPS * 3  # of the last step, in epochs of the horizon
        if values["schedule"] == "linear":
            low = values.get("linear.end", 0.0)
            last = values["lr0"] * (low + (1 - low) * (1 - step / 3))
        else:
            held = math.floor(step)
            last = values["lr0"] * math.exp(-values["exponential.k"] * held)
        assert ends["lr"] == pytest.approx(values["lr0"], rel=1e-6)
        assert ends["lr_last"] == pytest.approx(last, rel=1e-5)


def test_the_epochs_of_a_promoted_trial_are_its_own(run):
    promoted = [one for one in run.records.outcomes if one.parent is not None]
    assert promoted
    for one in promoted:
        own, line = (run.epochs(one.trial_id, lineage=flag) for flag in (False, True))
        assert own["epoch"].tolist() == line["epoch"].tolist() == [1, 2, 3]


def test_what_is_trained_again_is_counted_again(run):
    # 3 of 1 epoch, 1 and 2 of 3 epochs.
    assert run.cost()["epochs"].max() == 3 * 1 + 3 * 3


def test_the_report_says_that_short_trials_are_rescaled(run):
    from lrtune.report.build import build_report

    first, second, _ = build_report(run.records).header
    assert first == "hyperband search of 3 epochs for val_loss (lower is better)"
    assert second == "6 trials (short ones rescaled): 6 completed"


def test_a_search_with_another_horizon_is_another_search(tmp_path):
    Search(tmp_path / "run", completed, **RESCALED).run()

    with pytest.raises(RunFolderError, match="horizon rescaled, now truncated"):
        Search(tmp_path / "run", completed, max_epochs=9, horizon="truncated")


def test_the_first_rung_has_as_many_epochs_as_asked_for(tmp_path):
    search = Search(tmp_path / "run", completed, max_epochs=9, min_epochs=2).run()

    # 9 / 3 = 3 and 3 / 3 = 1 < 2: two brackets, 3 -> 9 and 9. Keras Tuner gives each of its three
    # brackets 3 trials of 9 epochs, shared among its rungs: 4.5, 1.5 and 3, rounded up.
    assert trained(search) == {(0, 3): 5, (3, 9): 2, (0, 9): 3}
    assert all(rung_of(task.values, 9)[1] in (3, 9) for task in search.runner.tasks)


@pytest.mark.parametrize(("least", "first"), [(2, 2), (3, 6), (6, 6), (7, 17), (18, 50)])
def test_rungs_are_compared_as_they_are_trained(least, first, tmp_path):
    # Of 50 epochs 50 / 3 = 16.7, 50 / 9 = 5.6 and 50 / 27 = 1.9 are trained as 17, 6 and 2.
    search = Search(tmp_path / "run", completed, max_epochs=50, min_epochs=least)
    assert min(rung.last for rung in search.tuner.rungs() if rung.trainings) == first


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: Search(d, completed, min_epochs=3), "min_epochs goes with Hyperband"),
        (
            lambda d: Search(d, completed, max_epochs=9, min_epochs=10),
            "min_epochs must be at most max_epochs, 9. Received: min_epochs=10.",
        ),
        (
            lambda d: Search(d, completed, max_epochs=9, min_epochs=0),
            "min_epochs must be an integer >= 1. Received: min_epochs=0.",
        ),
        (
            lambda d: Search(d, completed, max_epochs=9, horizon="short"),
            "horizon must be one of truncated, rescaled. Received: horizon='short'.",
        ),
        (
            lambda d: Search(d, completed, horizon="rescaled"),
            "horizon can be 'rescaled' for a ScheduleHyperModel only",
        ),
    ],
)
def test_wrong_arguments_are_refused(make, message, tmp_path):
    with pytest.raises(ArgumentError) as error:
        make(tmp_path / "run")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--horizon", "short"], "--horizon must be one of truncated, rescaled. Received: short"),
        (
            ["--algo", "random", "--horizon", "rescaled"],
            "--horizon goes with --algo hyperband only",
        ),
        (["--algo", "bayesian", "--min-epochs", "2"], "--min-epochs goes with --algo hyperband"),
        (
            ["--max-epochs", "9", "--min-epochs", "10"],
            "--min-epochs must be an integer from 1 to 9",
        ),
    ],
)
def test_wrong_options_end_with_2(options, message, capsys):
    ended = called(capsys, "search", *options)
    assert ended.returncode == 2
    assert message in " ".join(ended.stderr.split())


def test_a_command_finds_its_search_that_was_begun_truncated(tmp_path, tiny_images, capsys):
    command = (
        "search", "--max-epochs", 3, "--data", tiny_images, "--objective", "val_loss",
        "--batch-size", 16, "--baseline-budget", 0, "--in-process", "--run-dir", tmp_path / "run",
    )  # fmt: skip
    assert called(capsys, *command, "--horizon", "truncated").returncode == 0
    again = called(capsys, *command)
    assert again.returncode == 0, again.stderr
    assert "is finished; --overwrite starts a new one." in again.stdout
    other = called(capsys, *command, "--horizon", "rescaled")
    assert other.returncode == 2
    assert "--horizon truncated, now rescaled" in " ".join(other.stderr.split())


@pytest.mark.parametrize(("factor", "epochs"), [(3.0, 9), (27 / 17, 17), (9.0, 3), (1.0, 27)])
def test_no_rate_comes_a_step_late(factor, epochs):
    then = ExponentialDecay(0.1, 0.2)  # held over each epoch of 27
    table = Compressed(then, factor).table(epochs, 54)
    # Integer arithmetic: step s of `epochs` * 54 is at epoch 27 s / (54 epochs) of 27.
    held = [27 * step // (54 * epochs) for step in range(54 * epochs)]
    assert table == pytest.approx([0.1 * math.exp(-0.2 * one) for one in held], rel=1e-6)


def test_a_plateau_waits_for_the_same_share_of_the_training():
    then = ReduceOnPlateau(0.1, factor=0.5, patience=6)
    fast = Compressed(then, 3.0)
    assert [fast.feedback([1.0] * epochs) for epochs in range(6)] == [1, 1, 1, 0.5, 0.5, 0.25]
    assert fast.feedback(np.linspace(9, 1, 9).tolist()) == 1


def test_a_compressed_schedule_is_saved_and_restored():
    schedule = Compressed(ExponentialDecay(0.1, 0.2), 3)
    config = json.loads(json.dumps(schedule.get_config()))
    assert lrtune.schedules.Schedule.from_config(config) == schedule
    with pytest.raises(ArgumentError, match="then must be a schedule"):
        Compressed(3, 3)
