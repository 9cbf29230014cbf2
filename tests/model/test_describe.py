"""What a run records of its model: equal for the same model, different for any other."""

from __future__ import annotations

import dataclasses
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

import lrtune
from lrtune.errors import OtherSearchError
from lrtune.model.batches import fingerprint_of_batches
from lrtune.model.describe import describe_fit, describe_model, source_of
from tests.runner import tiny


def dense(hp=None, units=3, activation="relu", trainable=True, seed=0):
    inputs = keras.Input((4,))
    layer = keras.layers.Dense(
        units, activation, kernel_initializer=keras.initializers.GlorotUniform(seed)
    )
    layer.trainable = trainable
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(layer(inputs)))


def record(build=dense, **hypermodel):
    made = lrtune.ScheduleHyperModel(build, epochs=2, **hypermodel)
    model = made.build(space())
    return describe_model(made, model, partial(made.build, space()), None)


def space():
    import keras_tuner

    return keras_tuner.HyperParameters()


def test_the_same_function_has_the_same_record_however_many_models_keras_has_counted():
    first = record()
    [dense() for _ in range(3)]
    assert record() == first
    assert [line.split(" #")[0] for line in first.layers] == [
        "InputLayer (None, 4)",
        "Dense (None, 3), 15 weights",
        "Dense (None, 2), 8 weights",
    ]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, activation="softmax")

    def call(self, x):
        return self.dense(x)


class Doubled(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, activation="softmax")

    def call(self, x):
        return self.dense(2 * x)


CHANGES = {
    "units": {"build": partial(dense, units=4)},
    "activation": {"build": partial(dense, activation="tanh")},
    "loss": {"loss": "mse"},
    "metrics": {"metrics": ["mae"]},
    "loss weights": {"loss_weights": [2.0]},
    "settings of a loss": {"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1)},
    "a function as loss": {"loss": lambda y, p: keras.ops.mean(y - p)},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=list(CHANGES))
def test_another_model_or_loss_has_another_record(changes):
    plain = record(partial(dense))
    assert dataclasses.replace(record(**{"build": partial(dense), **changes})) != plain


def test_the_code_of_a_subclassed_model_is_part_of_it():
    one, other = record(lambda hp: Subclassed()), record(lambda hp: Doubled())
    assert one.architecture != other.architecture


def test_weights_that_are_not_trained_are_compared_where_each_build_has_the_same():
    def frozen(hp, value=1.0):
        model = dense(trainable=False)
        model.layers[1].set_weights([np.full((4, 3), value), np.zeros(3)])
        return model

    assert record(frozen).frozen == record(frozen).frozen != ""
    assert record(partial(frozen, value=2.0)).frozen != record(partial(frozen, value=1.0)).frozen
    drawn = partial(dense, trainable=False, seed=None)
    assert record(drawn).frozen == ""  # drawn anew for each trial


def test_comments_and_line_breaks_are_no_other_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    codes = {
        "code_a": "def build(hp):\n    return hp.get('a') + 1\n",
        "code_b": "def build(hp):\n    # why\n    return (hp.get('a')\n            + 1)\n",
        "code_c": "def build(hp):\n    return hp.get('a') + 2\n",
    }
    for name, text in codes.items():
        (tmp_path / f"{name}.py").write_text(text)
    one, same, other = (source_of(__import__(name).build) for name in codes)
    assert one == same != other
    assert source_of(partial(__import__("code_a").build, 1)) not in ("", one)
    assert source_of(len) == ""


def test_arguments_of_fit_are_recorded_without_data_and_paths():
    stop = keras.callbacks.EarlyStopping(patience=3)
    saved = keras.callbacks.ModelCheckpoint("a.keras")
    given = {"x": 1, "batch_size": 8, "class_weight": {0: 1.0, 1: 2.0}, "callbacks": [stop, saved]}
    found = describe_fit(given)
    assert set(found) == {"class_weight", "callbacks"}
    assert found["class_weight"] == {"0": 1.0, "1": 2.0}
    assert [one["class"] for one in found["callbacks"]] == ["EarlyStopping", "ModelCheckpoint"]
    assert found["callbacks"][0]["patience"] == 3
    assert describe_fit({"callbacks": [Mine(1)]}) == describe_fit({"callbacks": [Mine(2)]})
    assert describe_fit({"callbacks": [Mine(1)]}) != describe_fit({"callbacks": [Other(1)]})
    other = keras.callbacks.ModelCheckpoint("b.keras")
    assert describe_fit({"callbacks": [other]}) == describe_fit({"callbacks": [saved]})


class Mine(keras.callbacks.Callback):
    def __init__(self, process):
        super().__init__()
        self.process = process


class Other(Mine):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def search(folder, build, **fit):
    tuner = lrtune.RandomSearch(
        lrtune.ScheduleHyperModel(build, epochs=1),
        objective="val_loss",
        max_trials=1,
        seed=1,
        directory=folder,
        project_name="run",
        workers=1,
        baseline_seeds=0,
    )
    points = tiny.points()
    tuner.search(*points, validation_data=tiny.points(20, seed=1), verbose=0, **fit)
    return lrtune.load_run(folder / "run")


def test_a_search_with_an_edited_model_or_other_arguments_of_fit_is_refused(tmp_path):
    search(tmp_path, tiny.build)
    search(tmp_path, tiny.build)
    with pytest.raises(OtherSearchError, match=r"the model (was|had)|layer \d of the model"):
        search(tmp_path, dense)
    with pytest.raises(OtherSearchError, match=r"class_weight none, now 0=1.0 1=2.0\. "):
        search(tmp_path, tiny.build, class_weight={0: 1.0, 1: 2.0})


def test_the_dtype_policy_is_recorded_and_reaches_the_workers(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        tuner = lrtune.RandomSearch(
            lrtune.ScheduleHyperModel(tells_its_policy, epochs=1),
            objective="val_loss",
            max_trials=1,
            seed=1,
            directory=tmp_path,
            project_name="run",
            in_process=False,
            workers=1,
            baseline_seeds=0,
        )
        data = {"validation_data": tiny.points(20, seed=1)}
        tuner.search(*tiny.points(), verbose=0, **data)
    finally:
        keras.config.set_dtype_policy(before)
    run = lrtune.load_run(tmp_path / "run")
    assert run.records.manifest.model.dtype_policy == "mixed_bfloat16"
    assert [one.status for one in run.records.outcomes] == ["completed"]


def tells_its_policy(hp):
    policy = keras.config.dtype_policy().name
    if policy != "mixed_bfloat16":
        raise ValueError(policy)
    return tiny.build(hp)


def batches(shift=0.0, shuffle=False):
    x, y = tiny.points()
    data = tf.data.Dataset.from_tensor_slices((x + shift, y))
    return (data.shuffle(40) if shuffle else data).batch(8)


class Rows(keras.utils.PyDataset):
    def __init__(self, shift=0.0):
        super().__init__()
        self.x, self.y = tiny.points()
        self.x = self.x + shift

    @property
    def num_batches(self):
        return 2

    def __getitem__(self, index):
        return self.x[8 * index : 8 * index + 8], self.y[8 * index : 8 * index + 8]


@pytest.mark.parametrize("make", [batches, Rows])
def test_data_in_batches_are_told_apart_by_their_first_batch(make):
    one = fingerprint_of_batches({"x": make()})
    assert len(one) == 16
    assert fingerprint_of_batches({"x": make()}) == one
    assert fingerprint_of_batches({"x": make}) == one
    assert fingerprint_of_batches({"x": make(shift=1.0)}) != one


def test_of_data_that_are_drawn_anew_the_form_is_what_counts():
    drawn = [fingerprint_of_batches({"x": batches(shuffle=True)}) for _ in range(3)]
    assert len(set(drawn)) == 1
    longer = batches(shuffle=True).unbatch().batch(4)
    assert fingerprint_of_batches({"x": longer}) != drawn[0]


def test_a_generator_loses_none_of_its_batches_to_the_check():
    generator = iter([(1, 2)])
    assert fingerprint_of_batches({"x": generator}) == ""
    assert next(generator) == (1, 2)
