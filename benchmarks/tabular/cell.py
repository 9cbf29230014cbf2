"""All repetitions of one algorithm on one table: what a process of the comparison does.

In a module of its own, as other processes cannot import what the script itself defines.
"""

from __future__ import annotations

import contextlib
import functools
import time
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
from schedule_table.table import load
from schedule_table.tasks import TASKS

from tabular.answers import Answers
from tabular.contenders import Setting, contenders
from tabular.search import search
from tabular.summary import frame

if TYPE_CHECKING:
    from pathlib import Path


def run_cell(
    folder: Path, task: str, name: str, workers: int, repetitions: int, trials: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All repetitions of one algorithm on one table with one number of workers."""
    quiet()
    answers, hypermodel = prepared(folder, task)
    contender = contenders()[name]
    if not contender.can_run(answers):
        print(f"{task}: {name} needs trainings that the table lacks", flush=True)
        return pd.DataFrame(), {}
    prototype = contender.make(Setting(hypermodel, answers.horizon, trials))
    began, epochs = time.process_time(), trials * answers.horizon
    traces = [
        search(answers, prototype, epochs, seed, workers, rescaled=contender.rescaled)
        for seed in range(1, repetitions + 1)
    ]
    took = time.process_time() - began
    print(f"{task}: {name}, {workers} workers: {took / repetitions:.2f} s a search", flush=True)
    facts = {
        "cpu_seconds": round(took / repetitions, 3),
        "trials": sum(one.trials for one in traces) / repetitions,
        "misfits": sum(one.misfits for one in traces) / repetitions,
    }
    return frame(traces, task=task, algorithm=name, workers=workers), facts


@functools.cache
def prepared(folder: Path, task: str) -> tuple[Answers, Any]:
    """The answers of a table, and the hypermodel that its schedules were drawn from."""
    table = load(folder)[task]
    return Answers(table), TASKS[task].hypermodel(table.horizon)


def quiet() -> None:
    """No lines from Optuna, and no warnings about what it calls experimental."""
    with contextlib.suppress(ImportError):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", module="optuna")
