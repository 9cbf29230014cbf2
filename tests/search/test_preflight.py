"""A fault that every trial would share is named before anything is trained."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import lrtune
from lrtune.errors import LrtuneError
from lrtune.search import preflight
from lrtune.search.preflight import check_search
from tests.runner import tiny

X, Y = tiny.points()
VALIDATION = {"validation_data": tiny.points(20, seed=1)}
ONE_HOT = {"validation_data": (X, keras.utils.to_categorical(Y))}


def regression(hp):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


def logits(hp):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def two_outputs(hp):
    inputs = keras.Input((4,))
    outputs = [keras.layers.Dense(2, activation="softmax", name=name)(inputs) for name in "ab"]
    return keras.Model(inputs, outputs)


def with_f1(hp):
    model = tiny.build(hp)
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
    return model


def spoiled(array, position, value):
    array = array.astype("float32").copy()
    array[position] = value
    return array


def fault(hypermodel, given, model):
    """What is wrong with the arguments of a search, None if nothing is."""
    try:
        check_search(hypermodel, given, "loss", model)
    except LrtuneError as error:
        return str(error)
    return None


def message(tmp_path, *args, build=tiny.build, objective="val_loss", **kwargs):
    tuner = lrtune.RandomSearch(
        lrtune.ScheduleHyperModel(build, epochs=2),
        objective=objective,
        max_trials=1,
        seed=1,
        directory=str(tmp_path),
        project_name="run",
        workers=1,
    )
    with pytest.raises(LrtuneError) as error:
        tuner.search(*args, verbose=0, **kwargs)
    assert not (tmp_path / "run").exists()  # nothing was trained or written
    return str(error.value)


FAULTS = {
    "objective that is not measured": (
        {"args": (X, Y), "objective": "val_f1_score", **VALIDATION},
        (
            "objective must be what the model measures: val_accuracy, val_loss, accuracy, loss. "
            "Received: val_f1_score."
        ),
    ),
    "metric with a value for each class": (
        {"args": (X, keras.utils.to_categorical(Y)), "build": with_f1, **ONE_HOT},
        (
            "metrics must be single numbers. Received: f1_score with 2 values; let the metric "
            "average them (average='macro' in keras.metrics.F1Score)."
        ),
    ),
    "one unit": (
        {"args": (X, Y), "build": regression, **VALIDATION},
        (
            "loss must be given: the model's output has one unit, and the default, cross-entropy, "
            "needs one for each class. Give loss='binary_crossentropy' for a sigmoid, or 'mse' for "
            "a regression."
        ),
    ),
    "logits": (
        {"args": (X, Y), "build": logits, **VALIDATION},
        (
            "loss must be given: the model's output has no activation, and the default, "
            "cross-entropy, needs probabilities. Give the last layer activation='softmax', or a "
            "loss that takes logits: keras.losses.SparseCategoricalCrossentropy(from_logits=True)."
        ),
    ),
    "several outputs": (
        {"args": (X, [Y, Y]), "build": two_outputs, "validation_split": 0.5},
        "loss must be given: the model has 2 outputs, a, b, and the default is for one.",
    ),
    "a class too many": (
        {"args": (X, spoiled(Y, 7, 2)), **VALIDATION},
        (
            "y must hold classes from 0 to 1, as the model's output has 2 units. Received: 2.0 at "
            "position [7]."
        ),
    ),
    "a label between classes": (
        {"args": (X, spoiled(Y, 3, 0.5)), **VALIDATION},
        (
            "y must hold classes from 0 to 1, as the model's output has 2 units. Received: 0.5 at "
            "position [3]."
        ),
    ),
    "labels of another length": (
        {"args": (X, Y[:30]), **VALIDATION},
        "all arrays must have the same length. Received: x has 40, y has 30.",
    ),
    "validation labels of another length": (
        {"args": (X, Y), "validation_data": (X[:20], Y[:10])},
        "validation_data: all arrays must have the same length. Received: x has 20, y has 10.",
    ),
    "labels as text": (
        {"args": (X, np.array(["cat", "dog"] * 20)), **VALIDATION},
        (
            "y must hold numbers. Received: 'cat'. Encode classes as 0, 1, 2, ..., with "
            "keras.layers.StringLookup for example."
        ),
    ),
    "NaN in x": (
        {"args": (spoiled(X, (5, 2), np.nan), Y), **VALIDATION},
        "x must hold finite numbers. Received: nan at position [5, 2].",
    ),
    "infinity in the second input": (
        {"args": ([X, spoiled(X, (39, 0), np.inf)], Y), **VALIDATION},
        "x[1] must hold finite numbers. Received: inf at position [39, 0].",
    ),
    "NaN in y": (
        {"args": (X, spoiled(Y, 4, np.nan)), **VALIDATION},
        "y must hold finite numbers. Received: nan at position [4].",
    ),
    "NaN in the validation data": (
        {"args": (X, Y), "validation_data": (spoiled(X[:9], (8, 3), np.nan), Y[:9])},
        "validation_data: x must hold finite numbers. Received: nan at position [8, 3].",
    ),
    "text beside numbers": (
        {"args": (pd.DataFrame({"area": X[:, 0], "city": "Bonn"}), Y), "validation_split": 0.2},
        (
            "x must hold numbers, or text alone. Received: 'Bonn' at position [0, 1]. Encode it as "
            "numbers, or give it as an input of its own."
        ),
    ),
    "dates": (
        {
            "args": (pd.DataFrame({"day": [pd.Timestamp("2024-02-29")] * 40, "area": X[:, 0]}), Y),
            "validation_split": 0.2,
        },
        (
            "x must hold numbers, or text alone. Received: '2024-02-29 00:00:00' at position "
            "[0, 0]. Encode it as numbers, or give it as an input of its own."
        ),
    ),
    "a missing value in a frame": (
        {
            "args": (pd.DataFrame({"n": pd.array([1, None] * 20, dtype="Int64"), "m": 1.5}), Y),
            "validation_split": 0.2,
        },
        "x must hold finite numbers. Received: nan at position [1, 0].",
    ),
    "no validation data": (
        {"args": (X, Y)},
        (
            "objective val_loss is measured on validation data, and there are none: give "
            "validation_data= or validation_split=, or choose the objective loss."
        ),
    ),
}


@pytest.mark.parametrize(("given", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_data_or_loss_is_one_sentence(given, expected, tmp_path):
    given = dict(given)
    assert message(tmp_path, *given.pop("args"), **given) == expected


@pytest.mark.parametrize(
    ("callback", "remedy"),
    [
        (keras.callbacks.ReduceLROnPlateau(), "search the family plateau instead"),
        (keras.callbacks.LearningRateScheduler(lambda epoch: 0.1), "search a schedule family"),
        (keras.callbacks.BackupAndRestore("backup"), "lrtune resumes a search by itself"),
    ],
)
def test_a_callback_that_fights_the_search_is_refused(callback, remedy, tmp_path):
    said = message(tmp_path, X, Y, callbacks=[callback], **VALIDATION)
    assert said.startswith(f"callbacks must not hold {type(callback).__name__}: ")
    assert remedy in said


@pytest.mark.parametrize(
    "labels", [Y, Y[:, None], Y.astype("float64"), Y.astype(bool), np.eye(2)[Y]], ids=str
)
def test_labels_that_fit_are_left_alone(labels):
    hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=2)
    model = tiny.build(keras_tuner.HyperParameters())
    assert fault(hypermodel, {"x": X, "y": labels}, model) is None


def test_tensors_are_checked_like_arrays(tmp_path):
    x = tf.convert_to_tensor(spoiled(X, (5, 2), np.nan))
    said = message(tmp_path, x, tf.convert_to_tensor(Y), **VALIDATION)
    assert said == "x must hold finite numbers. Received: nan at position [5, 2]."


def test_a_model_that_has_its_own_rate_may_have_callbacks_that_set_it():
    given = {"x": X, "y": Y, "callbacks": [keras.callbacks.ReduceLROnPlateau()]}
    assert fault(tiny.AdamModel(), given, None) is None


def test_the_first_position_is_found_in_later_parts_of_a_large_array():
    x = np.zeros((preflight._ROWS + 10, 2), "float32")
    x[preflight._ROWS + 3, 1] = -np.inf
    assert preflight._first_not_finite(x) == ((preflight._ROWS + 3, 1), -np.inf)


def test_a_model_that_is_built_once_for_all_is_left_as_it_was(tmp_path):
    model = tiny.build(keras_tuner.HyperParameters())
    model.compile("sgd", "sparse_categorical_crossentropy")
    given = {"x": X, "y": Y, **VALIDATION}
    check_search(lrtune.ScheduleHyperModel(lambda hp: model, epochs=1), given, "val_loss", model)
    assert not model.run_eagerly
    assert model.test_function is None


@pytest.mark.parametrize(("metrics", "runs"), [(None, 0), (["accuracy"], 4)])
def test_no_model_is_run_to_know_the_metrics_of_the_readings_cnn(metrics, runs):
    images, labels = np.zeros((4, 8, 8, 1), "float32"), np.array([0, 1, 0, 1])
    given = {"x": images, "y": labels, "validation_data": (images, labels)}
    hypermodel = lrtune.CatsVsDogsHyperModel(epochs=1, input_shape=(8, 8, 1), metrics=metrics)
    model = hypermodel.build(keras_tuner.HyperParameters())
    evaluate, ran = model.evaluate, []
    model.evaluate = lambda *args, **kwargs: ran.append(args) or evaluate(*args, **kwargs)
    for name in ("val_accuracy", "val_loss", "accuracy", "loss"):
        check_search(hypermodel, given, name, model)
    assert len(ran) == runs
