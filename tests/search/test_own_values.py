"""A search of a model's own hyperparameters and of the batch size, from start to confirmation."""

from __future__ import annotations

import keras
import pytest

import lrtune
from lrtune.errors import ArgumentError, RunFolderError
from tests.runner import tiny

SIZES = [16, 8]
STEPS = {8: 5, 16: 3}  # of 40 points, by hand


def build(hp):
    hidden = keras.layers.Dense(hp.Choice("width", [4, 8], default=8))
    if hp.Boolean("deep"):
        with hp.conditional_scope("deep", [True]):
            hp.Int("depth", 1, 3)
    return keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(2, "softmax")])


def hypermodel(sizes=SIZES):
    return lrtune.ScheduleHyperModel(build, epochs=4, families=["time"], batch_size=sizes)


def search(folder, sizes=SIZES, **more):
    tuner = lrtune.Hyperband(
        hypermodel(sizes), objective="val_loss", max_epochs=4, factor=2, seed=5, workers=1,
        baseline_seeds=2, directory=folder, project_name="run", horizon="truncated", **more,
    )  # fmt: skip
    batch = {} if sizes else {"batch_size": 16}
    tuner.search(*tiny.points(), validation_data=tiny.points(20, seed=1), verbose=0, **batch)
    return lrtune.load_run(folder / "run")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    return search(folder, tries=["time lr0=0.1 batch_size=8 width=4"])


def assert_rates(run, trial_id, values):
    steps = STEPS[values["batch_size"]]
    rates = run.epochs(trial_id, lineage=True)["lr_last"].tolist()
    expected = [tiny.rate(values, epoch, steps - 1, steps) for epoch in range(len(rates))]
    assert rates == pytest.approx(expected, rel=1e-5)


def test_every_trial_and_its_promotions_follow_its_own_batch_size(run):
    assert set(run.ranking()["status"]) == {"completed"}
    outcomes = run.records.by_id
    assert {one.values["batch_size"] for one in outcomes.values()} == set(SIZES)
    assert any(one.parent for one in outcomes.values())
    for trial_id, outcome in outcomes.items():
        assert_rates(run, trial_id, outcome.values)
        if outcome.parent:
            assert outcome.recipe == outcomes[outcome.parent].recipe
    first = run.hyperparameters("0000")
    assert (first["batch_size"], first["width"], first["lr0"]) == (8, 4, 0.1)


def test_the_manifest_records_the_choice_and_no_single_size(run):
    assert (run.manifest.batch_size, run.manifest.batch_sizes) == (None, (16, 8))


def test_the_fixed_rates_have_the_defaults_and_the_tuned_one_its_own(run):
    arms = run.manifest.baseline_arms
    for arm in ("constant-0.1", "constant-0.01"):
        own = {name: arms[arm][name] for name in ("width", "deep", "batch_size")}
        assert own == {"width": 8, "deep": False, "batch_size": 16}
        assert "depth" not in arms[arm]  # exists only beside deep=True
    nested = lrtune.load_run(run.records.folder / "baseline" / "search")
    best = nested.hyperparameters(nested.best_trial_id)
    assert arms["constant-tuned"] == best


def test_the_same_search_is_resumed_and_one_with_other_sizes_refused(run):
    folder = run.records.folder.parent
    before = run.ranking()
    assert search(folder, tries=["time lr0=0.1 batch_size=8 width=4"]).ranking().equals(before)
    with pytest.raises(RunFolderError, match="another search: batch_size 16,8, now 16,32"):
        search(folder, [16, 32])


def test_every_arm_of_a_confirmation_trains_in_its_own_batches(run):
    data = {
        "test_data": tiny.points(20, seed=2),
        "design": "fixed",
        "seeds": 6,
        "verbose": 0,
        "workers": 1,
    }
    with pytest.raises(ArgumentError) as error:
        lrtune.confirm(run, *tiny.points(), hypermodel=hypermodel(None), **data)
    assert str(error.value) == (
        "hypermodel must be the search's, with batch_size=[16, 8]. Received: a hypermodel with "
        "batch_size=None."
    )
    found = lrtune.confirm(run, *tiny.points(), hypermodel=hypermodel(), top=1, **data)
    comparison = found.comparison()
    assert comparison["n"].tolist() == [6] * len(comparison)
    for arm in comparison["arm"]:
        values = found.records.confirmation.manifest.arms[arm]
        trial_id = f"confirm/{arm}/seed-{found.records.confirmation.manifest.seeds[0]}"
        if values["schedule"] == "time":
            assert_rates(found, trial_id, values)
        assert str(values["batch_size"]) in comparison.set_index("arm").loc[arm, "own"]
