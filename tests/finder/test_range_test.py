"""`lrtune.range_test`: rates, repeatability, what stays as it was, bad arguments."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import lrtune
from lrtune.errors import ArgumentError, DataError, SearchError
from lrtune.finder import sweep
from tests.plots.look import legend_texts, outside, overlaps
from tests.runner import tiny


def hypermodel(build=tiny.build, **kwargs):
    return lrtune.ScheduleHyperModel(build, epochs=4, **kwargs)


def found_by(model=None, *data, seeds=2, **kwargs):
    kwargs = {"batch_size": 16, "epochs": 4, **kwargs}
    return lrtune.range_test(model or hypermodel(), *(data or tiny.points()), seeds=seeds, **kwargs)


def plain():
    return tiny.build(keras_tuner.HyperParameters())


def linear(_hp):
    layer = keras.layers.Dense(1, use_bias=False)
    return keras.Sequential([keras.Input((2,)), layer])


def test_it_finds_the_rate_at_which_gradient_descent_diverges():
    # The mean of (x w - y)^2 has the second derivative 2 E[x^2]. With x = (+-2, 0) and (0, +-2) in
    # turn, half of the rows each, E[x_i^2] = 2: the largest rate is 2 / 4.
    x = np.tile(2 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], "float32"), (16, 1))
    # Noise, for without it descent ends at a gradient of exactly 0, where no rate diverges.
    y = x @ np.array([3, -3], "float32") + np.random.default_rng(0).normal(size=64, scale=0.3)
    model = hypermodel(linear, loss="mse", fixed={"momentum": 0})
    found = found_by(model, x, y, batch_size=len(x), epochs=300, high=10)
    assert 0.5 / 3 < found.diverged < 0.5 * 2
    low, high = found.suggested
    assert low < found.steepest < high < 0.5
    assert np.isnan(found.losses[:, -1]).all()  # it ended early


def test_the_rates_are_geometric_and_the_optimizer_uses_them(monkeypatch):
    used = []
    record = sweep._LossRecorder.on_train_batch_begin

    def spied(self, batch, logs=None):
        used.append(float(self.model.optimizer.learning_rate))
        record(self, batch, logs)

    monkeypatch.setattr(sweep._LossRecorder, "on_train_batch_begin", spied)
    found = found_by(low=1e-4, high=1e-1, seeds=1)
    assert len(found.rates) == 4 * tiny.STEPS
    expected = [1e-4 * 1000 ** (step / 11) for step in range(12)]
    np.testing.assert_allclose(found.rates, expected, rtol=1e-6)
    assert used == list(found.rates)


def test_the_losses_are_those_of_each_batch():
    x, y = tiny.points()
    found = found_by(hypermodel(), x, y, low=1e-12, high=1e-11, seeds=[7], shuffle=False)
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(7)
    model = plain()
    model.compile(loss="sparse_categorical_crossentropy")
    expected = model.test_on_batch(x[32:], y[32:])
    batch = found.losses[0, tiny.STEPS - 1 :: tiny.STEPS]
    # Apart from dropout; the rates are too low to change anything.
    np.testing.assert_allclose(batch.mean(), expected, rtol=0.25)


def test_it_repeats_bit_for_bit():
    one, other = found_by(), found_by()
    np.testing.assert_array_equal(one.losses, other.losses)
    assert not np.array_equal(one.losses[0], one.losses[1])


def test_a_seed_means_the_same_alone():
    np.testing.assert_array_equal(found_by(seeds=[2]).losses[0], found_by(seeds=[1, 2]).losses[1])


def test_curves_have_a_row_a_seed_and_step():
    found = found_by()
    frame = found.curves()
    assert list(frame) == ["seed", "step", "rate", "loss", "smoothed"]
    assert len(frame) == 2 * 12
    assert set(frame["seed"]) == {1, 2}
    second = frame[frame["seed"] == 2]
    np.testing.assert_array_equal(second["loss"], found.losses[1])
    np.testing.assert_array_equal(second["rate"], found.rates)


# What stays as it was


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.schedules.ExponentialDecay])
def test_a_model_that_the_user_has_trained_stays_as_it_was(optimizer):
    x, y = tiny.points()
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    rate = 1e-3 if optimizer == "adam" else optimizer(0.01, 10, 0.5)
    own = keras.optimizers.Adam(rate)
    model.compile(own, "sparse_categorical_crossentropy", steps_per_execution=2)
    model.fit(x, y, verbose=0)
    before = [np.array(one) for one in (*model.variables, *own.variables)]
    given = own.get_config()
    predicted = model.predict(x, verbose=0)
    found = found_by(hypermodel(lambda hp: model), x, y)
    assert not np.array_equal(found.losses[0, 0], found.losses[0, -1])
    assert model.optimizer is own
    assert own.get_config() == given
    assert model.steps_per_execution == 2
    after = [np.array(one) for one in (*model.variables, *own.variables)]
    for was, now in zip(before, after, strict=True):
        np.testing.assert_array_equal(was, now)
    np.testing.assert_array_equal(model.predict(x, verbose=0), predicted)
    model.fit(x, y, verbose=0)  # and trains on


def test_every_seed_begins_with_the_weights_of_a_model_that_is_used_again():
    model = plain()
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = found_by(hypermodel(lambda hp: model), low=1e-3, high=10.0, seeds=[1, 1])
    np.testing.assert_array_equal(found.losses[0], found.losses[1])


def test_layers_that_are_put_into_new_models_keep_their_weights():
    backbone = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu")])
    before = backbone.get_weights()

    def build(_hp):
        head = keras.layers.Dense(2, activation="softmax")
        return keras.Sequential([backbone, head])

    found_by(hypermodel(build), high=10.0)
    for was, now in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_an_uncompiled_model_is_uncompiled_afterwards():
    model = plain()
    found_by(hypermodel(lambda hp: model))
    assert not model.compiled
    assert model.optimizer is None


def test_the_hypermodel_stays_as_it_was():
    model = hypermodel(tiny.adam)
    before = dict(vars(model))
    found_by(model)
    assert vars(model) == before


def test_a_failure_in_training_restores_the_model(monkeypatch):
    model = plain()
    model.compile("sgd", "sparse_categorical_crossentropy")
    before, own = model.get_weights(), model.optimizer

    def fails(self, batch, logs=None):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(sweep._LossRecorder, "on_train_batch_end", fails)
    with pytest.raises(RuntimeError, match="in the middle"):
        found_by(hypermodel(lambda hp: model), low=1.0, high=10.0)
    assert model.optimizer is own
    for was, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


# Models and data


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "lion", keras.optimizers.Nadam])
def test_every_kind_of_optimizer(optimizer):
    assert np.isfinite(found_by(hypermodel(optimizer=optimizer), seeds=1).losses[0, :3]).all()


def test_the_rates_are_chosen_for_the_optimizer_also_of_a_compiled_model():
    lion = found_by(hypermodel(optimizer="lion"), seeds=1).rates
    assert lion[[0, -1]] == pytest.approx([3e-6 / 30, 1e-2 * 30])
    compiled = found_by(hypermodel(tiny.adam), seeds=1).rates
    assert compiled[[0, -1]] == pytest.approx([1e-5 / 30, 3e-2 * 30])


def test_few_steps_an_epoch_are_read_again_and_again():
    found = found_by(epochs=None, seeds=1)
    assert len(found.rates) == 67 * tiny.STEPS  # the first multiple of 3 from 200


def as_frames(x, y):
    return pd.DataFrame(x, columns=list("abcd")), pd.Series(y)


def as_dataset(x, y):
    return (tf.data.Dataset.from_tensor_slices((x, y)).batch(16),)


def as_function(x, y):
    return (lambda: tf.data.Dataset.from_tensor_slices((x, y)).batch(16),)


@pytest.mark.parametrize("given", [as_frames, as_dataset, as_function])
def test_it_takes_the_data_of_a_search(given):
    data = given(*tiny.points())
    batches = {"batch_size": 16} if given is as_frames else {}
    found = lrtune.range_test(hypermodel(), *data, epochs=2, seeds=1, **batches)
    assert found.losses.shape == (1, 2 * tiny.STEPS)


def test_the_first_batch_size_of_a_choice_is_used():
    model = hypermodel(batch_size=[16, 40])
    assert found_by(model, batch_size=None, seeds=1).losses.shape == (1, 4 * tiny.STEPS)


def test_validation_data_and_callbacks_are_not_used():
    def called(epoch, logs):
        raise AssertionError

    callback = keras.callbacks.LambdaCallback(on_epoch_end=called)
    kwargs = {"validation_data": tiny.points(20, seed=1), "callbacks": [callback]}
    np.testing.assert_array_equal(found_by(**kwargs).losses, found_by().losses)


def test_validation_split_leaves_rows_out():
    assert found_by(validation_split=0.5, seeds=1).losses.shape == (1, 4 * 2)


def mixed():
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, momentum=0.9))


class OwnStep(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, activation="softmax")
        self.mean = keras.metrics.Mean("loss")

    @property
    def metrics(self):
        return [self.mean]

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            rows = keras.losses.sparse_categorical_crossentropy(y, self(x, training=True))
            loss = tf.reduce_mean(rows)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}


def compiled(optimizer):
    model = plain()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    "build", [lambda hp: compiled(mixed()), lambda hp: OwnStep()], ids=["loss scale", "train_step"]
)
def test_other_ways_to_train(build):
    losses = found_by(hypermodel(build), high=10.0, seeds=1).losses[0]
    assert np.isfinite(losses[:3]).all()
    assert len(set(losses)) > 6  # each is a batch's own


# Bad arguments

BAD = {
    "low": ({"low": 0}, "low must be a number > 0 that float32 can hold"),
    "high": ({"high": -1.0}, "high must be a number > 0 that float32 can hold"),
    "order": ({"low": 0.1, "high": 0.1}, "high must be greater than low, 0.1. Received: high=0.1."),
    "epochs": ({"epochs": 0}, "epochs must be an integer >= 1. Received: epochs=0."),
    "one step": (
        {"epochs": 1, "batch_size": 64},
        "epochs must have at least two steps in all, so that the rate can rise. Received: one.",
    ),
    "seeds": ({"seeds": 0}, "seeds must be an integer >= 1. Received: seeds=0."),
    "no seeds": ({"seeds": []}, "seeds must be at least one. Received: seeds=[]."),
    "smoothing": (
        {"smoothing": 0},
        "smoothing must be a number > 0 and <= 1. Received: smoothing=0.",
    ),
    "several sizes": ({"batch_size": [16, 32]}, "batch_size must be an int here"),
    "no argument of fit": ({"lr": 1}, "lr is none of them"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named(case):
    kwargs, message = BAD[case]
    with pytest.raises(ArgumentError) as error:
        found_by(**kwargs)
    assert message in str(error.value)


def test_another_hypermodel_is_refused():
    with pytest.raises(ArgumentError, match=r"hypermodel must be a lrtune\.ScheduleHyperModel"):
        found_by(tiny.AdamModel())


def test_a_fit_of_its_own_is_refused():
    class Own(lrtune.ScheduleHyperModel):
        def fit(self, hp, model, *args, **kwargs):
            raise AssertionError

    with pytest.raises(ArgumentError, match="Received: Own, which has a fit of its own"):
        found_by(Own(tiny.build, epochs=4))


def test_labels_that_do_not_fit_are_named_before_anything_trains():
    x, y = tiny.points()
    with pytest.raises(DataError, match="y must hold classes from 0 to 1"):
        found_by(hypermodel(), x, y + 1)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_that_end_too_soon_are_named():
    def generator():
        x, y = tiny.points(16)
        yield x, y

    with pytest.raises(ArgumentError, match=r"must last for 6 steps\. They ended after "):
        lrtune.range_test(hypermodel(), generator, steps_per_epoch=3, epochs=2, seeds=1)


def test_an_untrained_loss_that_is_not_finite_is_named():
    def build(_hp):
        constant = keras.initializers.Constant(np.inf)
        layer = keras.layers.Dense(2, activation="softmax", kernel_initializer=constant)
        return keras.Sequential([keras.Input((4,)), layer])

    with pytest.raises(SearchError, match=r"The untrained model's is nan: look at the data"):
        found_by(hypermodel(build))


# In words and as a picture


def result(curve, seeds=3):
    from lrtune.finder.result import RangeTest
    from lrtune.stats.range_test import read

    losses = curve + 0.02 * np.random.default_rng(0).normal(size=(seeds, len(curve)))
    rates = np.geomspace(1e-5, 10, len(curve))
    return RangeTest(tuple(range(seeds)), rates, losses, read(rates, losses, 0.1))


RATES = np.geomspace(1e-5, 10, 200)
FALL = 0.2 + 0.8 / (1 + (RATES / 0.01) ** 2)
RISE = np.where(RATES > 1, 50 * np.log(RATES), 0)
WORDS = {
    "both": (FALL + RISE, r"Suggested range for lr0: \S+ to \S+\. .* fell fastest at .* and rose"),
    "no rise": (FALL, r"to 10\. .*did not rise up to 10: the upper end is the end of the test\."),
    "no fall": (1 + RISE, r"did not fall by more than the noise before: the range is a guess"),
    "nothing": (
        0 * RATES + 1,
        r"No range for lr0 can be suggested. The loss neither fell nor rose",
    ),
    "too high": (1 + np.linspace(0, 9, 200), r"the test began at 1e-05: begin lower\."),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_and_picture_say_what_was_found(case):
    curve, words = WORDS[case]
    found = result(curve)
    assert pd.Series([str(found)]).str.contains(words).all(), str(found)
    assert str(found).endswith("(3 seeds, 200 steps each, rates from 1e-05 to 10.)")
    figure = found.plot()
    assert overlaps(figure) == []
    assert outside(figure) == []
    (ax,) = figure.axes
    shown = [text.split(" range")[0] for text in legend_texts(ax)]
    assert ("suggested" in shown) == (found.suggested is not None)


def test_the_picture_is_saved(tmp_path):
    found = result(FALL + RISE, seeds=1)
    found.save(tmp_path / "range.svg")
    assert "<svg" in (tmp_path / "range.svg").read_text()
    with pytest.raises(ArgumentError, match=r"path must be a \.png, \.svg or \.pdf file"):
        found.save(tmp_path / "nowhere" / "range.png")
