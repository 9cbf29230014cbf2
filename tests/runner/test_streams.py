"""Data that come in batches: a continued training sees what an uninterrupted one would see."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from lrtune.errors import ArgumentError
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner import RunOptions, make_runner
from lrtune.runner.exchange import read_job, write_job
from lrtune.runner.inprocess import InProcessRunner
from lrtune.runner.local import LocalRunner
from lrtune.runner.streams import make_feed
from lrtune.runner.worker import Trainer
from tests.runner import tiny
from tests.tasks import task_of

VALUES = tiny.VALUES["exponential"]


def dataset():
    return tf.data.Dataset.from_tensor_slices(tiny.points()).batch(tiny.BATCH)


def shuffled():
    points = tf.data.Dataset.from_tensor_slices(tiny.points())
    return points.shuffle(40, seed=3).batch(tiny.BATCH)


def endless():
    return shuffled().repeat()


class Augmented(keras.utils.PyDataset):
    """Shuffles its points after each epoch and adds noise, both from NumPy's global generator."""

    def __init__(self):
        super().__init__()
        self.x, self.y = tiny.points()
        self.order = np.arange(40)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        chosen = self.order[index * 16 : index * 16 + 16]
        noise = np.random.normal(  # noqa: NPY002 - what users write
            scale=0.1, size=(len(chosen), 4)
        ).astype("float32")
        return self.x[chosen] + noise, self.y[chosen]

    def on_epoch_end(self):
        np.random.shuffle(self.order)  # noqa: NPY002


def generator():
    x, y = tiny.points()
    while True:
        chosen = np.random.permutation(40)[:16]  # noqa: NPY002
        yield x[chosen], y[chosen]


def frames():
    x, y = tiny.points()
    return pd.DataFrame(x, columns=list("abcd")), pd.Series(y)


STREAMS = {
    "dataset": ((dataset(),), {}),
    "function that makes a shuffled dataset": ((shuffled,), {}),
    "endless dataset": ((dataset().repeat(),), {"steps_per_epoch": 3}),
    "function that makes an endless dataset": ((endless,), {"steps_per_epoch": 3}),
    "PyDataset": ((Augmented(),), {}),
    "function that makes a PyDataset": ((Augmented,), {}),
    "function that makes a generator": ((generator,), {"steps_per_epoch": 3}),
    "frames": (frames(), {"batch_size": tiny.BATCH}),
}


def trainer(args, kwargs):
    hypermodel = ScheduleHyperModel(tiny.build, epochs=tiny.EPOCHS)
    kwargs = {"validation_data": tiny.points(20, seed=1), **kwargs}
    return Trainer(TrainingJob(hypermodel, args, kwargs))


def train(one, first=0, last=tiny.EPOCHS, state=None):
    outcome = one.run(task_of("0000", VALUES, 5, first, last, state), lambda *_: None)
    assert outcome.message is None, outcome.message
    return outcome


@pytest.mark.parametrize(("args", "kwargs"), STREAMS.values(), ids=STREAMS)
def test_a_continued_training_ends_as_one_that_was_not_interrupted(args, kwargs):
    whole = train(trainer(args, kwargs))
    one = trainer(args, kwargs)
    begun = train(one, last=1)
    train(one)  # another trial in between
    continued = train(one, first=1, state=begun.state)
    assert tiny.without_seconds((*begun.epochs, *continued.epochs)) == tiny.without_seconds(
        whole.epochs
    )
    for name, value in whole.state.items():
        np.testing.assert_array_equal(value, continued.state[name], err_msg=name)


def test_an_unshuffled_dataset_trains_as_the_same_arrays_do():
    arrays = trainer(tiny.points(), {"batch_size": tiny.BATCH, "shuffle": False})
    of_arrays, of_dataset = train(arrays), train(trainer((dataset(),), {}))
    for name, value in of_arrays.state.items():
        np.testing.assert_array_equal(value, of_dataset.state[name], err_msg=name)


def test_a_frame_trains_as_its_array_does():
    of_frames = train(trainer(frames(), {"batch_size": tiny.BATCH}))
    of_arrays = train(trainer(tiny.points(), {"batch_size": tiny.BATCH}))
    for name, value in of_arrays.state.items():
        np.testing.assert_array_equal(value, of_frames.state[name], err_msg=name)


def test_the_batches_of_an_epoch_are_shuffled_as_keras_does_and_each_comes_once():
    class Numbers(keras.utils.PyDataset):
        num_batches = 8

        def __getitem__(self, index):
            return np.full((1, 4), index), np.zeros(1)

    feed = trainer((Numbers(),), {})._feed
    ordered = feed.arguments(task_of("0", VALUES, 5, 0, 2))["x"]
    seen = []
    for _ in range(2):
        ordered.on_epoch_begin()
        seen.append([int(ordered[index][0][0, 0]) for index in range(8)])
        ordered.on_epoch_end()
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(8))
    assert seen[0] != seen[1] != list(range(8))


def test_validation_data_from_a_generator_are_the_same_after_every_epoch():
    numbers = ((np.full((2, 4), index), np.full(2, index)) for index in itertools.count())
    feed = trainer(tiny.points(), {"validation_data": numbers, "validation_steps": 3})._feed
    for _ in range(2):
        labels = np.concatenate([y for _, y in feed.validation])
        assert labels.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (
            (generator,),
            {},
            (
                "steps_per_epoch must be given with a generator: it does not say how many batches "
                "an epoch has."
            ),
        ),
        (
            tiny.points(),
            {"validation_data": generator},
            (
                "validation_steps must be given with a generator as validation_data: it does not "
                "say how many batches it has."
            ),
        ),
        (
            tiny.points(),
            {"batchsize": 3},
            (
                "search takes the arguments of keras.Model.fit, and batchsize is none of them. "
                "Received: batchsize=3."
            ),
        ),
        (tiny.points(), {"y": 3}, "y must be given once. Received: by position and by name."),
    ],
    ids=["steps", "validation steps", "unknown", "twice"],
)
def test_what_is_missing_or_wrong_is_named(args, kwargs, message):
    with pytest.raises(ArgumentError) as error:
        trainer(args, kwargs)._feed.arguments(task_of("0", VALUES, 5, 0, 2))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("data", "kind"), [(dataset(), "tf.data.Dataset"), (generator(), "generator")]
)
def test_what_cannot_be_sent_to_workers_trains_in_this_process_and_says_so(data, kind):
    hypermodel = ScheduleHyperModel(tiny.build, epochs=tiny.EPOCHS)
    job = TrainingJob(hypermodel, (), {"x": data, "steps_per_epoch": 3})
    told = []
    with make_runner(job, RunOptions(2), told.append) as runner:
        assert isinstance(runner, InProcessRunner)
    (sentence,) = told
    assert sentence == (
        f"a {kind} cannot be sent to worker processes (a function that returns one can: "
        "search(make_data, ...)). This process trains instead, one trial at a time."
    )


@pytest.mark.long  # processes that start TensorFlow
def test_a_function_that_makes_data_trains_alike_in_workers():
    hypermodel = ScheduleHyperModel(tiny.build, epochs=tiny.EPOCHS)
    job = TrainingJob(hypermodel, (shuffled,), {"validation_data": dataset})
    found = []
    for runner in (InProcessRunner(job), LocalRunner(job, 1)):
        with runner:
            runner.submit(task_of("0000", VALUES, 5, 0, 2))
            outcomes = []
            while not outcomes:
                outcomes = runner.wait(lambda *_: None)
            assert outcomes[0].message is None
            found.append(outcomes[0].epochs)
    assert tiny.without_seconds(found[0]) == tiny.without_seconds(found[1])


def test_an_array_of_columns_reaches_workers_as_rows_that_tensorflow_can_map(tmp_path):
    columns = np.asfortranarray(tiny.points()[0])
    job = TrainingJob(ScheduleHyperModel(tiny.build, epochs=1), (columns,), {})
    write_job(tmp_path, job)
    feed = make_feed(read_job(tmp_path))
    assert isinstance(read_job(tmp_path).fit_args[0], np.memmap)
    batches = [batch.numpy() for (batch,) in feed.evaluation()["x"]]
    np.testing.assert_array_equal(np.concatenate(batches), columns)


@pytest.mark.parametrize(("args", "kwargs"), STREAMS.values(), ids=STREAMS)
def test_the_untrained_model_is_measured_on_training_data_where_test_data_are_held_out(
    args, kwargs
):
    hypermodel = ScheduleHyperModel(tiny.build, epochs=2)
    x, y = tiny.points(20, seed=1)
    # Keras reads a series as a column, and cannot measure on columns and on plain labels in turn.
    held_out = (x, pd.Series(y)) if isinstance(args[0], pd.DataFrame) else (x, y)
    kwargs = {"validation_data": held_out, "validation_freq": 2, **kwargs}
    outcome = train(Trainer(TrainingJob(hypermodel, args, kwargs, held_out=True)), last=2)
    assert set(outcome.untrained) == {"loss", "accuracy"}
    assert outcome.untrained["loss"] > 0


class HeldOut(keras.utils.PyDataset):
    num_batches = 3

    def __getitem__(self, index):
        x, y = tiny.points(20, seed=1)
        return x[index * 8 : index * 8 + 8], y[index * 8 : index * 8 + 8]


BY_EIGHT = tf.data.Dataset.from_tensor_slices(tiny.points(20, seed=1)).batch(8)
LONGER = {
    "dataset": {"validation_data": BY_EIGHT},
    "endless dataset": {"validation_data": BY_EIGHT.repeat()},
    "PyDataset": {"validation_data": HeldOut()},
    "arrays": {"validation_data": tiny.points(20, seed=1), "validation_batch_size": 8},
}


@pytest.mark.parametrize("args", [tiny.points(), (dataset(),)], ids=["arrays", "dataset"])
@pytest.mark.parametrize("longer", LONGER.values(), ids=LONGER)
def test_validation_steps_are_the_first_batches_after_every_epoch(longer, args):
    batch = {"batch_size": tiny.BATCH} if len(args) == 2 else {}
    first = tuple(part[:8] for part in tiny.points(20, seed=1))
    expected = train(trainer(args, {**batch, "validation_data": first}))
    found = train(trainer(args, {**batch, **longer, "validation_steps": 1}))
    assert found.untrained == pytest.approx(expected.untrained, rel=1e-6)
    for ours, by_hand in zip(found.epochs, expected.epochs, strict=True):
        assert ours["val_loss"] == pytest.approx(by_hand["val_loss"], rel=1e-6)
