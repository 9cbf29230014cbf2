"""What the runner on Ray owes besides: lost workers, the cluster's size, one line for bad input."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

import keras_tuner
import numpy as np
import psutil
import pytest

from lrtune.errors import SearchError
from lrtune.records.task import TrainingJob
from lrtune.runner import RunOptions, make_runner
from lrtune.runner.feed import ArrayFeed
from lrtune.runner.ray import RayRunner
from tests.contracts.astray import Astray
from tests.contracts.test_runner_contract import run, schedule_job, task
from tests.runner import tiny

pytestmark = pytest.mark.long


def start(job, workers=1, **options):
    return make_runner(job, RunOptions(workers, runner=RayRunner(), **options), print)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("hang", "its worker finished no epoch in 3 s and was ended"),
        ("crash", "its worker died (Ray: The actor died unexpectedly before finishing this task)"),
    ],
)
def test_a_worker_that_hangs_or_crashes_is_lost_and_disturbs_no_other(what, message, cluster):
    tasks = [task(str(number), {"what": one}) for number, one in enumerate([what, "a", "b"])]
    job = TrainingJob(Astray(), (), {})
    with start(job, 2, trial_timeout=3) as runner:
        lost, other, after = run(runner, *tasks)
    assert (lost.status, lost.message, lost.epochs) == ("lost", message, ())
    assert not lost.blameless
    for outcome, said in ((other, "a"), (after, "b")):
        assert outcome.message.strip().splitlines()[-1] == f"RuntimeError: {said}"
        assert outcome.status == "failed"


def test_a_worker_killed_in_its_training_is_lost_with_the_epochs_that_it_told(cluster):
    values = tiny.VALUES["step"]
    killed = []

    def kill(trial_id, record):
        """At the first epoch that is told: the worker is in its training."""
        if not killed:
            # Asked for in advance, it is None of a process that has just ended.
            lines = {one: one.info["cmdline"] or () for one in psutil.process_iter(["cmdline"])}
            killed.extend(one for one in lines if "ray::TrainingActor" in " ".join(lines[one]))
            killed[0].kill()

    with start(schedule_job()) as runner:
        runner.submit(task("killed", values, last=100_000))
        (outcome,) = runner.wait(kill)
        (again,) = run(runner, task("again", values))
    assert (outcome.status, outcome.blameless) == ("lost", False)
    assert outcome.epochs[0]["epoch"] == 1
    assert again.status == "completed"


def test_a_worker_killed_while_it_has_nothing_to_do_is_replaced(cluster):
    class Tells(keras_tuner.HyperModel):
        def build(self, hp):
            raise RuntimeError(str(os.getpid()))

    with start(TrainingJob(Tells(), (), {})) as runner:
        (first,) = run(runner, task("0", {}))
        process = int(first.message.strip().splitlines()[-1].rpartition(" ")[2])
        os.kill(process, signal.SIGKILL)
        (second,) = run(runner, task("1", {}))
        if second.status == "lost":  # Ray had not noticed yet
            assert second.blameless
            (second,) = run(runner, task("1", {}))
    assert second.message.strip().splitlines()[-1].startswith("RuntimeError: ")
    assert not second.message.strip().endswith(str(process))


def test_a_task_that_waits_for_a_core_gets_one_of_a_worker_with_nothing_to_do(cluster):
    import ray

    class Other:
        def begin(self):
            pass

    others = [ray.remote(Other).options(num_cpus=1).remote() for _ in range(3)]
    ray.get([one.begin.remote() for one in others])
    with start(schedule_job(), 2) as runner:
        outcomes = run(runner, *(task(str(n), tiny.VALUES["step"]) for n in range(2)))
    assert [one.status for one in outcomes] == ["completed"] * 2


def test_what_the_workers_cannot_import_is_one_line(cluster, tmp_path, monkeypatch):
    (tmp_path / "here_only.py").write_text("class Model:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import here_only

    job = TrainingJob(here_only.Model(), (), {})
    with start(job) as runner, pytest.raises(SearchError) as error:
        run(runner, task("0", {}))
    assert str(error.value) == (
        "the model cannot be loaded on a node of the Ray cluster (ModuleNotFoundError: No module "
        "named 'here_only'): modules that it needs must be installed there"
    )
    sys.modules.pop("here_only")


class TellsItsMemory(keras_tuner.HyperModel):
    """Says what the memory of the training data belongs to, as the system sees it."""

    def build(self, hp):
        (feed,) = [one for one in gc.get_objects() if type(one) is ArrayFeed]
        address = np.frombuffer(memoryview(feed._train[0])).ctypes.data
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, *_, name = line.split(maxsplit=5)
            first, end = (int(one, 16) for one in span.split("-"))
            if first <= address < end:
                raise RuntimeError(name)


def test_workers_share_the_data_of_a_node(cluster):
    x = np.zeros((50_000, 64), np.float32)
    job = TrainingJob(TellsItsMemory(), (x, np.zeros(50_000)), {"batch_size": 64})
    with start(job) as runner:
        (outcome,) = run(runner, task("0", {}))
    assert "plasma" in outcome.message.strip().splitlines()[-1]
