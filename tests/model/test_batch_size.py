"""The batch size as a hyperparameter: where it is given, what is refused, what stock tuners do."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

import lrtune
from lrtune.errors import ArgumentError
from lrtune.model.hypermodel import ScheduleHyperModel
from tests.model.test_hypermodel import Rates, by_hand
from tests.runner import tiny

NO_LIST = (
    "batch_size must be a list of ints >= 1 to search among, at least one; a batch size that is "
    "not searched is an argument of search, as of fit."
)
STEPS = {8: 5, 16: 3, 40: 1}  # of 40 points, by hand


def hypermodel(build=tiny.build, **more):
    more = {"epochs": 2, "families": ["time"], "batch_size": [16, 8, 40], **more}
    return ScheduleHyperModel(build, **more)


def tuner(folder, kind=lrtune.RandomSearch, model=None, **more):
    return kind(
        model or hypermodel(), objective="val_loss", max_trials=4, seed=3, directory=folder, **more
    )


def refused(call, *args, **kwargs):
    with pytest.raises(ArgumentError) as error:
        call(*args, **kwargs)
    return str(error.value)


def test_a_searched_batch_size_is_an_ordered_choice_with_the_first_as_default(tmp_path):
    space = {hp.name: hp for hp in tuner(tmp_path).oracle.get_space().space}
    assert space["batch_size"].values == [8, 16, 40]
    assert space["batch_size"].ordered
    assert space["batch_size"].default == 16


def test_without_a_list_there_is_no_such_hyperparameter(tmp_path):
    found = tuner(tmp_path, model=hypermodel(batch_size=None)).oracle.get_space().space
    assert "batch_size" not in [hp.name for hp in found]


def test_in_a_stock_tuner_every_update_has_the_rate_of_the_trials_own_steps(tmp_path):
    trainings, stock = [], tuner(tmp_path, keras_tuner.RandomSearch)
    x, y = tiny.points()
    callbacks = [Rates(trainings)]
    stock.search(x, y, validation_data=tiny.points(20, seed=1), verbose=0, callbacks=callbacks)
    tried = [stock.oracle.get_trial(one).hyperparameters.values for one in stock.oracle.start_order]
    sizes = [values["batch_size"] for values in tried]
    assert len(set(sizes)) > 1
    for values, size, rates in zip(tried, sizes, trainings, strict=True):
        assert rates == by_hand(values, 0, 2, STEPS[size])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (64, f"{NO_LIST} Received: batch_size=64."),
        ([], f"{NO_LIST} Received: batch_size=[]."),
        ([32, 0], "batch_size[1] must be an integer >= 1. Received: batch_size[1]=0."),
        ([32.0], "batch_size[0] must be an integer >= 1. Received: batch_size[0]=32.0."),
    ],
)
def test_what_is_no_list_of_batch_sizes_is_refused(asked, message):
    assert refused(hypermodel, batch_size=asked) == message


def test_a_number_of_steps_does_not_go_with_several_batch_sizes():
    assert refused(hypermodel, steps_per_epoch=3) == (
        "steps_per_epoch must be left out where batch_size is searched, as each batch size has its "
        "own. Received: steps_per_epoch=3, batch_size=[16, 8, 40]."
    )


def own_batch_size(hp):
    hp.Int("batch_size", 1, 9)
    return tiny.build(hp)


def test_a_models_own_batch_size_conflicts_only_with_a_searched_one(tmp_path):
    model = hypermodel(own_batch_size)
    assert refused(tuner, tmp_path / "a", model=model) == (
        "build_model must give its hyperparameter 'batch_size' another name: this one is lrtune's."
    )
    theirs = tuner(tmp_path / "b", model=hypermodel(own_batch_size, batch_size=None))
    found = {hp.name: hp for hp in theirs.oracle.get_space().space}
    assert found["batch_size"].max_value == 9


def test_search_refuses_a_list_and_says_where_it_goes(tmp_path):
    for model in (hypermodel(), hypermodel(batch_size=None)):
        message = refused(tuner(tmp_path, model=model).search, *tiny.points(), batch_size=[8, 16])
        assert message == (
            "batch_size must be an int here; to search it, give the list to the hypermodel: "
            "ScheduleHyperModel(..., batch_size=[8, 16]). Received: batch_size=[8, 16]."
        )


def test_search_refuses_another_batch_size_than_those_that_are_searched(tmp_path):
    x, y = tiny.points()
    for args, kwargs in [((x, y), {"batch_size": 32}), ((x, y, 32), {})]:
        assert refused(tuner(tmp_path).search, *args, **kwargs) == (
            "batch_size must be left out here, as the hypermodel searches it among 16, 8, 40. "
            "Received: batch_size=32."
        )


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return tiny.points()


@pytest.mark.parametrize("kind", [lrtune.RandomSearch, keras_tuner.RandomSearch])
@pytest.mark.parametrize("data", [tf.data.Dataset.from_tensors(tiny.points()), Batches()], ids=type)
def test_data_that_come_in_batches_are_refused(tmp_path, kind, data):
    message = (
        f"batch_size can be searched for arrays only (here among 16, 8, 40): a "
        f"{type(data).__name__} comes in batches already. Give arrays, or leave out the "
        "hypermodel's batch_size."
    )
    with pytest.raises((ArgumentError, RuntimeError)) as error:
        tuner(tmp_path, kind).search(data, verbose=0)
    assert message in str(error.value)


class OwnFit(ScheduleHyperModel):
    """It batches as it likes."""

    def fit(self, hp, model, x, y, **kwargs):
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(hp.get("batch_size"))
        more = {**kwargs, "batch_size": None, "shuffle": False}
        return super().fit(hp, model, data, **more)


def test_a_fit_of_the_users_own_may_batch_by_itself(tmp_path):
    model = OwnFit(tiny.build, epochs=2, families=["time"], batch_size=[8, 16])
    one = tuner(tmp_path, model=model, workers=1, baseline_seeds=0)
    one.search(*tiny.points(), validation_data=tiny.points(20, seed=1), verbose=0)
    run = lrtune.load_run(tmp_path / "untitled_project")
    assert run.ranking()["status"].tolist() == ["completed"] * 4
    for trial_id in run.ranking()["trial_id"]:
        values, epochs = run.hyperparameters(trial_id), run.epochs(trial_id)
        steps = STEPS[values["batch_size"]]
        expected = [tiny.rate(values, epoch, steps - 1, steps) for epoch in range(2)]
        assert np.allclose(epochs["lr_last"], expected)
