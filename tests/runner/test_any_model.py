"""A user's model may do anything: only its own trial fails, and the message names the reason."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras_tuner
import pytest

from lrtune._util.interrupts import Interrupts
from lrtune.errors import RunFolderError, SearchError
from lrtune.records.task import TrainingJob
from lrtune.runner.inprocess import InProcessRunner
from lrtune.runner.local import LocalRunner
from tests.contracts.test_runner_contract import run, task
from tests.runner import tiny

RAISED = {
    "exit": ("SystemExit: 0", SystemExit(0)),
    "interrupt": ("KeyboardInterrupt", KeyboardInterrupt()),
    "generator": ("GeneratorExit", GeneratorExit()),
    "own": ("BaseException: of my own", BaseException("of my own")),
}


class Anything(keras_tuner.HyperModel):
    """Does what its values say before it builds a model that trains."""

    def build(self, hp):
        what = hp.values["what"]
        if what in RAISED:
            raise RAISED[what][1]
        if what == "ctrl-c":
            os.kill(os.getpid(), signal.SIGINT)
        if what == "chdir":
            os.chdir("/")
        if what == "print":
            os.write(1, b"from a model\n")
            sys.stdout.write("from a model\n")
        if what == "thread":
            threading.Thread(target=time.sleep, args=(300,)).start()
        return tiny.adam(hp)


JOB = TrainingJob(Anything(), tiny.points(), tiny.fit_kwargs())
HARMLESS = ("chdir", "print", "nothing")


def tasks(*names):
    return [task(name, {"what": name, "rate": 0.03}, last=1) for name in names]


def assert_named(outcomes):
    named = [(one.status, one.message.strip().splitlines()[-1]) for one in outcomes]
    assert named == [("failed", name) for name, _ in RAISED.values()]


@pytest.fixture(autouse=True)
def default_handlers():
    """Python's own handlers: a shell that starts pytest in the background has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_a_model_raises_in_this_process_fails_its_trial_only():
    with Interrupts() as interrupts, interrupts.welcome():
        *failed, after = run(InProcessRunner(JOB), *tasks(*RAISED, "nothing"))
    assert_named(failed)
    assert after.status == "completed"


def test_a_keyboard_interrupt_outside_the_main_thread_is_the_models_own():
    runner = InProcessRunner(JOB)
    runner.submit(*tasks("interrupt"))
    with ThreadPoolExecutor(1) as pool:
        (outcome,) = pool.submit(runner.wait, lambda *_: None).result()
    assert outcome.status == "failed"


def test_ctrl_c_while_a_model_is_built_ends_the_search():
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts, interrupts.welcome():
        run(InProcessRunner(JOB), *tasks("ctrl-c"))


def test_ctrl_c_ends_the_search_where_the_program_handles_signals_itself():
    with pytest.raises(KeyboardInterrupt):
        run(InProcessRunner(JOB), *tasks("ctrl-c"))


def test_a_model_that_changes_the_folder_or_prints_trains_in_this_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = InProcessRunner(JOB)
    for one in tasks(*HARMLESS):
        runner.submit(one)
        (outcome,) = runner.wait(lambda *_: Path("epochs").open("a").close())
        assert outcome.status == "completed", outcome.message
        assert Path.cwd() == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["epochs"]


def test_an_error_of_the_one_who_records_an_epoch_is_not_the_models():
    def refuse(*_):
        raise RunFolderError("the disk is full")

    runner = InProcessRunner(JOB)
    runner.submit(*tasks("nothing"))
    with pytest.raises(RunFolderError, match="the disk is full"):
        runner.wait(refuse)


@pytest.mark.long  # a process that starts TensorFlow
def test_what_a_model_does_in_a_worker_fails_its_trial_only():
    started = time.monotonic()
    with LocalRunner(JOB, 1) as runner:
        outcomes = run(runner, *tasks(*RAISED, *HARMLESS, "thread"))
    assert_named(outcomes[: len(RAISED)])
    assert [one.status for one in outcomes[len(RAISED) :]] == ["completed"] * 4
    assert time.monotonic() - started < 30, "a thread that the model leaves holds nothing up"


class ExitsWhenLoaded(keras_tuner.HyperModel):
    """Ends the process that unpickles it, as a script without a guard may."""

    def __setstate__(self, state):
        raise SystemExit(0)

    def build(self, hp):
        return tiny.adam(hp)


@pytest.mark.long  # a process that starts TensorFlow
def test_a_model_that_cannot_be_loaded_in_a_worker_ends_the_search_with_a_line():
    job = TrainingJob(ExitsWhenLoaded(), tiny.points(), tiny.fit_kwargs())
    with LocalRunner(job, 1) as runner, pytest.raises(SearchError) as error:
        run(runner, *tasks("nothing"))
    assert str(error.value) == (
        "the model cannot be loaded in a worker process (SystemExit: 0). Use in_process=True to "
        "train in this process"
    )
