"""The race of arms: who gets the next seed, and who wins."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.stats.race import Race, Ran, places_of_baseline

RACE = Race((1, 2, 3), (5, 3, 2), "max")
FIRST = {"a": 0.61, "b": 0.64, "c": 0.60, "d": 0.63, "e": 0.62}


def results(scores, collapsed=()):
    """Arm -> seed -> Ran of scores in the order of seeds 1, 2, ..."""
    return {
        arm: {seed: Ran(score, (arm, seed) in collapsed) for seed, score in enumerate(of_arm, 1)}
        for arm, of_arm in scores.items()
    }


def test_every_arm_gets_the_first_seed():
    assert RACE.wanted({arm: {} for arm in FIRST}) == [(arm, 1) for arm in "abcde"]


def test_nobody_gets_the_second_seed_before_all_have_ended_the_first():
    scores = {arm: [score] for arm, score in FIRST.items()} | {"c": []}
    assert RACE.wanted(results(scores)) == [("c", 1)]


def test_the_best_three_get_the_second_seed_and_the_best_two_of_them_a_third():
    scores = {arm: [score] for arm, score in FIRST.items()}
    assert RACE.wanted(results(scores)) == [("b", 2), ("d", 2), ("e", 2)]
    scores |= {"b": [0.64, 0.60], "d": [0.63, 0.64], "e": [0.62, 0.63]}
    assert RACE.wanted(results(scores)) == [("d", 3), ("e", 3)]
    scores |= {"d": [0.63, 0.64, 0.60], "e": [0.62, 0.63, 0.70]}
    assert RACE.wanted(results(scores)) == []
    assert sum(map(len, scores.values())) == 10


def test_a_lower_loss_is_better():
    race = Race((1, 2), (5, 1), "min")
    assert race.wanted(results({arm: [score] for arm, score in FIRST.items()})) == [("c", 2)]


def test_as_many_places_as_arms_wait_for_nothing():
    race = Race((1, 2, 3), (5, 3, 2), "max")
    assert race.wanted({"a": {}, "b": {}}) == [(arm, seed) for seed in (1, 2, 3) for arm in "ab"]


def test_a_collapsed_seed_comes_after_every_seed_that_trained():
    scores = {arm: [score] for arm, score in FIRST.items()}
    found = RACE.wanted(results(scores, collapsed={("b", 1)}))
    assert found == [("d", 2), ("e", 2), ("a", 2)]


def test_a_failed_seed_comes_last_and_a_race_of_failures_ends():
    scores = {arm: [score] for arm, score in FIRST.items()} | {"b": [float("nan")]}
    assert RACE.wanted(results(scores)) == [("d", 2), ("e", 2), ("a", 2)]
    failed = {arm: [float("nan")] * 3 for arm in FIRST}
    assert RACE.wanted(results(failed)) == []


def test_later_seeds_do_not_decide_earlier_rounds():
    # Seeds of another session, which lost a training, are on record; the race does not see them.
    scores = {arm: [score] for arm, score in FIRST.items()} | {"c": [0.60, 0.99, 0.99]}
    assert RACE.wanted(results(scores)) == [("b", 2), ("d", 2), ("e", 2)]


@pytest.mark.parametrize(
    ("seeds", "places", "message"),
    [
        ((1, 2), (3,), "places must be as many as seeds. Received: 1 places for 2 seeds."),
        ((1, 2), (2, 3), "places must be integers >= 1 that do not increase. Received: (2, 3)."),
        ((1, 2), (2, 0), "places must be integers >= 1 that do not increase. Received: (2, 0)."),
    ],
)
def test_rules_that_make_no_race_are_refused(seeds, places, message):
    with pytest.raises(ArgumentError) as refused:
        Race(seeds, places, "max")
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("arms", "seeds", "places"),
    [(5, 3, (5, 3, 2)), (5, 1, (5,)), (5, 5, (5, 3, 2, 2, 2)), (2, 3, (2, 2, 2)), (5, 0, ())],
)
def test_the_baselines_places(arms, seeds, places):
    assert places_of_baseline(arms, seeds) == places


def run_race(race, score_of):
    """What trains in a whole race, in which `score_of(arm, seed)` is a training's score."""
    found = {arm: {} for arm in "abcde"}
    while wanted := race.wanted(found):
        for arm, seed in wanted:
            found[arm][seed] = Ran(score_of(arm, seed))
    return found


@pytest.mark.long
def test_the_race_finds_a_better_reference_than_one_training():
    """20,000 races of rates that differ by .01, measured with a standard deviation of .01."""
    random = np.random.default_rng(1)
    race, lost, lost_by_one = RACE, [], []
    for _ in range(20_000):
        truth = dict(zip("abcde", random.normal(0.65, 0.01, 5), strict=True))
        found = run_race(race, lambda arm, _, truth=truth: random.normal(truth[arm], 0.01))
        most = max(map(len, found.values()))
        finals = {arm: seeds for arm, seeds in found.items() if len(seeds) == most}
        lost.append(max(truth.values()) - truth[race.ranked(finals)[0]])
        first = max(found, key=lambda arm: found[arm][1].score)
        lost_by_one.append(max(truth.values()) - truth[first])
    raced, single = np.mean(lost), np.mean(lost_by_one)
    logging.getLogger(__name__).info("below the best rate: raced %.4f, by one %.4f", raced, single)
    assert raced < 0.6 * single
