"""Confirmations: what is refused, what is trained, and that equal arms are found equal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

import lrtune
from lrtune.cli import search
from lrtune.confirmation import plan as confirm_plan
from lrtune.confirmation.material import given_material
from lrtune.data import load
from lrtune.errors import ArgumentError, RunFolderError
from lrtune.model.hypermodel import CatsVsDogsHyperModel
from lrtune.records.reader import read_run
from lrtune.stats.comparison import compare
from lrtune.stats.samples import paired_samples
from tests.cli.command import called
from tests.cli.test_search import options_of
from tests.runner import tiny
from tests.runs import build_run

EPOCHS = 2
FIXED = {"design": "fixed", "seeds": 6, "workers": 1, "verbose": 0}


def run(*arguments):
    command = [sys.executable, "-m", "lrtune", "confirm", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def searched(tmp_path_factory, tiny_images):
    folder = tmp_path_factory.mktemp("searched") / "run"
    options = options_of(
        data=str(tiny_images),
        max_epochs=EPOCHS,
        max_trials=2,
        families="step,exponential",
        batch_size=16,
        workers=1,
        run_dir=folder,
    )
    search.search(options)
    return folder


@pytest.fixture(scope="module")
def confirmed(searched, tmp_path_factory):
    """One trial entered twice, and the constant rates."""
    folder = tmp_path_factory.mktemp("confirmed") / "run"
    shutil.copytree(searched, folder)
    lrtune.confirm(folder, arms=["0", "0"], design="fixed", seeds=6, workers=1, verbose=0)
    return folder


def epochs(folder, arm, seed):
    path = folder / "confirm" / arm / f"seed-{seed}" / "epochs.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_test_images_are_used_once_after_the_last_epoch(confirmed):
    manifest = read_run(confirmed).confirmation.manifest
    assert manifest.objective == "val_accuracy"
    for arm in manifest.arms:
        for seed in manifest.seeds:
            first, last = epochs(confirmed, arm, seed)
            assert not any(name.startswith("val_") for name in first)
            assert "val_accuracy" in last


def test_each_training_recorded_which_test_images_it_got_right(confirmed):
    records = read_run(confirmed)
    for arm in records.confirmation.outcomes.values():
        for outcome in arm:
            samples = records.samples(outcome.trial_id)
            assert samples.values.dtype == bool
            assert len(samples.values) == records.confirmation.manifest.data.sizes["test"]
            assert samples.mean == pytest.approx(outcome.score, abs=1e-6)
    same = paired_samples(records, "trial-0", "trial-0-2")
    assert same.one.tolist() == same.other.tolist()
    assert paired_samples(records, "trial-0", "constant-0.1").seeds == same.seeds
    assert len(same.seeds) == 6
    assert not list(confirmed.glob("trial_*/samples.json"))
    assert not list(confirmed.glob("baseline/**/samples.json"))


def test_arms_that_are_the_same_are_exactly_equal_and_there_is_no_verdict(confirmed):
    frame = lrtune.load_run(confirmed).comparison().set_index("arm")
    outcomes = read_run(confirmed).confirmation.outcomes
    one, other = ([seed.score for seed in outcomes[arm]] for arm in ("trial-0", "trial-0-2"))
    assert one == other
    assert frame.loc["trial-0", "mean"] == frame.loc["trial-0-2", "mean"]
    paired = {arm: dict(enumerate(scores)) for arm, scores in (("a", one), ("b", other))}
    (difference,) = compare(paired, "a", "max").differences
    assert (difference.mean, difference.lower, difference.upper, difference.p) == (0, 0, 0, 1)
    assert difference.verdict == "none"


def test_the_same_arm_with_other_seeds_has_no_verdict(confirmed, searched, tmp_path):
    shutil.copytree(searched, tmp_path / "run")
    lrtune.confirm(tmp_path / "run", arms=["0"], **FIXED | {"seeds": [1, 2, 3, 4, 5, 6]})
    one, other = (
        [outcome.score for outcome in read_run(path).confirmation.outcomes["trial-0"]]
        for path in (confirmed, tmp_path / "run")
    )
    scores = {"these": dict(enumerate(one)), "others": dict(enumerate(other))}
    (difference,) = compare(scores, "these", "max").differences
    assert difference.verdict == "none"


def test_a_training_equals_one_with_plain_keras_on_all_training_images(confirmed, tiny_images):
    confirmation = read_run(confirmed).confirmation
    data = load(str(tiny_images))
    x = np.concatenate([data.train.x, data.validation.x])
    y = np.concatenate([data.train.y, data.validation.y])
    assert confirmation.manifest.data.sizes == {"train": len(x), "test": len(data.test)}
    values = confirmation.manifest.arms["constant-0.1"]
    seed = confirmation.manifest.seeds[0]

    keras.utils.set_random_seed(seed)
    hypermodel = CatsVsDogsHyperModel(epochs=EPOCHS, input_shape=(8, 8, 3))
    hp = search_values(values)
    model = hypermodel.build(hp)
    import tensorflow as tf

    for epoch in range(EPOCHS):
        order = tf.random.experimental.stateless_shuffle(tf.range(len(x)), [seed, epoch]).numpy()
        batches = tf.data.Dataset.from_tensor_slices((x[order], y[order])).batch(16)
        hypermodel.fit(
            hp, model, batches, initial_epoch=epoch, epochs=epoch + 1, verbose=0, shuffle=False
        )
    told = model.evaluate(data.test.x, data.test.y, batch_size=16, verbose=0, return_dict=True)
    last = epochs(confirmed, "constant-0.1", seed)[-1]
    assert last["val_accuracy"] == pytest.approx(told["accuracy"], abs=1e-6)


def search_values(values):
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


def test_the_same_call_continues_a_confirmation_that_was_cut_off(confirmed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(confirmed, folder)
    seeds = read_run(folder).confirmation.manifest.seeds
    shutil.rmtree(folder / "confirm" / "constant-0.1" / f"seed-{seeds[2]}")
    (folder / "confirm" / "trial-0" / f"seed-{seeds[5]}" / "outcome.json").write_text("{")
    kept = folder / "confirm" / "trial-0" / f"seed-{seeds[0]}" / "outcome.json"
    before = kept.read_bytes()
    with pytest.warns(UserWarning, match="outcome.json cannot be read"):
        lrtune.confirm(folder, arms=["0", "0"], **FIXED)
    assert kept.read_bytes() == before
    one, other = (read_run(path).confirmation.outcomes for path in (confirmed, folder))
    for arm in one:
        assert [x.score for x in one[arm]] == [x.score for x in other[arm]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 7}, "other number of seeds: the folder has 6, you asked for 7"),
        ({"arms": ["0"]}, "other arms: the folder has trial-0, trial-0-2, "),
        (
            {"train_on": "train"},
            "to train on: the folder has train+validation, you asked for train",
        ),
        ({"seeds": [1, 2, 3, 4, 5, 6]}, "other seeds: the folder has ("),
    ],
)
def test_a_different_confirmation_in_the_same_run_is_an_error(confirmed, changes, message):
    asked = {"arms": ["0", "0"], **FIXED, **changes}
    with pytest.raises(RunFolderError) as error:
        lrtune.confirm(confirmed, **asked)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--design", "fixed", "--seeds", "5"],
            (
                "seeds must be at least 6: with fewer, no two-sided sign-flip test can reach .05, "
                "because the smallest p-value of n pairs is 2 / 2**n. Received: 5"
            ),
        ),
        (["--design", "both"], "design must be one of sequential, fixed. Received: design='both'"),
        (["--seeds", "8"], "seeds cannot be given to the sequential design, which takes max_seeds"),
        (["--max-seeds", "0"], "max_seeds must be an integer >= 1. Received: max_seeds=0"),
        (
            ["--max-seeds", "5", "--min-seeds", "6"],
            "min_seeds must be an integer from 1 to 5. Received: min_seeds=6",
        ),
        (
            ["--arm", "constant-0.1"],
            "--arm must name a trial: the constant rates are what it is compared with.",
        ),
        (["--top", "0"], "top must be at least 1. Received: 0"),
        (["--arm", "nine"], "--arm must be a trial of the run that did not fail, or an arm of its"),
        (
            ["--train-on", "test"],
            "train_on must be one of train+validation, train. Received: train_on='test'",
        ),
        (["--data", "synthetic"], "the images of synthetic are not those of the search: their f"),
        (["--data", "nowhere.npz"], "nowhere.npz: no such file"),
        (["--workers", "0"], "--workers must be an integer >= 1. Received: 0"),
        (["--trial-timeout", "0"], "--trial-timeout must be a finite number > 0. Received: 0"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(searched, arguments, message, capsys):
    ended = called(capsys, "confirm", searched, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("lrtune confirm: ")
    assert ended.stderr.count("\n") == 1
    assert message in ended.stderr
    assert not (searched / "confirm").exists()


def test_a_run_that_cannot_be_confirmed_gives_one_line(tmp_path):
    for folder, message in (
        (tmp_path / "none", "There is no folder"),
        (build_run.write_manifest(tmp_path / "empty"), "has no constant rate that was trained"),
    ):
        ended = run(folder)
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1
        assert message in ended.stderr


def test_from_the_command_line_cost_comes_first_and_the_comparison_last(searched, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(searched, folder)
    fixed = ("--design", "fixed", "--top", 1, "--seeds", 6)
    ended = called(capsys, "confirm", folder, *fixed, "--workers", 1)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0].startswith(
        "3 arms x 6 seeds x 2 epochs, trained on 60 images (train+validation): 36 epochs to train"
    )
    assert lines[1] == (
        "NOTE: with 6 seeds and 2 comparisons no verdict is possible, however large the "
        "difference: it takes 7 seeds."
    )
    assert "[18/18] confirm/" in ended.stdout
    assert "Confirmation with 6 fresh seeds" in ended.stdout.rpartition("[18/18]")[2]
    assert ended.stdout.splitlines()[-1].startswith(f"Open {folder}/report.html for the report ")
    assert "Differences from the baseline" in (folder / "report.html").read_text()
    quiet = called(capsys, "confirm", folder, *fixed, "--workers", 1, "--overwrite", "--quiet")
    assert quiet.stdout.splitlines()[0] == lines[1]
    again = called(capsys, "confirm", folder, *fixed)
    assert again.stdout.startswith(f"The confirmation in {folder} is finished;")
    assert not any(line.startswith("[") for line in again.stdout.splitlines())


# The plan, without training


def test_seeds_are_fresh_and_a_longer_row_begins_with_the_shorter():
    eight = confirm_plan.confirm_seeds(1, 8)
    assert confirm_plan.confirm_seeds(1, 20)[:8] == eight
    assert len({*eight, *confirm_plan.confirm_seeds(2, 8)}) == 16
    assert all(0 <= seed < 2**32 for seed in eight)
    assert not set(eight) & {1, 2, 3}, "the baseline's"


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([1, 2, 3, 4, 5], "seeds must be at least 6: with fewer, no two-sided sign-flip test"),
        ([1, 2, 3, 4, 5, 5], "seeds must differ from one another. Received twice: 5"),
        (
            [1, 2, 3, 4, 5, -1],
            "a seed must be an integer from 0 to 4294967295. Received: -1.",
        ),
        (
            [1, 2, 3, 4, 5, 0.5],
            "a seed must be an integer from 0 to 4294967295. Received: 0.5.",
        ),
    ],
)
def test_invalid_seeds_are_an_error(seeds, message):
    with pytest.raises(ArgumentError) as error:
        confirm_plan.check_seeds(seeds, 1)
    assert str(error.value).startswith(message)


def manifest_of(folder, **changes):
    return read_run(build_run.write_manifest(folder, **changes)).manifest


def test_the_data_of_a_script_are_used_unchanged(tmp_path):
    x, y = np.zeros((6, 4), "float32"), np.arange(6)
    manifest = manifest_of(tmp_path, batch_size=3)
    found = given_material(manifest, (x, y), (x[:2], y[:2]), {"class_weight": {0: 2.0}})
    assert found.fit_args[0] is x
    assert found.fit_kwargs == {"class_weight": {0: 2.0}, "batch_size": 3}
    assert found.record.sizes == {"train": 6, "test": 2}
    assert given_material(manifest, (x, y), (x, y), {"batch_size": 5}).fit_kwargs["batch_size"] == 5
    frames = pd.DataFrame(x), pd.Series(y)
    of_frames = given_material(manifest, frames, frames, {})
    assert of_frames.fit_kwargs["batch_size"] == manifest.batch_size
    assert of_frames.record.fingerprint


@pytest.mark.parametrize(
    ("test", "kwargs", "message"),
    [
        (None, {}, "test_data must be given with the training data: lrtune.confirm(run, x, y, "),
        (0, {}, "test_data must hold at least one sample. Received: none."),
        (2, {"epochs": 3}, "epochs cannot be given to a confirmation, which trains for the"),
        (2, {"validation_split": 0.5}, "validation_split cannot be given to a confirmation"),
    ],
)
def test_data_that_cannot_be_used_for_a_confirmation_are_an_error(tmp_path, test, kwargs, message):
    x, y = np.zeros((6, 4), "float32"), np.arange(6)
    data = None if test is None else (x[:test], y[:test])
    with pytest.raises(ArgumentError) as error:
        given_material(manifest_of(tmp_path), (x, y), data, kwargs)
    assert str(error.value).startswith(message)


def test_the_run_of_a_script_needs_its_data_and_hypermodel(tmp_path):
    data = {**build_run.MANIFEST["data"], "argument": None}
    folder = build_run.small_run(tmp_path / "run", data=data)
    with pytest.raises(ArgumentError, match=r"^the data must be given again, as the search got"):
        lrtune.confirm(folder)
    x, y = np.zeros((6, 8, 8, 3), "float32"), np.zeros(6, int)
    with pytest.raises(ArgumentError, match=r"^hypermodel must be given, as the search was run"):
        lrtune.confirm(folder, x, y, test_data=(x, y))


@pytest.fixture(scope="module")
def script_run(tmp_path_factory):
    """A search of a script: its hypermodel and its run folder."""
    folder = tmp_path_factory.mktemp("script")
    hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=2, families=["constant"])
    tuner = lrtune.RandomSearch(
        hypermodel, objective="val_accuracy", max_trials=1, directory=folder, project_name="run",
        seed=1, workers=1, baseline_seeds=1,
    )  # fmt: skip
    tuner.search(*tiny.points(), **tiny.fit_kwargs(), verbose=0)
    return hypermodel, folder / "run"


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // 8

    def __getitem__(self, index):
        return self.x[8 * index : 8 * index + 8], self.y[8 * index : 8 * index + 8]


def as_dataset(x, y):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)


def test_the_same_batches_as_a_dataset_and_as_a_pydataset_give_the_same_scores(
    script_run, tmp_path
):
    hypermodel, searched = script_run
    scores = {}
    for wrap in (as_dataset, Batches):
        folder = shutil.copytree(searched, tmp_path / wrap.__name__)
        lrtune.confirm(
            folder, wrap(*tiny.points()), test_data=wrap(*tiny.points(24, seed=2)),
            hypermodel=hypermodel, top=1, shuffle=False, **FIXED,
        )  # fmt: skip
        outcomes = read_run(folder).confirmation.outcomes
        scores[wrap] = {arm: [one.score for one in seeds] for arm, seeds in outcomes.items()}
        assert {one.status for seeds in outcomes.values() for one in seeds} == {"completed"}
    assert scores[as_dataset] == scores[Batches]


def test_class_weights_reach_the_training(script_run, tmp_path):
    hypermodel, searched = script_run
    x, y = tiny.points(200)
    x_test, y_test = tiny.points(50, seed=2)
    folder = shutil.copytree(searched, tmp_path / "run")
    lrtune.confirm(
        folder, x, y, test_data=(x_test, y_test), class_weight={0: 1.0, 1: 0.0}, batch_size=4,
        hypermodel=hypermodel, top=1, **FIXED,
    )  # fmt: skip
    scores = [one.score for one in read_run(folder).confirmation.outcomes["constant-0.1"]]
    # Class 1 weighs nothing, so that every model learns to say 0 and is right as often as that is.
    assert np.median(scores) == pytest.approx(float(np.mean(y_test == 0)), abs=0.1)
