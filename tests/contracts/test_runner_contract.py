"""What every runner owes: the numbers depend on the task alone, and all of it is told."""

from __future__ import annotations

import functools
import math
import threading
from collections import defaultdict, deque

import keras
import keras_tuner
import numpy as np
import pytest

from lrtune import schedules
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner import RunOptions, make_runner
from lrtune.runner.inprocess import InProcessRunner
from lrtune.runner.local import LocalRunner
from lrtune.runner.ray import RayRunner
from tests.runner import tiny
from tests.tasks import task_of

SEED = 11


def schedule_job():
    return TrainingJob(
        ScheduleHyperModel(tiny.build, epochs=tiny.EPOCHS), tiny.points(), tiny.fit_kwargs()
    )


@pytest.fixture(scope="module")
def in_process():
    with InProcessRunner(schedule_job()) as runner:
        yield runner


@pytest.fixture(scope="module")
def workers():
    with LocalRunner(schedule_job(), 2) as runner:
        yield runner


@pytest.fixture(scope="module")
def ray(cluster):
    with make_runner(schedule_job(), RunOptions(2, runner=RayRunner()), print) as runner:
        yield runner


RAY = pytest.param("ray", marks=pytest.mark.long)


@pytest.fixture(scope="module", params=["in_process", "workers", RAY])
def runner(request):
    return request.getfixturevalue(request.param)


def task(name, values, first=0, last=tiny.EPOCHS, state=None, seed=SEED):
    return task_of(name, values, seed, first, last, state)


def run(runner, *tasks):
    """The outcomes of tasks, in their order; every epoch must be told before its outcome."""
    told, outcomes = defaultdict(list), {}
    waiting = deque(tasks)

    def tell(trial_id, record):
        assert threading.current_thread() is threading.main_thread()
        told[trial_id].append(record)

    while waiting or runner.running:
        while waiting and runner.running < runner.slots:
            runner.submit(waiting.popleft())
        assert 1 <= runner.running <= runner.slots
        for outcome in runner.wait(tell):
            assert told[outcome.task.trial_id] == list(outcome.epochs)
            outcomes[outcome.task.trial_id] = outcome
    return [outcomes[one.trial_id] for one in tasks]


@functools.cache
def whole(runner, epochs=tiny.EPOCHS):
    """Each family trained in one go."""
    tasks = (task(name, values, last=epochs) for name, values in tiny.VALUES.items())
    outcomes = run(runner, *tasks)
    assert [outcome.message for outcome in outcomes] == [None] * len(outcomes)
    return dict(zip(tiny.VALUES, outcomes, strict=True))


def in_parts(runner, names, ends):
    """The same trainings in parts that end with these epochs: all records, the last outcome."""
    first, states, records = 0, dict.fromkeys(names), defaultdict(list)
    outcomes = []
    for last in ends:
        outcomes = run(
            runner, *(task(name, tiny.VALUES[name], first, last, states[name]) for name in names)
        )
        for name, outcome in zip(names, outcomes, strict=True):
            assert outcome.status == "completed", outcome.message
            assert outcome.task == task(name, tiny.VALUES[name], first, last)  # without the state
            states[name] = outcome.state
            records[name] += outcome.epochs
        first = last
    return {name: (records[name], outcome) for name, outcome in zip(names, outcomes, strict=True)}


def assert_same(records, outcome, expected):
    assert tiny.without_seconds(records) == tiny.without_seconds(expected.epochs)
    assert outcome.untrained == expected.untrained
    assert_same_state(outcome.state, expected.state)


def assert_same_state(state, expected):
    assert list(state) == list(expected)
    for name, array in expected.items():
        assert state[name].dtype == array.dtype
        assert state[name].tobytes() == array.tobytes(), name


def test_one_epoch_and_one_and_two_more_are_four_bit_for_bit(runner):
    # One family with momentum whose rate changes at every step, one without momentum.
    for name, (records, outcome) in in_parts(runner, ["time", "step"], [1, 2, 4]).items():
        assert_same(records, outcome, whole(runner)[name])


def test_one_epoch_and_three_more_are_four_bit_for_bit(runner):
    ((records, outcome),) = in_parts(runner, ["exponential"], [1, 4]).values()
    assert_same(records, outcome, whole(runner)["exponential"])


@pytest.mark.long
@pytest.mark.parametrize(
    "ends", [[1, 2, 4], [1, 4], [2, 3, 4], [1, 2, 3, 4], [3, 9], [1, 3, 9]], ids=str
)
def test_any_parts_of_any_family_are_the_whole_bit_for_bit(runner, ends):
    for name, (records, outcome) in in_parts(runner, list(tiny.VALUES), ends).items():
        assert_same(records, outcome, whole(runner, ends[-1])[name])


@pytest.mark.parametrize("name", tiny.VALUES)
def test_the_recorded_rates_are_those_of_the_first_and_the_last_step(runner, name):
    values = tiny.VALUES[name]
    records = whole(runner)[name].epochs
    last_step = tiny.STEPS - 1
    assert [one["epoch"] for one in records] == [1, 2, 3, 4]
    assert [one["lr"] for one in records] == pytest.approx(
        [tiny.rate(values, epoch, 0) for epoch in range(4)], rel=1e-6
    )
    assert [one["lr_last"] for one in records] == pytest.approx(
        [tiny.rate(values, epoch, last_step) for epoch in range(4)], rel=1e-6
    )


@pytest.mark.parametrize("name", tiny.VALUES)
def test_the_recorded_rates_are_those_of_the_schedules_table(runner, name):
    parameters = {key.partition(".")[2] or key: value for key, value in tiny.VALUES[name].items()}
    schedule = schedules.get(parameters.pop("schedule"))
    parameters.pop("momentum")
    table = schedule(**parameters).table(tiny.EPOCHS, tiny.STEPS)
    records = whole(runner)[name].epochs
    assert [one["lr"] for one in records] == table[:: tiny.STEPS].tolist()
    assert [one["lr_last"] for one in records] == table[tiny.STEPS - 1 :: tiny.STEPS].tolist()


@pytest.mark.parametrize("other", ["workers", RAY])
def test_all_runners_give_the_same_numbers(in_process, other, request):
    for name, expected in whole(in_process).items():
        found = whole(request.getfixturevalue(other))[name]
        assert_same(found.epochs, found, expected)


def test_an_outcome_has_all_that_keras_logs(runner):
    outcome = whole(runner)["time"]
    assert list(outcome.epochs[0]) == [
        *("epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy", "lr_last", "seconds")
    ]
    assert sorted(outcome.untrained) == ["val_accuracy", "val_loss"]
    assert outcome.seconds > sum(one["seconds"] for one in outcome.epochs) > 0


def test_the_seed_decides_the_numbers(runner):
    values = tiny.VALUES["constant"]
    (other,) = run(runner, task("constant", values, last=1, seed=SEED + 1))
    assert other.epochs[0]["loss"] != whole(runner)["constant"].epochs[0]["loss"]


def test_a_model_that_cannot_be_built_fails_with_its_traceback(runner):
    values = tiny.VALUES["time"]
    raises, nothing = run(
        runner,
        task("raises", {**values, "kind": "raises"}),
        task("nothing", {**values, "kind": "nothing"}),
    )
    for outcome, error in (
        (raises, "ValueError: no such layer"),
        (
            nothing,
            (
                "lrtune.errors.ArgumentError: build_model must return a keras.Model. "
                "Received: None of type NoneType."
            ),
        ),
    ):
        assert outcome.status == "failed"
        first, blank, *traceback = outcome.message.splitlines()
        said = error.removeprefix("lrtune.errors.")
        assert (first.removesuffix(" (tiny.py, line 62)"), blank) == (said, "")
        assert traceback[0] == "Traceback (most recent call last):"
        assert outcome.message.strip().splitlines()[-1] == error
        assert (outcome.epochs, outcome.state) == ((), None)


def test_a_rate_of_10000_diverges_at_most_one_epoch_after_plain_keras_left_all_bounds(runner):
    values = {"schedule": "constant", "lr0": 1e4, "momentum": 0.9, "kind": "deep"}
    (outcome,) = run(runner, task("hot", values))

    keras.utils.set_random_seed(SEED)
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    model = tiny.build(hp)
    model.compile(
        keras.optimizers.SGD(1e4, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    x, y = tiny.fit_kwargs()["validation_data"]
    untrained = model.evaluate(x, y, batch_size=tiny.BATCH, verbose=0, return_dict=True)
    losses = model.fit(*tiny.points(), batch_size=tiny.BATCH, epochs=4, verbose=0).history["loss"]
    lost = [not math.isfinite(loss) or loss > 10 * untrained["loss"] for loss in losses]

    assert outcome.status == "diverged"
    assert len(outcome.epochs) <= lost.index(True) + 2
    assert outcome.message.startswith(f"epoch {len(outcome.epochs)}: ")
    assert outcome.state is None
    # What either objective is told of it.
    assert outcome.untrained == {
        "val_loss": pytest.approx(untrained["loss"], rel=1e-6),
        "val_accuracy": pytest.approx(untrained["accuracy"], rel=1e-6),
    }


@pytest.mark.parametrize("ends", [[1, 2, 4], pytest.param([1, 4], marks=pytest.mark.long)], ids=str)
def test_a_generic_hypermodel_with_adam_and_dropout_continues_bit_for_bit(ends):
    runner = InProcessRunner(TrainingJob(tiny.AdamModel(), tiny.points(), tiny.fit_kwargs()))
    records = assert_adam_continues(runner, ends)
    assert [one["lr"] for one in records] == pytest.approx([0.03] * 4)


@pytest.mark.long
def test_adam_continues_bit_for_bit_in_workers_as_in_this_process():
    job = TrainingJob(tiny.AdamModel(), tiny.points(), tiny.fit_kwargs())
    with LocalRunner(job, 2) as workers:
        there = [assert_adam_continues(workers, ends) for ends in ([3, 9], [1, 3, 9])]
    here = assert_adam_continues(InProcessRunner(job), [3, 9])
    for records in there:
        assert tiny.without_seconds(records) == tiny.without_seconds(here)


def assert_adam_continues(runner, ends):
    """Trains in one go and in parts, compares all of both, returns the records."""
    values = {"rate": 0.03}
    (expected,) = run(runner, task("adam", values, last=ends[-1]))
    first, state, records = 0, None, []
    for last in ends:
        (outcome,) = run(runner, task("adam", values, first, last, state))
        first, state = last, outcome.state
        records += outcome.epochs
    assert_same(records, outcome, expected)
    return records


class WithoutInput(keras_tuner.HyperModel):
    """As many write models: Keras learns the input's shape from the first batch."""

    def build(self, hp):
        model = keras.Sequential(
            [keras.layers.Dropout(0.2), keras.layers.Dense(2, activation="softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


def test_a_model_that_learns_its_input_shape_from_the_data_continues_bit_for_bit():
    runner = InProcessRunner(TrainingJob(WithoutInput(), tiny.points(), tiny.fit_kwargs()))
    (expected,) = run(runner, task("a", {}, 0, 2))
    (first,) = run(runner, task("a", {}, 0, 1))
    (second,) = run(runner, task("a", {}, 1, 2, first.state))
    assert second.message is None
    assert_same([*first.epochs, *second.epochs], second, expected)


def test_the_recorded_rate_is_the_one_a_callback_of_the_users_sets():
    by_epoch = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    job = TrainingJob(
        tiny.AdamModel(), tiny.points(), {**tiny.fit_kwargs(), "callbacks": [by_epoch]}
    )
    (outcome,) = run(InProcessRunner(job), task("a", {"rate": 0.03}, 0, 3))
    assert [one["lr"] for one in outcome.epochs] == pytest.approx([0.1, 0.05, 0.1 / 3])


def test_a_state_of_another_model_fails_and_says_so(in_process):
    state = {**whole(in_process)["time"].state}
    state.pop("model/0")
    (outcome,) = run(in_process, task("a", tiny.VALUES["time"], 1, 2, state))
    assert outcome.status == "failed"
    assert (
        outcome.message.strip()
        .splitlines()[-1]
        .startswith("lrtune.errors.ArgumentError: the saved state has ")
    )
    assert outcome.message.strip().endswith("the hypermodel changed since the trial was trained.")


class Predicts(keras.callbacks.Callback):
    """Writes what the trained model predicts of the held-out data; the workers do, too."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_test_end(self, logs=None):
        predicted = self.model.predict(tiny.fit_kwargs()["validation_data"][0], verbose=0)
        np.save(self.folder / f"{len(list(self.folder.iterdir()))}.npy", predicted)


def held_out_job(folder, **more):
    fit = {**tiny.fit_kwargs(), "validation_freq": tiny.EPOCHS, "callbacks": [Predicts(folder)]}
    hypermodel = ScheduleHyperModel(tiny.build, epochs=tiny.EPOCHS)
    return TrainingJob(hypermodel, tiny.points(), fit, **{"held_out": True, **more})


def on_ray(job):
    return make_runner(job, RunOptions(1, runner=RayRunner()), print)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(InProcessRunner, id="in_process"),
        pytest.param(lambda job: LocalRunner(job, 1), id="workers"),
        pytest.param(on_ray, id="ray", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("objective", ["val_accuracy", "val_loss"])
def test_an_outcome_says_how_each_held_out_sample_did(make, objective, tmp_path, request):
    if make is on_ray:
        request.getfixturevalue("cluster")
    labels = tiny.fit_kwargs()["validation_data"][1]
    with make(held_out_job(tmp_path, objective=objective)) as runner:
        names = ["time", "step"]
        outcomes = run(runner, *(task(name, tiny.VALUES[name]) for name in names))
    for number, outcome in enumerate(outcomes):
        predicted = np.load(tmp_path / f"{number}.npy")
        if objective == "val_accuracy":
            assert outcome.samples.values.tolist() == (predicted.argmax(axis=1) == labels).tolist()
        else:
            losses = -np.log(predicted[np.arange(len(labels)), labels])
            assert outcome.samples.values == pytest.approx(losses, rel=1e-3)
        assert outcome.samples.metric == objective
        assert outcome.samples.mean == pytest.approx(outcome.epochs[-1][objective], rel=1e-3)
    assert len({outcome.samples.order for outcome in outcomes}) == 1


def test_an_outcome_of_a_search_says_nothing_of_single_samples(runner):
    assert [outcome.samples for outcome in whole(runner).values()] == [None] * len(tiny.VALUES)


def test_waiting_for_nothing_ends_at_once(runner):
    assert (runner.running, runner.wait(lambda *_: None)) == (0, [])


@pytest.mark.parametrize("name", ["step", "exponential"])
def test_where_the_parents_state_is_lost_the_epochs_before_are_trained_again(runner, name):
    (outcome,) = run(runner, task(name, tiny.VALUES[name], first=2))
    expected = whole(runner)[name]
    assert tiny.without_seconds(outcome.epochs) == tiny.without_seconds(expected.epochs[2:])
    assert_same_state(outcome.state, expected.state)
