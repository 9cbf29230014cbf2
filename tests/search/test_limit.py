"""A time limit: how fast the workers train, how much fits, and a loop that stops asking."""

from __future__ import annotations

import math

import pytest

from lrtune.display.stages import Speed, Stage, stage_of_confirmation, stages_of_search
from lrtune.errors import SearchError
from lrtune.records.reader import read_run
from lrtune.records.schema import Rung
from lrtune.records.task import TrialOutcome
from lrtune.schedules.recipe import Recipe
from lrtune.search.deadline import NEVER, PAST, Deadline
from lrtune.search.limit import largest_horizon, largest_share, measure_speed, seconds_of
from tests.search.fake_search import FakeRunner, Search, completed, failed

CONSTANT = Recipe.from_values({"schedule": "constant", "lr0": 0.01})


def test_a_deadline_is_past_from_its_time_on():
    now = [10.0]
    deadline = Deadline(20.0, lambda: now[0])
    assert (deadline.is_past, deadline.left) == (False, 10.0)
    assert deadline.earlier(4.0).at == 16.0
    assert deadline.part(0.3).at == 13.0
    assert deadline.earlier(4.0).later_of(deadline.part(0.3)).at == 16.0
    now[0] = 20.0
    assert (deadline.is_past, deadline.left) == (True, 0.0)
    assert (NEVER.is_past, NEVER.earlier(9.0).is_past, PAST.is_past) == (False, False, True)


def test_the_speed_is_that_of_the_second_training_on_every_worker():
    def train(task):
        cold = task.last_epoch == 1
        seconds = [9.0] if cold else [3.0, 2.0]
        records = tuple({"epoch": n, "seconds": one} for n, one in enumerate(seconds, 1))
        return TrialOutcome(task, "completed", records, seconds=sum(seconds) + (20 if cold else 1))

    runner = FakeRunner(train, slots=3)
    assert measure_speed(runner, CONSTANT, 1) == Speed(2.0, 3, start=1.0, warm_up=26.0)
    assert [task.last_epoch for task in runner.tasks] == [1, 1, 1, 2, 2, 2]


def test_a_constant_rate_that_cannot_be_trained_is_told():
    with pytest.raises(SearchError) as refused:
        measure_speed(FakeRunner(failed), CONSTANT, 1)
    assert str(refused.value).startswith("no epoch can be timed for the time limit: a training of ")
    assert str(refused.value).endswith(" ended with: ValueError: boom")


PLAN = (
    Rung("baseline/search", 4, 0, 9),
    Rung("baseline", 10, 0, 9),
    Rung("search", 9, 0, 3),
    Rung("search", 3, 3, 9),
)


def test_the_seconds_of_the_stages_are_shared_by_the_workers():
    constants, baseline, search = stages_of_search(PLAN)
    confirmation = stage_of_confirmation(3, 20, 9, size=1.25)
    speed = Speed(2.0, 4, start=1.0, warm_up=5.0)
    assert constants.seconds(speed, usually=True) == 5 + (4 + 36 * 2) / 4
    assert baseline.seconds(speed, usually=True) == (10 + 90 * 2) / 4
    assert search.seconds(speed, usually=True) == (12 + 45 * 2) / 4
    assert (confirmation.trainings, confirmation.usual) == (48, 22)
    assert confirmation.seconds(speed, usually=False) == 10 + (48 + 48 * 9 * 2.5) / 4
    # However many workers: two rounds of the choice and one of the test, one after another.
    crowd = Speed(2.0, 100)
    assert confirmation.seconds(crowd, usually=True) == 3 * 9 * 2.5
    assert baseline.seconds(crowd, usually=True) == 9 * 2.0
    assert seconds_of([baseline], crowd) == pytest.approx(18 / 0.9)


def stages_at(share, trials=40):
    trials = math.ceil(share * trials)
    return [Stage("search", trials, 10 * trials, trials)]


@pytest.mark.parametrize(
    ("seconds", "share"), [(500, 1.0), (445, 1.0), (444, 0.97), (223, 0.5), (45, 0.1), (44, None)]
)
def test_the_largest_share_that_fits(seconds, share):
    # A trial takes 10 s, 11.1 s with the margin.
    assert largest_share(stages_at, Speed(1.0, 1), seconds) == share


def test_the_smallest_share_has_room_for_the_schedules_to_try():
    assert largest_share(stages_at, Speed(1.0, 1), 100, smallest=0.25) is None
    assert largest_share(stages_at, Speed(1.0, 1), 112, smallest=0.25) == 0.25


@pytest.mark.parametrize(("fit", "most"), [(0, None), (1, 1), (30, 30), (49, 49)])
def test_the_largest_horizon_that_fits(fit, most):
    assert largest_horizon(lambda epochs: epochs <= fit, 50) == most


@pytest.mark.parametrize(
    "kind",
    [
        {"max_epochs": 9},
        {"max_epochs": 9, "horizon": None},
        {"trials": 12},
        {"trials": 12, "bayesian": 1},
        {"trials": 12, "shape": 1},
    ],
)
def test_at_the_deadline_running_trials_end_and_the_next_session_goes_on(tmp_path, kind):
    whole = Search(tmp_path / "whole", completed, **kind).run()
    now = [0.0]

    def train(task):
        now[0] += 1.0
        return completed(task)

    search = Search(tmp_path / "run", train, slots=2, **kind)
    search.tuner.deadline = Deadline(4.5, lambda: now[0])
    search.run()
    assert search.tuner.stopped
    # The fifth ends after the deadline; the one that ran beside it ends as well.
    assert len(search.runner.tasks) == 6
    assert len(read_run(tmp_path / "run").outcomes) == 6
    assert read_run(tmp_path / "run").manifest.finished is None
    again = Search(tmp_path / "run", completed, **kind).run()
    assert not again.tuner.stopped
    records = read_run(tmp_path / "run")
    assert records.manifest.finished
    assert len(records.outcomes) == len(read_run(tmp_path / "whole").outcomes)
    assert whole.tuner.stopped is False


def test_a_deadline_after_the_last_trial_leaves_nothing_undone(tmp_path):
    now = [0.0]

    def train(task):
        now[0] += 1.0
        return completed(task)

    search = Search(tmp_path / "run", train, trials=4)
    search.tuner.deadline = Deadline(3.5, lambda: now[0])
    search.run()
    assert not search.tuner.stopped
    assert read_run(tmp_path / "run").manifest.finished


@pytest.mark.parametrize(
    "kind", [{"max_epochs": 9}, {"max_epochs": 9, "horizon": None}, {"trials": 12}]
)
def test_a_share_is_recorded_and_kept_by_the_next_session(tmp_path, kind):
    first = Search(tmp_path / "run", completed, _share=0.5, **kind).run()
    assert read_run(tmp_path / "run").manifest.share == 0.5
    trained = len(first.runner.tasks)
    again = Search(tmp_path / "run", completed, **kind).run()
    assert again.tuner.share == 0.5
    assert again.runner.tasks == []
    whole = Search(tmp_path / "whole", completed, **kind).run()
    assert trained < len(whole.runner.tasks)
