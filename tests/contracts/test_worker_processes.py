"""What runners in worker processes owe besides: files, devices, and workers that go astray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import keras_tuner
import psutil
import pytest

import lrtune
from lrtune.errors import ArgumentError, SearchError
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner import RunOptions, local, make_runner
from lrtune.runner.inprocess import InProcessRunner
from lrtune.runner.local import LocalRunner, physical_cores
from tests.contracts.test_runner_contract import run, schedule_job, task
from tests.faults.harness import until
from tests.runner import tiny


def test_a_closed_runner_leaves_no_file_and_can_be_closed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runner = LocalRunner(schedule_job(), 2)
    assert len(list(tmp_path.iterdir())) == 1
    runner.close()
    assert list(tmp_path.iterdir()) == []
    runner.close()


def test_what_cannot_be_pickled_is_refused_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lock = threading.Lock()

    def build(hp):
        return lock

    with pytest.raises(SearchError) as error:
        LocalRunner(TrainingJob(ScheduleHyperModel(build, epochs=1), (), {}), 2)
    assert str(error.value) == (
        "the hypermodel or the data cannot be sent to worker processes (TypeError: cannot pickle "
        "'_thread.lock' object). Use workers=1 to train in this process"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("workers", "kind", "slots"), [(1, InProcessRunner, 1), (3, LocalRunner, 3)]
)
def test_one_worker_trains_in_this_process_and_more_in_others(workers, kind, slots):
    with make_runner(schedule_job(), RunOptions(workers)) as runner:
        assert (type(runner), runner.slots) == (kind, slots)


def test_without_a_number_there_is_a_worker_process_a_physical_core():
    with make_runner(schedule_job(), RunOptions(None)) as runner:
        assert (type(runner), runner.slots) == (LocalRunner, physical_cores())


def test_a_machine_of_one_core_has_a_worker_process_too(monkeypatch):
    monkeypatch.setattr("lrtune.runner.local.physical_cores", lambda: 1)
    with make_runner(schedule_job(), RunOptions(None)) as runner:
        assert (type(runner), runner.slots) == (LocalRunner, 1)


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_an_invalid_number_of_workers_is_refused(workers):
    with pytest.raises(ArgumentError) as error:
        make_runner(schedule_job(), RunOptions(workers))
    assert str(error.value) == f"workers must be an integer >= 1. Received: workers={workers!r}."


IN_A_SCRIPT = """
import os
from lrtune.errors import SearchError
from lrtune.records.task import TrainingJob, TrialTask
from lrtune.runner.local import LocalRunner
from lrtune.schedules.recipe import Recipe

class Model:
    def build(self, hp):
        {build}

    def fit(self, hp, model):
        pass

if __name__ == "__main__":
    with LocalRunner(TrainingJob(Model(), (), {{}}), 1) as runner:
        runner.submit(TrialTask("0", Recipe.from_values({{}}), 1, 0, 1))
        try:
            print(runner.wait(lambda *_: None)[0].message.strip().splitlines()[-1])
        except SearchError as error:
            print(error)
"""


@pytest.mark.long
def test_arguments_that_fit_cannot_take_are_refused_by_workers_as_in_this_process():
    kwargs = {"validation_split": 1.5}
    job = TrainingJob(tiny.AdamModel(), tiny.points(), kwargs)
    with pytest.raises(ArgumentError) as here:
        InProcessRunner(job)
    with LocalRunner(job, 1) as runner, pytest.raises(ArgumentError) as there:
        run(runner, task("a", {"rate": 0.03}))
    assert str(here.value) == str(there.value)


def run_script(path, build):
    path.write_text(IN_A_SCRIPT.format(build=build))
    environment = {**os.environ, "PYTHONPATH": str(Path(lrtune.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, path], capture_output=True, text=True, cwd=path.parent, env=environment
    )


@pytest.mark.long
def test_a_worker_that_dies_is_reported_as_lost(tmp_path):
    child = run_script(tmp_path / "killed.py", "os._exit(9)")
    assert child.stdout.strip() == (
        "its worker process ended with EXIT(9): it crashed or was killed, possibly out of memory"
    ), child.stderr


@pytest.mark.long
def test_a_model_of_a_class_in_a_script_is_built_in_workers(tmp_path):
    child = run_script(tmp_path / "script.py", "raise RuntimeError(__name__)")
    assert child.stdout.strip() == "RuntimeError: __main__", child.stderr


def test_the_driver_of_workers_needs_no_tensorflow():
    code = "import sys, lrtune.runner.local; print('tensorflow' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "False", child.stderr


@pytest.mark.long  # two processes that start TensorFlow
def test_each_worker_sees_a_gpu_of_its_own(monkeypatch):
    # No GPU here: what a worker is told is what TensorFlow would obey.
    monkeypatch.setattr("lrtune.runner.local.gpus", lambda: ["5", "7"])

    class Tells(keras_tuner.HyperModel):
        def build(self, hp):
            raise RuntimeError("sees " + os.environ["CUDA_VISIBLE_DEVICES"])

    with LocalRunner(TrainingJob(Tells(), (), {}), 2) as runner:
        outcomes = run(runner, *(task(f"{number}", {}) for number in range(4)))
    told = {outcome.message.strip().splitlines()[-1] for outcome in outcomes}
    assert told <= {"RuntimeError: sees 5", "RuntimeError: sees 7"}
    assert told


def test_gpus_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [kind] * 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert local.gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert local.gpus() == ["3", "1"]
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [])
    assert local.gpus() == []


class Astray(keras_tuner.HyperModel):
    """Does what its values say, in the worker."""

    def build(self, hp):
        what = hp.values["what"]
        if what == "hang":
            while True:
                signal.pause()
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        raise RuntimeError(what)


CRASHED = (
    "its worker process ended with SIGSEGV(-11): it crashed or was killed, possibly out of memory"
)


@pytest.mark.long
@pytest.mark.parametrize(
    ("what", "message"),
    [("hang", "its worker finished no epoch in 2 s and was ended"), ("crash", CRASHED)],
)
def test_a_worker_that_hangs_or_crashes_is_lost_and_disturbs_no_other(what, message):
    job = TrainingJob(Astray(), (), {})
    tasks = [task(str(number), {"what": one}) for number, one in enumerate([what, "a", "b"])]
    with LocalRunner(job, 2, trial_timeout=2) as runner:
        lost, other, after = run(runner, *tasks)
    assert lost.worker_lost
    assert (lost.status, lost.message, lost.epochs) == ("failed", message, ())
    for outcome, said in ((other, "a"), (after, "b")):
        assert outcome.message.strip().splitlines()[-1] == f"RuntimeError: {said}"
        assert not outcome.worker_lost


@pytest.mark.long
def test_a_worker_killed_while_it_has_nothing_to_do_is_replaced():
    values = tiny.VALUES["constant"]
    with LocalRunner(schedule_job(), 1) as runner:
        (first,) = run(runner, task("first", values))
        (idle,) = runner._free
        (process,) = idle._executor._processes.values()
        psutil.Process(process.pid).kill()
        process.join()
        # Until the executor knows of it; before that it is a task's loss, and the loop tries again.
        until(lambda: idle._executor._flags.broken is not None, "telling that the worker is gone")
        (second,) = run(runner, task("second", values))
    assert (first.status, second.status) == ("completed", "completed")
    assert not second.worker_lost


@pytest.mark.long
def test_killed_in_mid_training_only_the_one_worker_is_lost():
    values = tiny.VALUES["constant"]
    others = psutil.Process().children()  # of other tests, a browser's driver among them
    killed = []

    def kill_trainer(trial_id, record):
        """At the first epoch that is told: the worker is in its training."""
        if not killed:
            children = psutil.Process().children()
            trainers = [one for one in children if one not in others and one.cpu_times().user > 1]
            killed.extend(one.pid for one in trainers)
            for one in trainers:
                one.kill()

    with LocalRunner(schedule_job(), 1) as runner:
        runner.submit(task("killed", values, last=100_000))
        (outcome,) = runner.wait(kill_trainer)
        assert outcome.worker_lost
        assert outcome.epochs
        assert outcome.message.startswith("its worker process ended with SIGKILL(-9)")
        (again,) = run(runner, task("again", values))
        assert again.status == "completed"
    assert len(killed) == 1
