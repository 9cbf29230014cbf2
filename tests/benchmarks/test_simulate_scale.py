"""`benchmarks/simulate_scale.py`: what the simulated workers do while the driver works."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from schedule_table.table import load
from tabular import recorded
from tabular.recorded import RecordedRunner, Training, rate_of, trainings_of

from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HORIZON = 4


def training(rate=-1.0, seconds=1.0, diverged=False):
    epochs = tuple({"epoch": one, "val_accuracy": one / 10} for one in range(1, HORIZON + 1))
    return Training(epochs, seconds, diverged, rate)


def task(trial_id, first=0, last=HORIZON, seed=1, lr0=0.05):
    recipe = Recipe.from_values({"schedule": "constant", "lr0": lr0, "momentum": 0.5})
    return TrialTask(trial_id, recipe, seed, first, last)


@pytest.fixture
def clock(monkeypatch):
    """Real time, in seconds; it stands still unless it is set."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(recorded.time, "perf_counter", lambda: Clock.now)
    monkeypatch.setattr(recorded.time, "process_time", lambda: Clock.now / 2)
    return Clock


def wait(runner):
    return [one.task.trial_id for one in runner.wait(lambda *_: None)]


def test_a_worker_waits_while_the_driver_works(clock):
    # 4 epochs of 2.5 s, then 1 s of the driver: the worker trains 10 s of each 11.
    runner = RecordedRunner([training()], 1, 2.5)
    runner.submit(task("0"))
    for number in range(1, 9):
        assert wait(runner) == [str(number - 1)]
        clock.now += 1.0
        runner.submit(task(str(number)))
    assert runner.busy[:3] == [(0.0, 10.0), (11.0, 21.0), (22.0, 32.0)]
    assert wait(runner) == ["8"]
    assert runner.use == pytest.approx(9 * 10 / (9 * 10 + 8))


def test_only_the_time_in_which_there_was_work_for_all_counts(clock):
    runner = RecordedRunner([training()], 2, 2.5)
    runner.submit(task("0"))
    runner.submit(task("1", last=2))
    assert wait(runner) == ["1"]  # after 5 s, and nothing takes its place
    assert wait(runner) == ["0"]
    assert runner.use == 1.0


def test_what_the_driver_takes_for_an_epoch_counts_too(clock):
    runner = RecordedRunner([training()], 1, 2.5)
    runner.submit(task("0"))

    def on_epoch(*_):
        clock.now += 0.25

    runner.wait(on_epoch)
    runner.submit(task("1"))
    assert runner.busy[1] == (11.0, 21.0)


def test_all_that_ended_while_the_driver_worked_come_together(clock):
    runner = RecordedRunner([training()], 3, 2.5)
    for number in range(3):
        runner.submit(task(str(number)))
        clock.now += 1.0
    assert wait(runner) == ["0"]
    assert runner.clock == 10.0
    clock.now += 5.0
    assert wait(runner) == ["1", "2"]
    assert runner.clock == 15.0


def test_the_drivers_milliseconds_are_those_of_the_trials_before(clock):
    # The n-th trial takes n ms, and half of that from the processor.
    runner = RecordedRunner([training()], 1, 2.5)
    for number in range(1, 11):
        runner.submit(task(str(number)))
        wait(runner)
        clock.now += number / 1000
    runner.close()
    assert runner.milliseconds(10, window=2) == pytest.approx(((9 + 10) / 2, (9 + 10) / 4))
    assert runner.milliseconds(4) == pytest.approx(((3 + 4) / 2, (3 + 4) / 4))


def test_a_promoted_trial_continues_the_training_of_its_parent():
    trainings = [training(seconds=one) for one in (0.5, 1.0, 2.0, 4.0)]
    runner = RecordedRunner(trainings, 1, 1.0)
    for seed in range(10):
        first, rest = (runner.outcome(task("0", *part, seed=seed)) for part in ((0, 1), (1, 4)))
        assert rest.seconds == 3 * first.seconds
        assert [one["epoch"] for one in (*first.epochs, *rest.epochs)] == [1, 2, 3, 4]


def test_a_training_diverges_where_it_did_when_it_was_recorded():
    runner = RecordedRunner([replace(training(), diverged=True)], 1, 1.0)
    assert runner.outcome(task("0", 0, 3)).status == "completed"
    assert runner.outcome(task("0", 3, 4)).status == "diverged"


def test_a_trial_gets_a_training_with_a_similar_rate():
    # .05 / (1 - .5) is .1.
    assert rate_of(task("0").values) == pytest.approx(-1.0)
    runner = RecordedRunner([training(-3.0, 1.0), training(-1.1, 2.0), training(1.0, 3.0)], 1, 1.0)
    assert {runner.outcome(task("0", seed=seed)).seconds for seed in range(5)} == {8.0}


def test_an_epoch_of_the_recorded_trainings_takes_a_second_on_average():
    found = trainings_of(load()["reading"])
    epochs = sum(len(one.epochs) for one in found)
    assert sum(one.seconds * len(one.epochs) for one in found) == pytest.approx(epochs)
    assert {len(one.epochs) for one in found if not one.diverged} == {27}


def test_a_quick_run_prints_a_line():
    ended = subprocess.run(
        [sys.executable, str(BENCHMARKS / "simulate_scale.py"), "--quick"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (line,) = map(json.loads, ended.stdout.splitlines())
    assert (line["algorithm"], line["workers"], line["trials"]) == ("random", 4, 20)
    assert 0.5 < line["use"] <= 1.0
    assert line["driver_ms"].keys() == line["processor_ms"].keys() == {"20"}
    assert min(line["resume_seconds"], line["report_seconds"], line["mib"]) > 0
