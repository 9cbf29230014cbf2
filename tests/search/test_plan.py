"""Plans: which training of an arm is next, whatever order they end in."""

from __future__ import annotations

import itertools

import pytest

from lrtune.records.ids import parse_id
from lrtune.records.schema import Outcome, Span
from lrtune.search.plan import AllSeeds, Arms, PairsPlan, RacePlan
from lrtune.stats.race import Race, Ran

CONSTANT = {"schedule": "constant", "lr0": 0.1, "momentum": 0.0}
EPOCHS = 4


def arms(*names, kind="confirm", known=()):
    return Arms(kind, dict.fromkeys(names, CONSTANT), EPOCHS, known)


def ended(trial_id, score=0.7, status="completed", planned=EPOCHS):
    span = Span(1, planned, planned)
    return Outcome(trial_id, status, CONSTANT, span, parse_id(trial_id).seed, 1.0, score)


def taken(plan):
    """The ids of all tasks that can begin now."""
    return [task.trial_id for task in iter(plan.take, None)]


def test_all_seeds_are_trained_seed_by_seed():
    plan = AllSeeds(arms("a", "b"), (7, 8))
    assert taken(plan) == [
        "confirm/a/seed-7", "confirm/b/seed-7", "confirm/a/seed-8", "confirm/b/seed-8"
    ]  # fmt: skip


def test_what_has_ended_is_not_trained_again_but_what_was_lost_or_cut_short_is():
    known = [
        ended("confirm/a/seed-7"),
        ended("confirm/b/seed-7", None, "failed"),
        ended("confirm/a/seed-8", None, "lost"),
        ended("confirm/b/seed-8", planned=2),
        ended("choice/a/seed-8"),
        ended("confirm/c/seed-8"),
    ]
    plan = AllSeeds(arms("a", "b", known=known), (7, 8))
    assert taken(plan) == ["confirm/a/seed-8", "confirm/b/seed-8"]


def test_a_task_trains_its_arm_with_its_seed_over_the_horizon():
    task = AllSeeds(arms("a"), (7,)).take()
    assert (task.seed, task.first_epoch, task.last_epoch) == (7, 0, EPOCHS)
    assert task.values == CONSTANT


def test_a_race_waits_for_a_round_to_end_and_then_trains_the_best():
    race = RacePlan(arms("a", "b", "c"), Race((1, 2), (3, 1), "max"), lambda one: Ran(one.score))
    assert taken(race) == [f"confirm/{arm}/seed-1" for arm in "abc"]
    race.tell(ended("confirm/a/seed-1", 0.6))
    race.tell(ended("confirm/c/seed-1", 0.8))
    assert race.take() is None
    race.tell(ended("confirm/b/seed-1", 0.7))
    assert taken(race) == ["confirm/c/seed-2"]


def test_a_race_does_not_pass_over_a_lost_training():
    race = RacePlan(arms("a", "b"), Race((1, 2), (2, 1), "max"), lambda one: Ran(one.score))
    taken(race)
    race.tell(ended("confirm/a/seed-1", 0.6))
    race.tell(ended("confirm/b/seed-1", None, "lost"))
    assert race.take() is None


def three_pairs(ended_so_far):
    """An answer that needs the first three pairs."""
    return all(seed in of_arm for of_arm in ended_so_far.values() for seed in (1, 2, 3))


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_pairs_end_with_the_answer_whatever_ends_first(workers):
    for order in itertools.permutations(range(workers)):
        plan = PairsPlan(arms("a", "b"), range(1, 21), three_pairs)
        running, trained = [], set()
        while not plan.is_over:
            while len(running) < workers and (task := plan.take()) is not None:
                running.append(task.trial_id)
            last = running.pop(order[0] % len(running))
            trained.add(last)
            plan.tell(ended(last))
        needed = {f"confirm/{arm}/seed-{seed}" for arm in "ab" for seed in (1, 2, 3)}
        assert needed <= trained
        assert plan.take() is None


def test_a_known_answer_trains_nothing():
    known = [ended(f"confirm/{arm}/seed-{seed}") for arm in "ab" for seed in (1, 2, 3)]
    plan = PairsPlan(arms("a", "b", known=known), range(1, 21), three_pairs)
    assert plan.is_over
    assert plan.take() is None


def test_a_lost_training_ends_a_session_of_pairs():
    plan = PairsPlan(arms("a", "b"), range(1, 21), three_pairs)
    plan.take()
    plan.tell(ended("confirm/a/seed-1", None, "lost"))
    assert plan.is_over
