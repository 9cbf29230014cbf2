"""A table of a few constant rates, small enough to know every answer by hand."""

from __future__ import annotations

import keras_tuner
import pandas as pd
from schedule_table.table import Table

from lrtune.schedules.space import Space
from lrtune.search.algorithm import Algorithm

HORIZON = 9
SECONDS = 2.0
"""Of an epoch."""

CONSTANTS = [0.001, 0.01, 0.1, 0.2]
"""Learning rates of the small table; the n-th has the score n / 10 + seed / 100."""


def constant(lr0, momentum=0.5):
    return {"schedule": "constant", "lr0": lr0, "momentum": momentum}


def step(lr0, drop, momentum=0.5):
    own = {"step.drop": drop, "step.epochs_drop": 3}
    return {"schedule": "step", "lr0": lr0, "momentum": momentum, **own}


def space(*families):
    hp = keras_tuner.HyperParameters()
    Space(families, HORIZON).declare(hp)
    return hp


def small_table(schedules, *, budgets=(HORIZON,), seeds=(1, 2), diverged=None):
    """Accuracy .0e after epoch e and the score after the last; `diverged`: schedule -> epochs."""
    trainings, epochs = [], []
    for number, _ in enumerate(schedules):
        for budget in budgets:
            for seed in seeds:
                key = {"schedule": number, "budget": budget, "seed": seed}
                lasts = (diverged or {}).get(number, budget)
                score = number / 10 + seed / 100 if lasts == budget else 0.05
                status = "completed" if lasts == budget else "diverged"
                seconds = SECONDS * lasts
                trainings.append({**key, "status": status, "score": score, "seconds": seconds})
                for epoch in range(1, lasts + 1):
                    shown = score if epoch == budget else number / 10 + epoch / 1000
                    epochs.append({**key, "epoch": epoch, "lr": 0.1, "val_accuracy": shown})
    rows = [
        {"schedule": number, "family": values["schedule"], "values": values}
        for number, values in enumerate(schedules)
    ]
    return Table("small", HORIZON, *map(pd.DataFrame, (rows, trainings, epochs)))


def random_search(max_trials, *families):
    objective = keras_tuner.Objective("val_accuracy", "max")
    hp = space(*families)
    return Algorithm(
        keras_tuner.oracles.RandomSearchOracle(objective, max_trials, hyperparameters=hp, seed=1)
    )
