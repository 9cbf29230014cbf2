"""The order of images in an epoch depends on (seed, epoch) alone; the rest is as Keras has it."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from lrtune.errors import ArgumentError
from lrtune.records.task import TrainingJob
from lrtune.runner.streams import make_feed
from lrtune.runner.worker import Trainer
from tests.runner import tiny
from tests.tasks import task_of

TEN = np.arange(10, dtype="float32")


class FeedOnly(keras_tuner.HyperModel):
    """Its `fit` is Keras Tuner's own."""


class OwnFit(keras_tuner.HyperModel):
    def fit(self, hp, model, *args, **kwargs):
        raise NotImplementedError


def feed_of(*fit_args, hypermodel=None, **fit_kwargs):
    return make_feed(TrainingJob(hypermodel or FeedOnly(), fit_args, fit_kwargs))


def batches(feed, first=0, last=1, seed=7, trial_id="0"):
    """What a task is fed, batch after batch, as arrays."""
    arguments = feed.arguments(task_of(trial_id, {}, seed, first, last, {}))
    return [keras.tree.map_structure(np.asarray, batch) for batch in arguments["x"]]


def order(feed, first=0, last=1, **task):
    """The images of a task in the order they are fed in."""
    return np.concatenate([batch[0] for batch in batches(feed, first, last, **task)]).tolist()


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone():
    feed = feed_of(TEN, batch_size=4)
    whole = order(feed, 0, 4)

    assert order(feed, 0, 1) + order(feed, 1, 2) + order(feed, 2, 4) == whole
    keras.utils.set_random_seed(99)
    assert order(feed, 2, 4, trial_id="baseline/constant-0.1/seed-1") == whole[20:]
    assert order(feed_of(TEN, batch_size=3), 0, 4) == whole
    assert order(feed, 0, 4, seed=8) != whole
    assert whole[:10] != whole[10:20] != whole[20:30]


def test_large_seeds_give_different_orders():
    feed = feed_of(np.arange(1000.0))
    first = {seed: order(feed, seed=seed) for seed in (0, 1, 2**31, 2**32 - 1)}
    assert len({tuple(found) for found in first.values()}) == len(first)


def test_every_image_comes_exactly_once_per_epoch_and_the_last_batch_may_be_short():
    found = batches(feed_of(TEN, batch_size=4), 0, 3)
    assert [len(x) for (x,) in found] == [4, 4, 2] * 3
    for epoch in range(3):
        images = np.concatenate([x for (x,) in found[3 * epoch : 3 * epoch + 3]])
        assert sorted(images) == TEN.tolist()


def test_every_position_is_as_likely_for_every_image():
    feed = feed_of(np.arange(5))
    seen = np.zeros((5, 5))
    for position, image in enumerate(order(feed, 0, 2000)):
        seen[position % 5, image] += 1
    # 400 expected in each of 25 cells, with a standard deviation of 18.
    assert seen.min() > 400 - 5 * 18
    assert seen.max() < 400 + 5 * 18


def test_images_keep_their_labels_and_weights():
    feed = feed_of(TEN, TEN + 100, batch_size=4, sample_weight=TEN / 10)
    for x, y, weight in batches(feed, 0, 2):
        assert (y == x + 100).all()
        assert np.allclose(weight, x / 10)


def test_every_input_of_a_dict_is_fed_the_same_images():
    feed = feed_of({"a": TEN, "b": np.stack([TEN, -TEN], axis=1)}, {"c": TEN}, batch_size=4)
    found = batches(feed, 0, 2)
    assert sorted(np.concatenate([x["a"] for x, _ in found[:3]])) == TEN.tolist()
    for x, y in found:
        assert (x["b"] == np.stack([x["a"], -x["a"]], axis=1)).all()
        assert (y["c"] == x["a"]).all()


def test_inputs_in_a_list_stay_separate():
    feed = feed_of([TEN, np.stack([TEN, -TEN], axis=1)], TEN, batch_size=4, shuffle=False)
    (a, b), y = batches(feed)[0]
    assert a.tolist() == y.tolist() == [0, 1, 2, 3]
    assert b.shape == (4, 2)


def test_validation_inputs_in_a_list_stay_separate():
    both = [TEN, TEN + 100]
    feed = feed_of(both, TEN, validation_data=(both, TEN))
    ((a, b), _), *_ = feed.arguments(task_of("0", {}, 1, 0, 1))["validation_data"]
    assert (a.numpy().tolist(), b.numpy().tolist()) == (TEN.tolist(), (TEN + 100).tolist())


def test_the_default_batch_is_that_of_keras():
    assert [len(x) for (x,) in batches(feed_of(np.arange(70)))] == [32, 32, 6]


def test_without_shuffling_images_keep_their_order():
    assert order(feed_of(TEN, batch_size=4, shuffle=False), 0, 2) == [*TEN, *TEN]


@pytest.mark.parametrize(("steps", "taken"), [(2, 8), (3, 10), (5, 18)])
def test_steps_per_epoch_cuts_an_epoch_short_or_repeats_it(steps, taken):
    feed = feed_of(TEN, batch_size=4, steps_per_epoch=steps)
    found = batches(feed, 0, 2)

    assert feed.arguments(task_of("0", {}, 1, 0, 2))["steps_per_epoch"] == steps
    assert len(found) == 2 * steps
    assert sum(len(x) for (x,) in found[:steps]) == taken
    assert order(feed, 1, 2) == np.concatenate([x for (x,) in found[steps:]]).tolist()


@pytest.mark.parametrize(("count", "fraction"), [(10, 0.25), (7, 0.5)])
def test_the_validation_split_is_keras_own(count, fraction):
    # A model that answers 0 has the mean square of the labels as its loss, which tells with labels
    # that are powers of two which images it was measured on.
    y = 2.0 ** np.arange(count)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    history = model.fit(np.ones(count), y, validation_split=fraction, verbose=0).history

    feed = feed_of(np.ones(count), y, validation_split=fraction)
    train = np.concatenate([labels for _, labels in batches(feed)])
    validation = np.concatenate([labels.numpy() for _, labels in feed.validation])
    assert np.mean(train**2) == pytest.approx(history["loss"][0])
    assert np.mean(validation**2) == pytest.approx(history["val_loss"][0])
    assert sorted([*train, *validation]) == y.tolist()


def test_validation_data_win_over_a_validation_split_as_in_keras():
    feed = feed_of(TEN, TEN, validation_split=0.5, validation_data=(TEN[:2], TEN[:2]))
    assert sorted(order(feed)) == TEN.tolist()
    assert sum(len(x) for x, _ in feed.validation) == 2


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5])
def test_an_impossible_validation_split_is_refused(fraction):
    with pytest.raises(ArgumentError) as error:
        feed_of(TEN, validation_split=fraction)
    assert str(error.value) == (
        "validation_split must be greater than 0 and less than 1. "
        f"Received: validation_split={fraction}."
    )


def test_all_but_the_training_data_is_passed_on_unchanged():
    dataset = tf.data.Dataset.from_tensor_slices((TEN, TEN)).batch(4)
    validation = dataset.take(1)
    feed = feed_of(dataset, validation_data=validation, class_weight={0: 1.0}, callbacks=[])
    arguments = feed.arguments(task_of("0", {}, 1, 0, 3))
    del arguments["x"]
    assert arguments == {
        "validation_data": validation,
        "class_weight": {0: 1.0},
        "callbacks": [],
        "steps_per_epoch": 3,
        "shuffle": False,
    }
    assert feed.evaluation()["x"] is validation


def test_the_users_own_fit_gets_the_original_arrays():
    given = {"x": TEN, "y": TEN, "batch_size": 4, "validation_split": 0.5, "shuffle": False}
    arguments = feed_of(hypermodel=OwnFit(), **given).arguments(task_of("0", {}, 1, 0, 3))
    assert arguments == given
    assert arguments["x"] is TEN


def test_the_runner_sets_epochs_and_verbosity():
    dataset = tf.data.Dataset.from_tensor_slices((TEN, TEN)).batch(4)
    feed = feed_of(dataset, epochs=9, initial_epoch=2, verbose=2)
    assert {"epochs", "initial_epoch", "verbose"}.isdisjoint(
        feed.arguments(task_of("0", {}, 1, 0, 3))
    )


class Regression(keras_tuner.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        model.compile(
            keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", run_eagerly=True
        )
        return model


@pytest.mark.parametrize(
    "more",
    [
        {"class_weight": {0: 1.0, 1: 5.0}},
        {"sample_weight": np.linspace(0, 2, 40)},
        {"validation_data": (*tiny.points(20, seed=1), np.linspace(0, 2, 20))},
    ],
    ids=lambda more: next(iter(more)),
)
def test_unshuffled_arrays_train_as_in_plain_keras(more):
    x, y = tiny.points()
    arguments = {"batch_size": 16, "shuffle": False, **more}
    trainer = Trainer(TrainingJob(Regression(), (x, y), arguments))
    outcome = trainer.run(task_of("0", {}, 5, 0, 1), lambda *_: None)

    keras.utils.set_random_seed(5)
    history = Regression().build(None).fit(x, y, verbose=0, **arguments).history

    assert outcome.message is None
    assert "loss" in history
    for name, values in history.items():
        assert outcome.epochs[0][name] == pytest.approx(values[0], rel=1e-6)
