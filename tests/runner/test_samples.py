"""What is kept of each held-out sample is what plain predictions of the same model say."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf

from lrtune.data import load
from lrtune.model.hypermodel import CatsVsDogsHyperModel, ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner.worker import Trainer
from tests.runner import tiny
from tests.tasks import task_of

EPOCHS = 2
X, LABELS = tiny.points()
X_TEST, LABELS_TEST = tiny.points(30, seed=1)
TARGETS, TARGETS_TEST = X.sum(axis=1) * 3, X_TEST.sum(axis=1) * 3
VALUES = {"schedule": "constant", "lr0": 0.1, "momentum": 0.0}


class Predicts(keras.callbacks.Callback):
    """Keeps what the model that was measured predicts."""

    seen: list[np.ndarray] = []  # noqa: RUF012 - callbacks are copied for each training

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __deepcopy__(self, memo):
        return self

    def on_test_end(self, logs=None):
        self.seen[:] = [self.model.predict(self.x, verbose=0)]


def outcome_of(model, train, test, objective, seed=7, values=VALUES, epochs=EPOCHS, **more):
    x = test[0] if isinstance(test, tuple) else X_TEST
    fit = {
        "validation_data": test,
        "validation_freq": epochs,
        "batch_size": tiny.BATCH,
        "callbacks": [Predicts(x)],
        **more,
    }
    job = TrainingJob(model, train, fit, held_out=True, objective=objective)
    outcome = Trainer(job).run(task_of("0", values, seed, 0, epochs), lambda *_: None)
    assert outcome.status in ("completed", "diverged"), outcome.message
    return outcome


def right(predicted, labels):
    return (predicted.argmax(axis=1) == labels).tolist()


def dense(hp, units=1, activation=None, **kwargs):
    hidden = keras.layers.Dense(4, activation="relu")
    last = keras.layers.Dense(units, activation=activation, **kwargs)
    return keras.Sequential([keras.Input((4,)), hidden, last])


def regression(hp):
    return dense(hp)


def sigmoid(hp):
    return dense(hp, activation="sigmoid")


def softmax():
    return ScheduleHyperModel(tiny.build, epochs=EPOCHS)


def of(build, loss="mse", **kwargs):
    return ScheduleHyperModel(build, epochs=EPOCHS, loss=loss, **kwargs)


# Classification


def test_of_one_hot_labels_the_cnn_is_right_where_its_largest_output_is_the_label(tiny_images):
    data = load(str(tiny_images))
    model = CatsVsDogsHyperModel(epochs=EPOCHS, input_shape=(8, 8, 3))
    train, test = [(one.x, keras.utils.to_categorical(one.y, 2)) for one in (data.train, data.test)]
    outcome = outcome_of(model, train, test, "val_accuracy")
    assert outcome.samples.metric == "val_accuracy"
    assert outcome.samples.values.dtype == bool
    assert outcome.samples.values.tolist() == right(Predicts.seen[0], data.test.y)
    assert outcome.samples.mean == pytest.approx(outcome.epochs[-1]["val_accuracy"], abs=1e-6)


def test_the_second_training_of_a_compiled_model_has_samples_of_its_own():
    fit = {"validation_data": (X_TEST, LABELS_TEST), "validation_freq": EPOCHS}
    fit["callbacks"] = [Predicts(X_TEST)]
    job = TrainingJob(softmax(), (X, LABELS), fit, held_out=True, objective="val_accuracy")
    trainer, found = Trainer(job), []
    for seed in (1, 2):
        outcome = trainer.run(task_of("0", VALUES, seed, 0, EPOCHS), lambda *_: None)
        assert outcome.samples.values.tolist() == right(Predicts.seen[0], LABELS_TEST)
        found.append(outcome.samples)
    assert found[0].order == found[1].order
    assert found[0].values.tolist() != found[1].values.tolist()


def test_of_a_sigmoid_more_than_one_half_is_the_second_class():
    model = of(sigmoid, "binary_crossentropy")
    outcome = outcome_of(model, (X, LABELS), (X_TEST, LABELS_TEST), "val_accuracy")
    expected = (Predicts.seen[0][:, 0] > 0.5) == LABELS_TEST
    assert outcome.samples.values.tolist() == expected.tolist()


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)


class Compiled(keras_tuner.HyperModel):
    def build(self, hp):
        model = Subclassed()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        top = keras.metrics.SparseTopKCategoricalAccuracy(1, name="top")
        model.compile("adam", loss, metrics=[top])
        return model


@pytest.mark.parametrize("name", ["top", "loss"])
def test_a_model_of_a_class_of_ones_own_with_a_metric_that_has_settings(name):
    test = X_TEST, LABELS_TEST
    outcome = outcome_of(Compiled(), (X, LABELS), test, f"val_{name}", values={})
    (logits,) = Predicts.seen
    if name == "top":
        assert outcome.samples.values.tolist() == right(logits, LABELS_TEST)
        return
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(30), LABELS_TEST])
    assert outcome.samples.values == pytest.approx(expected, rel=1e-3)


def two_inputs(hp):
    inputs = {name: keras.Input((2,), name=name) for name in ("left", "right")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(joined))


def test_a_model_with_two_inputs_and_labels_in_a_column():
    model = of(two_inputs, "sparse_categorical_crossentropy")
    train, test = [
        ({"left": x[:, :2], "right": x[:, 2:]}, labels[:, None])
        for x, labels in ((X, LABELS), (X_TEST, LABELS_TEST))
    ]
    outcome = outcome_of(model, train, test, "val_accuracy")
    assert outcome.samples.values.tolist() == right(Predicts.seen[0], LABELS_TEST)


def at_each_step(hp):
    return keras.Sequential([keras.Input((4, 1)), keras.layers.Dense(2, activation="softmax")])


def test_of_a_sequence_the_share_that_is_right_is_kept():
    model = of(at_each_step, "sparse_categorical_crossentropy")
    train, test = [(x[:, :, None], (x > 0.3).astype("int32")) for x in (X, X_TEST)]
    outcome = outcome_of(model, train, test, "val_accuracy")
    expected = (Predicts.seen[0].argmax(axis=2) == test[1]).mean(axis=1)
    assert outcome.samples.values.dtype == np.float16
    assert outcome.samples.values.tolist() == expected.tolist()


# Losses


@pytest.mark.parametrize(
    ("objective", "expected"),
    [("val_loss", np.square), ("val_mae", np.abs), ("val_root_mean_squared_error", np.square)],
)
def test_of_a_regression_the_samples_have_their_errors(objective, expected):
    model = of(regression, metrics=["mae", keras.metrics.RootMeanSquaredError()])
    outcome = outcome_of(model, (X, TARGETS), (X_TEST, TARGETS_TEST), objective)
    known = "val_mae" if objective == "val_mae" else "val_loss"  # a root is no mean over samples
    assert outcome.samples.metric == known
    assert outcome.samples.values.dtype == np.float16
    errors = expected(Predicts.seen[0][:, 0] - TARGETS_TEST)
    assert outcome.samples.values == pytest.approx(errors, rel=1e-3)
    assert outcome.samples.mean == pytest.approx(outcome.epochs[-1][known], rel=1e-3)


def test_losses_too_large_for_float16_are_kept_as_float32():
    test = X_TEST, TARGETS_TEST * 1e4
    outcome = outcome_of(of(regression), (X, TARGETS), test, "val_loss")
    assert outcome.samples.values.dtype == np.float32
    errors = np.square(Predicts.seen[0][:, 0] - test[1])
    assert outcome.samples.values == pytest.approx(errors, rel=1e-5)


# Where the mean of what is known is not the score


def two_outputs(hp):
    x = keras.Input((4,))
    return keras.Model(x, [keras.layers.Dense(1, name=name)(x) for name in "ab"])


def regularized(hp):
    return dense(hp, kernel_regularizer=keras.regularizers.L2(0.01))


def draws(hp):
    """Adds noise when it predicts, too."""

    class Noise(keras.layers.Layer):
        def call(self, x):
            return x + tf.random.normal(tf.shape(x))

    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1), Noise()])


WEIGHTS = np.linspace(0.1, 2, 30).astype("float32")
UNKNOWN = {
    "two outputs": (of(two_outputs), (X, [TARGETS] * 2), (X_TEST, [TARGETS_TEST] * 2)),
    "weights": (of(regression), (X, TARGETS), (X_TEST, TARGETS_TEST, WEIGHTS)),
    "regularization": (of(regularized), (X, TARGETS), (X_TEST, TARGETS_TEST)),
    "a sum": (
        of(regression, keras.losses.MeanSquaredError("sum")),
        *((X, TARGETS), (X_TEST, TARGETS_TEST)),
    ),
    "random predictions": (of(draws), (X, TARGETS), (X_TEST, TARGETS_TEST)),
}


@pytest.mark.parametrize(("model", "train", "test"), UNKNOWN.values(), ids=UNKNOWN)
def test_nothing_is_kept_where_the_samples_do_not_average_to_the_score(model, train, test):
    outcome = outcome_of(model, train, test, "val_loss", values={**VALUES, "lr0": 1e-3})
    assert "val_loss" in outcome.epochs[-1]
    assert outcome.samples is None


@pytest.mark.parametrize("where", ["metrics", "weighted_metrics"])
def test_nothing_is_kept_of_weighted_samples_even_if_the_means_are_equal_by_chance(where):
    model = of(tiny.build, "sparse_categorical_crossentropy", **{where: ["accuracy"]})
    weights = np.where(np.arange(30) % 2, 0.1, 2.0)
    outcome = outcome_of(model, (X, LABELS), (X_TEST, LABELS_TEST, weights), "val_accuracy")
    correct = np.array(right(Predicts.seen[0], LABELS_TEST))
    assert np.average(correct, weights=weights) == pytest.approx(correct.mean())
    assert outcome.samples is None


@pytest.mark.parametrize(("held_out", "objective"), [(True, None), (False, "val_accuracy")])
def test_a_search_keeps_nothing_of_its_validation_data(held_out, objective):
    fit = tiny.fit_kwargs()
    job = TrainingJob(softmax(), (X, LABELS), fit, held_out=held_out, objective=objective)
    outcome = Trainer(job).run(task_of("0", VALUES, 7, 0, 1), lambda *_: None)
    assert (outcome.status, outcome.samples) == ("completed", None)


# Data that come in batches


class Batches(keras.utils.PyDataset):
    num_batches = 4

    def __getitem__(self, index):
        rows = slice(index * 8, index * 8 + 8)
        return X_TEST[rows], LABELS_TEST[rows]


def generator():
    while True:
        for index in range(4):
            yield Batches()[index]


def dataset():
    return tf.data.Dataset.from_tensor_slices((X_TEST, LABELS_TEST)).batch(8)


@pytest.mark.parametrize(
    ("test", "more"),
    [
        (dataset, {}),
        (lambda: dataset().repeat(), {"validation_steps": 4}),
        (Batches, {}),
        (generator, {"validation_steps": 4}),
        (lambda: (X_TEST, LABELS_TEST), {"validation_batch_size": 7}),
    ],
    ids=["dataset", "endless dataset", "PyDataset", "generator", "arrays"],
)
@pytest.mark.parametrize("train", ["arrays", "dataset"])
def test_batches_of_any_kind_are_the_same_samples_in_the_same_order(test, more, train):
    arrays = outcome_of(softmax(), (X, LABELS), (X_TEST, LABELS_TEST), "val_accuracy")
    if train == "dataset":
        args = (tf.data.Dataset.from_tensor_slices((X, LABELS)).batch(16),)
        more = {**more, "batch_size": more.get("validation_batch_size")}
    else:
        args = (X, LABELS)
    outcome = outcome_of(softmax(), args, test(), "val_accuracy", **more)
    assert outcome.samples.values.tolist() == right(Predicts.seen[0], LABELS_TEST)
    assert outcome.samples.order == arrays.samples.order


def test_shuffled_samples_are_in_another_order_for_each_training():
    shuffled = tf.data.Dataset.from_tensor_slices((X_TEST, LABELS_TEST)).shuffle(30).batch(8)
    one, other = (
        outcome_of(softmax(), (X, LABELS), shuffled, "val_accuracy").samples for _ in range(2)
    )
    assert one.mean == other.mean
    assert one.order != other.order


def test_the_order_tells_samples_of_equal_labels_apart():
    order = np.argsort(LABELS_TEST, kind="stable")
    x, y = X_TEST[order], LABELS_TEST[order]
    swapped = x.copy()
    swapped[[0, 1]] = x[[1, 0]]
    one, other = (
        outcome_of(softmax(), (X, LABELS), (inputs, y), "val_accuracy").samples
        for inputs in (x, swapped)
    )
    assert one.order != other.order


class Closed(Batches):
    """Cannot be read any more once it was, as a connection that was closed."""

    closed = False

    def __getitem__(self, index):
        if self.closed:
            raise ConnectionError("closed")
        return super().__getitem__(index)


def test_data_that_cannot_be_read_again_cost_the_samples_only():
    test = Closed()
    close = keras.callbacks.LambdaCallback()
    last = test.num_batches - 1  # not earlier: Keras reads ahead of what it measures
    close.on_test_batch_end = lambda batch, logs: setattr(Closed, "closed", batch >= last)
    outcome = outcome_of(softmax(), (X, LABELS), test, "val_accuracy", callbacks=[close])
    assert Closed.closed
    assert outcome.status == "completed"
    assert outcome.samples is None


# What the samples belong to


class Forgets(keras.callbacks.Callback):
    """Leaves other weights than those that were measured, as callbacks do that average them."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([-one for one in self.model.get_weights()])


def test_the_samples_are_those_of_the_weights_that_were_measured():
    more = {"callbacks": [Predicts(X_TEST), Forgets()]}
    test = X_TEST, LABELS_TEST
    outcome = outcome_of(softmax(), (X, LABELS), test, "val_accuracy", **more)
    assert outcome.samples.values.tolist() == right(Predicts.seen[0], LABELS_TEST)


@pytest.mark.parametrize("epochs", [1, 4])
def test_of_a_training_that_diverged_they_are_those_of_its_last_weights(epochs):
    hot = {**VALUES, "lr0": 1e4, "momentum": 0.9, "kind": "deep"}
    test = X_TEST, LABELS_TEST
    outcome = outcome_of(softmax(), (X, LABELS), test, "val_accuracy", values=hot, epochs=epochs)
    assert outcome.status == "diverged"
    assert outcome.samples.mean == pytest.approx(outcome.untrained["val_accuracy"], abs=1e-6)


@pytest.mark.parametrize("model", [softmax(), tiny.AdamModel()], ids=["compiled once", "any"])
def test_no_number_of_a_training_depends_on_them(model):
    test = X_TEST, LABELS_TEST
    values = {**VALUES, "rate": 0.03}
    kept, plain = (
        outcome_of(model, (X, LABELS), test, objective, values=values, callbacks=[])
        for objective in ("val_accuracy", None)
    )
    assert kept.samples is not None
    assert plain.samples is None
    assert tiny.without_seconds(kept.epochs) == tiny.without_seconds(plain.epochs)
    assert kept.untrained == plain.untrained
    for name, array in plain.state.items():
        assert kept.state[name].tobytes() == array.tobytes(), name
