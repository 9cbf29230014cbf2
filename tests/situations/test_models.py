"""Any model: each test is a script of a person who has such a model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import lrtune
from tests.runner import tiny
from tests.situations.plain import QUICK, assert_same, finished, optimizer, seeded

FIT = {"batch_size": 16, "shuffle": False, "verbose": 0}
STEPS = 3  # 40 points by 16
CROSS_ENTROPY = "sparse_categorical_crossentropy"


def test_a_functional_model_on_numpy_arrays_promoted_by_hyperband(tmp_path):
    x, y = tiny.points()
    held_out = tiny.points(20, seed=1)

    def build(hp):
        inputs = keras.Input((4,))
        hidden = keras.layers.Dense(hp.Choice("width", [4, 8]), activation="relu")(inputs)
        hidden = keras.layers.Dropout(0.2)(hidden)
        return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(hidden))

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["cosine"])
    settings = {name: value for name, value in QUICK.items() if name != "max_trials"}
    tuner = lrtune.Hyperband(
        hypermodel, max_epochs=2, factor=2, horizon="truncated", baseline_budget=0,
        directory=tmp_path, **settings,
    )  # fmt: skip
    tuner.search(x, y, validation_data=held_out, **FIT)

    run = finished(tmp_path, trials=5)
    (promoted,) = run.ranking().query("parent.notna()")["trial_id"]
    model = seeded(run, build, promoted)
    model.compile(optimizer(run, STEPS, promoted), CROSS_ENTROPY, metrics=["accuracy"])
    history = model.fit(x, y, epochs=2, validation_data=held_out, **FIT)
    assert_same(run, history, promoted)


def test_a_subclassed_model_that_learns_its_shape_from_the_data(tmp_path):
    x, y = tiny.points()
    held_out = tiny.points(20, seed=1)

    class Own(keras.Model):
        def __init__(self, width):
            super().__init__()
            self.hidden = keras.layers.Dense(width, activation="tanh")
            self.out = keras.layers.Dense(2, activation="softmax")

        def call(self, inputs):
            return self.out(self.hidden(inputs) + keras.ops.mean(inputs, axis=1, keepdims=True))

    def build(hp):
        return Own(hp.Choice("width", [4, 8]))

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["step"], optimizer="adam")
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    tuner.search(x, y, validation_data=held_out, **FIT)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, STEPS), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(x, y, epochs=2, validation_data=held_out, **FIT))


def test_a_train_step_of_ones_own(tmp_path):
    x, y = tiny.points()
    y = y.astype("float32")[:, None]
    held_out = x[:20] + 0.1, y[:20]

    class Robust(keras.Model):
        """Clips its gradients and measures a loss that Keras does not have."""

        def __init__(self):
            super().__init__()
            self.out = keras.layers.Dense(1, activation="sigmoid")
            self.mean = keras.metrics.Mean(name="loss")

        def call(self, inputs):
            return self.out(inputs)

        @property
        def metrics(self):
            return [self.mean]

        def far(self, x, y):
            return keras.ops.mean(keras.ops.log(1.0 + 9.0 * keras.ops.square(y - self(x))))

        def train_step(self, data):
            with tf.GradientTape() as tape:
                loss = self.far(*data)
            gradients = tape.gradient(loss, self.trainable_variables)
            clipped = [keras.ops.clip(one, -0.1, 0.1) for one in gradients]
            self.optimizer.apply(clipped, self.trainable_variables)
            self.mean.update_state(loss)
            return {"loss": self.mean.result()}

        def test_step(self, data):
            self.mean.update_state(self.far(*data))
            return {"loss": self.mean.result()}

    def build(hp):
        return Robust()

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["exponential"])
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    tuner.search(x, y, validation_data=held_out, **FIT)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, STEPS))
    assert_same(run, model.fit(x, y, epochs=2, validation_data=held_out, **FIT))


def test_several_inputs_and_outputs_by_list(tmp_path):
    x, y = tiny.points()
    x_val, y_val = tiny.points(20, seed=1)
    train = [x[:, :3], x[:, 3:]], [y, x.sum(axis=1)]
    held_out = [x_val[:, :3], x_val[:, 3:]], [y_val, x_val.sum(axis=1)]
    compiling = {
        "loss": [CROSS_ENTROPY, "mse"],
        "metrics": [["accuracy"], ["mae"]],
        "loss_weights": [1.0, 0.25],
    }

    def build(hp):
        inputs = [keras.Input((3,)), keras.Input((1,))]
        hidden = keras.layers.Dense(5, activation="relu")(keras.layers.concatenate(inputs))
        side = keras.layers.Dense(2, activation="softmax", name="side")(hidden)
        return keras.Model(inputs, [side, keras.layers.Dense(1, name="total")(hidden)])

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["cosine"], **compiling)
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    tuner.search(*train, validation_data=held_out, **FIT)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, STEPS), **compiling)
    assert_same(run, model.fit(*train, epochs=2, validation_data=held_out, **FIT))


def test_several_inputs_and_outputs_by_dict(tmp_path):
    x, y = tiny.points()
    x_val, y_val = tiny.points(20, seed=1)
    train = {"a": x[:, :3], "b": x[:, 3:]}, {"side": y, "total": x.sum(axis=1)}
    held_out = {"a": x_val[:, :3], "b": x_val[:, 3:]}, {"side": y_val, "total": x_val.sum(axis=1)}
    compiling = {
        "loss": {"side": CROSS_ENTROPY, "total": "mse"},
        "metrics": {"side": ["accuracy"], "total": ["mae"]},
        "loss_weights": {"side": 1.0, "total": 0.25},
    }

    def build(hp):
        inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((1,), name="b")}
        both = keras.layers.concatenate(list(inputs.values()))
        hidden = keras.layers.Dense(hp.Choice("width", [5, 6]), activation="relu")(both)
        side = keras.layers.Dense(2, activation="softmax", name="side")(hidden)
        total = keras.layers.Dense(1, name="total")(hidden)
        return keras.Model(inputs, {"side": side, "total": total})

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["step"], **compiling)
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    tuner.search(*train, validation_data=held_out, **FIT)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, STEPS), **compiling)
    assert_same(run, model.fit(*train, epochs=2, validation_data=held_out, **FIT))


def test_a_metric_of_one_output_as_the_objective_by_its_name(tmp_path):
    x, y = tiny.points()
    x_val, y_val = tiny.points(20, seed=1)
    held_out = x_val, [y_val, x_val.sum(axis=1)]

    def build(hp):
        inputs = keras.Input((4,))
        side = keras.layers.Dense(2, activation="softmax", name="side")(inputs)
        return keras.Model(inputs, [side, keras.layers.Dense(1, name="total")(inputs)])

    compiling = {"loss": [CROSS_ENTROPY, "mse"], "metrics": [[], [keras.metrics.R2Score()]]}
    hypermodel = lrtune.ScheduleHyperModel(build, epochs=1, families=["cosine"], **compiling)
    settings = {**QUICK, "objective": "val_total_r2_score"}
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **settings)
    tuner.search(x, [y, x.sum(axis=1)], validation_data=held_out, **FIT)

    run = finished(tmp_path)
    expected = {}
    for trial in run.ranking()["trial_id"]:
        model = seeded(run, build, trial)
        model.compile(optimizer(run, STEPS, trial), loss=compiling["loss"])
        model.fit(x, [y, x.sum(axis=1)], **FIT)
        total = model.predict(x_val, verbose=0)[1][:, 0]
        far = np.square(x_val.sum(axis=1) - total).sum()
        expected[trial] = 1 - far / np.square(x_val.sum(axis=1) - x_val.sum(axis=1).mean()).sum()
    assert run.best_trial_id == max(expected, key=expected.get)
    found = run.ranking().set_index("trial_id")["score"]
    assert dict(found) == pytest.approx(expected, rel=1e-4)


def test_layers_that_are_frozen_keep_their_weights(tmp_path):
    x, y = tiny.points()
    held_out = tiny.points(20, seed=1)

    def make_base():
        layers = [keras.layers.Dense(6, activation="relu"), keras.layers.BatchNormalization()]
        return keras.Sequential([keras.Input((4,)), *layers], name="base")

    keras.utils.set_random_seed(9)
    weights = [one + 0.1 for one in make_base().get_weights()]

    def build(hp):
        base = make_base()
        base.set_weights(weights)
        base.trainable = False
        out = keras.layers.Dense(2, activation="softmax", use_bias=hp.Boolean("bias"))
        return keras.Sequential([keras.Input((4,)), base, out])

    hypermodel = lrtune.ScheduleHyperModel(build, epochs=2, families=["linear"])
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    tuner.search(x, y, validation_data=held_out, **FIT)

    run = finished(tmp_path)
    for kept, given in zip(
        tuner.get_best_models()[0].get_layer("base").get_weights(), weights, strict=True
    ):
        np.testing.assert_array_equal(kept, given)
    model = seeded(run, build)
    model.compile(optimizer(run, STEPS), CROSS_ENTROPY, metrics=["accuracy"])
    assert_same(run, model.fit(x, y, epochs=2, validation_data=held_out, **FIT))


def test_text_that_the_model_itself_turns_into_numbers(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 40)
    x = np.array([f"a {('dull', 'great')[one]} film" for one in y])

    def build(hp):
        to_numbers = keras.layers.TextVectorization(
            vocabulary=["a", "film", "dull", "great"], output_sequence_length=5
        )
        return keras.Sequential(
            [
                keras.Input((), dtype="string"),
                to_numbers,
                keras.layers.Embedding(6, hp.Choice("width", [2, 4])),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )

    hypermodel = lrtune.ScheduleHyperModel(
        build, epochs=2, families=["cosine"], optimizer="adam", loss="binary_crossentropy"
    )
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    tuner.search(x[:30], y[:30], validation_data=(x[30:], y[30:]), **FIT)

    run = finished(tmp_path)
    model = seeded(run, build)
    model.compile(optimizer(run, 2), "binary_crossentropy", metrics=["accuracy"])
    train = tf.convert_to_tensor(x[:30]), y[:30]
    held_out = tf.convert_to_tensor(x[30:]), y[30:]
    assert_same(run, model.fit(*train, epochs=2, validation_data=held_out, **FIT))
