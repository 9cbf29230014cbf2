"""What runners in worker processes owe besides: files, devices, and workers that go astray."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import keras_tuner
import numpy as np
import psutil
import pytest

import lrtune
from lrtune.errors import ArgumentError, SearchError
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner import RunOptions, local, make_runner, scratch
from lrtune.runner.forkserver import start_process
from lrtune.runner.inprocess import InProcessRunner
from lrtune.runner.local import LocalRunner, physical_cores
from lrtune.runner.process import RunningTask
from tests.contracts.astray import Astray
from tests.contracts.test_runner_contract import run, schedule_job, task
from tests.runner import tiny


def test_a_closed_runner_leaves_no_file_and_can_be_closed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "scratch_folder", lambda: tmp_path)
    runner = LocalRunner(schedule_job(), 2)
    assert len(list(tmp_path.iterdir())) == 1
    runner.close()
    assert list(tmp_path.iterdir()) == []
    runner.close()


def test_what_cannot_be_pickled_is_refused_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "scratch_folder", lambda: tmp_path)
    lock = threading.Lock()

    def build(hp):
        return lock

    with pytest.raises(SearchError) as error:
        LocalRunner(TrainingJob(ScheduleHyperModel(build, epochs=1), (), {}), 2)
    assert str(error.value) == (
        "the hypermodel or the data cannot be sent to worker processes (TypeError: cannot pickle "
        "'_thread.lock' object)"
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


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (RunOptions(1, in_process=False), LocalRunner),
        (RunOptions(1, in_process=True), InProcessRunner),
        (RunOptions(None, in_process=True), InProcessRunner),
    ],
)
def test_where_training_happens_can_be_chosen(options, kind):
    with make_runner(schedule_job(), options) as runner:
        assert (type(runner), runner.slots) == (kind, 1)


def test_several_workers_in_one_process_are_refused():
    with pytest.raises(ArgumentError) as error:
        RunOptions(2, in_process=True)
    assert str(error.value) == (
        "in_process trains one trial at a time, so workers must be 1 or left out. Received: workers"
        " 2."
    )


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_an_invalid_number_of_workers_is_refused(workers):
    with pytest.raises(ArgumentError) as error:
        make_runner(schedule_job(), RunOptions(workers))
    assert str(error.value) == f"workers must be an integer >= 1. Received: workers={workers!r}."


IN_A_SCRIPT = """
import os
{before}
from lrtune.errors import SearchError
from lrtune.records.task import TrainingJob, TrialTask
from lrtune.runner.local import LocalRunner
from lrtune.schedules.recipe import Recipe

class Model:
    def build(self, hp):
        {build}

    def fit(self, hp, model):
        pass

{guard}:
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


GUARD = 'if __name__ == "__main__"'


def run_script(path, build, guard=GUARD, before="", cwd=None):
    path.write_text(IN_A_SCRIPT.format(build=build, guard=guard, before=before))
    environment = {**os.environ, "PYTHONPATH": str(Path(lrtune.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, path],
        capture_output=True,
        text=True,
        cwd=cwd or path.parent,
        env=environment,
    )


@pytest.mark.long
def test_a_worker_that_dies_is_reported_as_lost(tmp_path):
    child = run_script(tmp_path / "killed.py", "os._exit(9)")
    assert child.stdout.strip() == ("its worker process ended with exit code 9"), child.stderr


@pytest.mark.long
def test_a_model_of_a_class_in_a_script_is_built_in_workers(tmp_path):
    child = run_script(tmp_path / "script.py", "raise RuntimeError(__name__)")
    assert child.stdout.strip() == "RuntimeError: __main__", child.stderr


@pytest.mark.long
def test_a_script_without_a_guard_is_not_run_again_in_its_workers(tmp_path):
    child = run_script(tmp_path / "script.py", "raise RuntimeError", "if True", "print('begins')")
    assert child.stdout.split() == ["begins", "RuntimeError"], child.stderr


@pytest.mark.long
def test_a_module_of_the_users_with_a_name_of_pythons_does_no_harm(tmp_path):
    (tmp_path / "random.py").write_text("raise ImportError('the wrong one')")
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "script.py"
    child = run_script(script, "raise RuntimeError('reached')", cwd=tmp_path)
    assert child.stdout.strip() == "RuntimeError: reached", child.stderr


def test_the_driver_of_workers_needs_no_tensorflow():
    code = "import sys, lrtune.runner.local; print('tensorflow' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "False", child.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("hang", "its worker finished no epoch in 2 s and was ended"),
        ("crash", "its worker process ended with SIGSEGV(-11)"),
    ],
)
def test_a_worker_that_hangs_or_crashes_is_lost_and_disturbs_no_other(what, message):
    job = TrainingJob(Astray(), (), {})
    tasks = [task(str(number), {"what": one}) for number, one in enumerate([what, "a", "b"])]
    with LocalRunner(job, 2, trial_timeout=2) as runner:
        lost, other, after = run(runner, *tasks)
    assert (lost.status, lost.message, lost.epochs) == ("lost", message, ())
    for outcome, said in ((other, "a"), (after, "b")):
        assert outcome.message.strip().splitlines()[-1] == f"RuntimeError: {said}"
        assert outcome.status == "failed"


def servers():
    """The fork server of this process."""
    return [one for one in psutil.Process().children() if forked(one)]


def workers():
    """The workers of this process."""
    return [one for server in servers() for one in server.children()]


def forked(process):
    return "multiprocessing.forkserver" in " ".join(process.cmdline())


@pytest.mark.long
def test_a_worker_killed_while_it_has_nothing_to_do_is_replaced():
    values = tiny.VALUES["constant"]
    with LocalRunner(schedule_job(), 1) as runner:
        (first,) = run(runner, task("first", values))
        (idle,) = workers()
        idle.kill()
        idle.wait()
        (second,) = run(runner, task("second", values))
    assert (first.status, second.status) == ("completed", "completed")


@pytest.mark.long
def test_killed_in_mid_training_only_the_one_worker_is_lost():
    values = tiny.VALUES["constant"]
    killed = []

    def kill_trainer(trial_id, record):
        """At the first epoch that is told: the worker is in its training."""
        if not killed:
            killed.extend(workers())
            killed[0].kill()

    with LocalRunner(schedule_job(), 1) as runner:
        runner.submit(task("killed", values, last=100_000))
        (outcome,) = runner.wait(kill_trainer)
        assert outcome.status == "lost"
        assert outcome.epochs
        said = (
            r"its worker process ended with SIGKILL\(-9\), possibly out of memory: [\d.]+ GiB of "
        )
        assert re.fullmatch(said + r"[\d.]+ GiB are free now", outcome.message)
        (again,) = run(runner, task("again", values))
        assert again.status == "completed"
    assert len(killed) == 1


@pytest.mark.long
def test_a_killed_fork_server_costs_one_try_and_leaves_no_worker():
    values = tiny.VALUES["constant"]
    orphans = []

    def kill_server(trial_id, record):
        if not orphans:
            orphans.extend(workers())
            (server,) = servers()
            server.kill()

    with LocalRunner(schedule_job(), 1) as runner:
        runner.submit(task("lost", values, last=100_000))
        (outcome,) = runner.wait(kill_server)
        (again,) = run(runner, task("again", values))
    assert outcome.status == "lost"
    assert again.status == "completed"
    _, alive = psutil.wait_procs(orphans, timeout=30)
    assert not alive


@pytest.mark.long
def test_a_worker_has_the_environment_of_its_search_not_of_the_first(monkeypatch):
    class Tells(keras_tuner.HyperModel):
        def build(self, hp):
            raise RuntimeError(f"{os.environ.get('LRTUNE_TEST')}")

    for value in ("first", "second"):
        monkeypatch.setenv("LRTUNE_TEST", value)
        with LocalRunner(TrainingJob(Tells(), (), {}), 1) as runner:
            (outcome,) = run(runner, task("0", {}))
        assert outcome.message.strip().splitlines()[-1] == f"RuntimeError: {value}"


@pytest.mark.long
def test_a_worker_that_has_grown_is_replaced(monkeypatch):
    class Grows(keras_tuner.HyperModel):
        def build(self, hp):
            kept.append(np.ones(hp.values["mebibytes"] * 2**17))
            raise RuntimeError(str(os.getpid()))

    kept = []
    with LocalRunner(TrainingJob(Grows(), (), {}), 1) as runner:
        tasks = [task(str(n), {"mebibytes": size}) for n, size in enumerate([1, 100, 600, 1])]
        said = [run(runner, one)[0].message.strip().splitlines()[-1] for one in tasks]
    assert said[0] == said[1] == said[2] != said[3]


def test_time_in_which_the_driver_was_suspended_is_no_silence_of_a_worker(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("lrtune.runner.process.time.monotonic", lambda: now[0])
    running = RunningTask(tmp_path / "task", task("0", {}))
    (tmp_path / "task.jsonl").write_bytes(b"null\n")
    running.new_epochs()
    now[0] += 3
    assert running.silent_for() == 3
    now[0] += 10_000
    running.excuse(10_000)
    assert running.silent_for() == 3


def test_a_folder_is_swept_only_when_its_owner_is_dead(tmp_path):
    dead, owner = scratch.make_folder(tmp_path)
    os.close(owner)  # as the end of its process does
    alive, held = scratch.make_folder(tmp_path)
    for name in ("lrtune-theirs", "lrtune-link", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "owner.lock").touch()
    (tmp_path / "lrtune-linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "lrtune-lock-elsewhere").mkdir()
    (tmp_path / "lrtune-lock-elsewhere" / "owner.lock").symlink_to(
        tmp_path / "elsewhere" / "owner.lock"
    )
    scratch.sweep(tmp_path)
    assert not dead.exists()
    assert (alive / "owner.lock").exists()
    assert (tmp_path / "elsewhere" / "owner.lock").exists()
    assert (tmp_path / "lrtune-theirs" / "kept").exists()
    assert (tmp_path / "lrtune-lock-elsewhere").exists()
    os.close(held)
    scratch.sweep(tmp_path)
    assert not alive.exists()


def test_a_worker_that_cannot_be_started_is_one_sentence(monkeypatch):
    def refuse(*_):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("lrtune.runner.process.start_process", refuse)
    with LocalRunner(schedule_job(), 1) as runner, pytest.raises(SearchError) as error:
        run(runner, task("0", {}))
    assert str(error.value) == (
        "cannot start a worker process: Resource temporarily unavailable. Everything saved so far "
        "is intact"
    )


@pytest.mark.parametrize("error", [BrokenPipeError, ConnectionRefusedError, EOFError])
def test_a_server_that_dies_while_a_worker_starts_costs_nothing(error, monkeypatch):
    pipes = []

    def dies_once(target, pipe, *args):
        pipes.append(pipe)
        if len(pipes) == 1:
            raise error
        return start_process(target, pipe, *args)

    monkeypatch.setattr("lrtune.runner.process.start_process", dies_once)
    monkeypatch.setattr("lrtune.runner.process._SERVER_ENDS_SECONDS", 0)
    with LocalRunner(schedule_job(), 1) as runner:
        (outcome,) = run(runner, task("0", tiny.VALUES["constant"]))
    assert outcome.status == "completed"
    assert len(pipes) == 2
    assert pipes[0] is not pipes[1], "a process that was forked all the same would take its tasks"


def test_a_server_that_is_always_killed_is_one_sentence(monkeypatch):
    def refuse(*_):
        raise EOFError

    monkeypatch.setattr("lrtune.runner.process.start_process", refuse)
    monkeypatch.setattr("lrtune.runner.process._SERVER_ENDS_SECONDS", 0)
    with LocalRunner(schedule_job(), 1) as runner, pytest.raises(SearchError) as error:
        run(runner, task("0", {}))
    assert str(error.value) == (
        "cannot start a worker process: the process that starts workers was killed. Everything "
        "saved so far is intact"
    )


@pytest.mark.long
def test_a_long_path_of_the_temporary_folder_keeps_no_worker_from_starting(tmp_path, monkeypatch):
    # The path of a socket has at most 107 characters.
    long = tmp_path / ("long-" * 20)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    child = run_script(tmp_path / "script.py", "raise RuntimeError('reached')")
    assert child.stdout.strip() == "RuntimeError: reached", child.stderr
    assert list(long.iterdir()) == []


@pytest.mark.long
def test_without_a_server_workers_are_new_interpreters(monkeypatch):
    values = tiny.VALUES["constant"]
    with LocalRunner(schedule_job(), 1) as runner:
        (forked,) = run(runner, task("0", values))
    monkeypatch.setattr("lrtune.runner.forkserver.start_server", lambda: False)
    with LocalRunner(schedule_job(), 1) as runner:
        (spawned,) = run(runner, task("0", values))
    assert spawned.status == "completed"
    without = [{**one, "seconds": 0} for one in spawned.epochs]
    assert without == [{**one, "seconds": 0} for one in forked.epochs]
