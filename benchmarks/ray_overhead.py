"""The same trials with processes of this machine and on Ray, once all workers have trained.

Each trial has two rungs, so that its state travels from a worker to the driver and to a worker
again. With `--ray-address` the bytes are those that this machine sends and receives, which tells
what goes over the network only if no worker runs on it (`ray start --head --num-cpus 0`).
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import common
import psutil

if TYPE_CHECKING:
    import argparse

    from lrtune.records.task import TrialTask
    from lrtune.runner.base import Runner

WORKERS, TRIALS = 2, 8


def side(engine: str) -> common.Side:
    """The seconds and bytes of all trials with two workers."""

    def measured(arguments: argparse.Namespace) -> dict[str, Any]:
        import lrtune
        from lrtune.records.task import TrainingJob
        from lrtune.runner import RunOptions, make_runner
        from lrtune.schedules.recipe import Recipe

        recipe = Recipe.from_values({"schedule": "constant", "lr0": 0.05, "momentum": 0.5})

        def trials(count: int) -> list[TrialTask]:
            from lrtune.records.task import TrialTask

            return [TrialTask(str(n), recipe, n, 0, arguments.max_epochs) for n in range(count)]

        args, kwargs = common.images(arguments)
        job = TrainingJob(
            lrtune.CatsVsDogsHyperModel(epochs=2 * arguments.max_epochs), args, kwargs
        )
        runner = None if engine == "local" else lrtune.RayRunner(arguments.ray_address)
        with make_runner(job, RunOptions(WORKERS, runner=runner)) as started:
            _train(started, trials(WORKERS))  # they start, and prepare the model
            before, begun = _bytes_moved(), time.perf_counter()
            states = _train(started, trials(TRIALS))
            seconds = time.perf_counter() - begun
            moved = _bytes_moved() - before
        return {
            "seconds": seconds,
            "kib_a_trial": moved / TRIALS / 1024,
            "kib_of_a_state": sum(one.nbytes for one in states[0].values()) / 1024,
        }

    return measured


def _train(runner: Runner, tasks: list[TrialTask]) -> list[Any]:
    """Trains both rungs of each trial; the states at the end."""
    waiting, states = deque(tasks), []
    rung = tasks[0].last_epoch
    while waiting or runner.running:
        while waiting and runner.running < runner.slots:
            runner.submit(waiting.popleft())
        for outcome in runner.wait(lambda *_: None):
            task, state = outcome.task, outcome.state
            if task.first_epoch:
                states.append(state)
            else:
                last = 2 * rung
                waiting.append(replace(task, first_epoch=rung, last_epoch=last, parent_state=state))
    return states


def _bytes_moved() -> int:
    moved = psutil.net_io_counters()
    return int(moved.bytes_sent + moved.bytes_recv)


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    local, ray = medians["local"], medians["ray"]
    return {
        "ray_to_local": round(ray["seconds"] / local["seconds"], 3),
        "kib_a_trial": round(ray["kib_a_trial"]),
        "kib_of_a_state": round(ray["kib_of_a_state"]),
    }


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ray-address", help="of a cluster; default: a Ray on this machine")


if __name__ == "__main__":
    sides = {"local": side("local"), "ray": side("ray")}
    common.run(__doc__, sides, summary, options)
