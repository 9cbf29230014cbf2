"""The user's callbacks fire as they do in plain Keras."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf

import lrtune
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner.callbacks import acting_on_batches
from lrtune.runner.worker import Trainer
from tests.runner import tiny
from tests.tasks import task_of

HEARD: list[tuple[str, int]] = []


class Epochs(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        HEARD.append(("epoch", epoch))


class Batches(Epochs):
    def on_train_batch_end(self, batch, logs=None):
        HEARD.append(("batch", batch))


@pytest.fixture(autouse=True)
def silence():
    HEARD.clear()


def train(*callbacks):
    hypermodel = ScheduleHyperModel(tiny.build, epochs=2)
    kwargs = {**tiny.fit_kwargs(), "callbacks": list(callbacks)}
    trainer = Trainer(TrainingJob(hypermodel, tiny.points(), kwargs))
    task = task_of("0000", tiny.VALUES["time"], 1, 0, 2)
    outcome = trainer.run(task, lambda name, record: None)
    assert outcome.message is None, outcome.message
    return outcome


def test_an_epoch_callback_is_called_for_every_epoch():
    train(Epochs())
    assert HEARD == [("epoch", 0), ("epoch", 1)]


def test_a_batch_callback_is_called_for_every_batch_and_changes_no_number():
    with_it = train(Batches())
    batches = [("batch", number) for number in range(tiny.STEPS)]
    assert [*batches, ("epoch", 0), *batches, ("epoch", 1)] == HEARD
    assert tiny.without_seconds(with_it.epochs) == tiny.without_seconds(train().epochs)


def test_which_callbacks_act_on_batches():
    callbacks = [
        Epochs(),
        Batches(),
        keras.callbacks.EarlyStopping(),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.ModelCheckpoint("{epoch}.keras"),
        keras.callbacks.ModelCheckpoint("{batch}.keras", save_freq=5),
    ]
    assert acting_on_batches(callbacks) == [
        *("Batches", "LambdaCallback", "TerminateOnNaN", "ModelCheckpoint"),
    ]
    assert acting_on_batches(None) == []


def test_a_search_with_batch_callbacks_warns_that_it_is_slower(tmp_path):
    tuner = lrtune.RandomSearch(
        ScheduleHyperModel(tiny.build, epochs=1),
        objective="val_loss",
        max_trials=1,
        directory=tmp_path,
        workers=1,
        baseline_seeds=0,
    )
    with pytest.warns(UserWarning, match="act on every batch") as found:
        tuner.search(
            *tiny.points(), **tiny.fit_kwargs(), verbose=0, callbacks=[Batches(), Epochs()]
        )
    message = (
        "callbacks that act on every batch (Batches): each step now starts from Python, which "
        "takes about twice as long."
    )
    assert message in [str(one.message) for one in found]


def test_a_dataset_that_knows_its_length_runs_an_epoch_as_one_piece():
    data = tf.data.Dataset.from_tensor_slices(tiny.points()).batch(tiny.BATCH)
    hypermodel = ScheduleHyperModel(tiny.build, epochs=1)
    for dataset, pieces in ((data, tiny.STEPS), (data.repeat(), 1)):
        trainer = Trainer(TrainingJob(hypermodel, (dataset,), {}))
        assert trainer._feed.steps_per_execution == pieces


def test_what_a_callback_writes_lies_in_a_folder_of_the_trial(tmp_path):
    train(
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "models" / "{epoch}.keras")),
        keras.callbacks.TensorBoard(str(tmp_path / "events")),
    )
    assert len((tmp_path / "trial_0000" / "log.csv").read_text().splitlines()) == 3
    kept = (tmp_path / "models" / "trial_0000").iterdir()
    assert sorted(path.name for path in kept) == ["1.keras", "2.keras"]
    assert list((tmp_path / "events" / "trial_0000" / "train").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events", "models", "trial_0000"]


def test_a_checkpoint_is_loaded_with_the_settings_of_the_trials_optimizer(tmp_path):
    x, y = tiny.points(20, seed=1)
    hypermodel = ScheduleHyperModel(tiny.build, epochs=2)
    callbacks = [keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"))]
    kwargs = {**tiny.fit_kwargs(), "callbacks": callbacks}
    trainer = Trainer(TrainingJob(hypermodel, tiny.points(), kwargs))
    for name in ("time", "exponential"):  # the second trains in the model of the first
        task = task_of("0000", tiny.VALUES[name], 1, 0, 2)
        outcome = trainer.run(task, lambda name, record: None)
        kept = keras.models.load_model(tmp_path / "trial_0000" / "2.keras")
        assert kept.optimizer.momentum == tiny.VALUES[name]["momentum"]
        assert int(kept.optimizer.iterations) == 2 * tiny.STEPS
        measured = kept.evaluate(x, y, verbose=0)[0]
        assert measured == pytest.approx(outcome.epochs[-1]["val_loss"], rel=1e-5)
