from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from schedule_table.stand_in import stand_in
from schedule_table.table import load
from schedule_table.tasks import TASKS
from tabular.answers import Answers
from tabular.deck import Cube, Deck

from tests.benchmarks.tabular.small_table import CONSTANTS, constant, small_table, space


@pytest.fixture
def constants():
    return Answers(small_table([constant(lr0) for lr0 in CONSTANTS], budgets=(9, 3)))


@pytest.fixture
def cube():
    return Cube(space("constant").space, {n: constant(lr0) for n, lr0 in enumerate(CONSTANTS)})


@pytest.fixture
def deck(cube):
    return Deck(cube, (1, 2), np.random.default_rng(0))


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    truth = stand_in(folder, replace(TASKS["reading"], schedules=33), extra_seeds=2)
    return Answers(load(folder)["reading"]), truth
