"""The loop with real oracles and no training: what is run, told, kept and recorded."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest

from lrtune.display.observer import Observer
from lrtune.errors import OtherSearchError, SearchError
from lrtune.records.task import TrialOutcome
from lrtune.search.seeds import trial_seed
from tests.search.fake_search import Search, completed, diverged, failed, told
from tests.tasks import task_of

# Keras Tuner's arithmetic by hand: bracket b of B starts ceil(ceil(1 + log3 R) / (b + 1) * 3**b)
# trials and keeps a third at each rung; (first, last epoch) -> trials.
RUNGS_9 = {(0, 1): 9, (1, 3): 3, (3, 9): 1 + 2, (0, 3): 5, (0, 9): 3}
RUNGS_27 = {
    (0, 1): 27,
    (1, 3): 9,
    (3, 9): 3 + 4,
    (9, 27): 1 + 2 + 2,
    (0, 3): 12,
    (0, 9): 6,
    (0, 27): 4,
}


@pytest.mark.parametrize(
    ("slots", "pick", "max_epochs", "rungs", "trials", "epochs"),
    [
        *[(slots, pick, 9, RUNGS_9, 23, 75) for slots, pick in [(1, 0), (4, 0), (4, -1), (30, 0)]],
        *[(slots, -1, 27, RUNGS_27, 70, 375) for slots in (1, 5)],
    ],
)
def test_hyperband_runs_exactly_the_trials_of_keras_tuners_arithmetic(
    tmp_path, slots, pick, max_epochs, rungs, trials, epochs
):
    search = Search(
        tmp_path / "run", completed, slots=slots, pick=pick, max_epochs=max_epochs
    ).run()
    assert search.spans == rungs
    assert len(search.runner.tasks) == trials == len(search.outcomes)
    assert sum(task.last_epoch - task.first_epoch for task in search.runner.tasks) == epochs
    assert search.runner.most >= min(slots, 9)


def test_other_algorithms_train_every_trial_over_the_horizon(tmp_path):
    search = Search(tmp_path / "run", completed, trials=7).run()
    assert search.spans == {(0, 4): 7}
    assert all(task.parent_state is None for task in search.runner.tasks)


def test_the_baseline_is_trained_first_and_recorded_in_its_own_folder(tmp_path):
    search = Search(tmp_path / "run", completed, slots=3, trials=4, baseline=2).run()

    rate = {"schedule": "constant", "lr0": 0.1, "momentum": 0.0}
    assert search.runner.tasks[:2] == [
        task_of(f"baseline/constant-0.1/seed-{seed}", rate, seed, 0, 4) for seed in (5, 6)
    ]
    assert [task.trial_id for task in search.runner.tasks[2:]] == ["0", "1", "2", "3"]
    assert {trial_id for trial_id, _, _ in search.metrics} == {"0", "1", "2", "3"}
    assert search.outcome("baseline/constant-0.1/seed-6")["seed"] == 6
    assert search.outcome("baseline/constant-0.1/seed-6")["score"] == 0.1


@pytest.mark.parametrize("slots", [1, 3])
def test_a_promoted_trial_carries_its_parents_state_and_seed(tmp_path, slots):
    search = Search(tmp_path / "run", completed, slots=slots, max_epochs=9).run()
    by_id = {task.trial_id: task for task in search.runner.tasks}
    promoted = [task for task in by_id.values() if task.first_epoch]

    assert len(promoted) == 3 + 1 + 2
    for task in promoted:
        parent = by_id[task.values["tuner/trial_id"]]
        assert str(task.parent_state["trained by"]) == parent.trial_id
        assert task.parent_state["epochs"] == parent.last_epoch == task.first_epoch
        assert task.seed == parent.seed
        assert task.values["x"] == parent.values["x"]
        assert search.outcome(task.trial_id)["parent"] == parent.trial_id
    seeds = {task.seed for task in by_id.values() if not task.first_epoch}
    assert len(seeds) == 9 + 5 + 3


def test_a_trials_seed_follows_from_the_searchs_seed_and_its_id():
    assert trial_seed(5, "0003") == trial_seed(5, "3")
    assert len({trial_seed(seed, f"{i:04}") for seed in range(20) for i in range(50)}) == 1000
    assert 0 <= trial_seed(0, "0") < 2**32


def test_with_half_of_the_trials_diverging_the_full_number_is_promoted(tmp_path):
    def train(task):
        return diverged(task) if task.values["x"] > 0.5 else completed(task)

    search = Search(tmp_path / "run", train, max_epochs=9).run()
    spans = Counter(
        (one["epochs"]["first"] - 1, one["epochs"]["planned"]) for one in search.outcomes
    )
    assert spans == RUNGS_9
    assert 0.2 < np.mean([one["status"] == "diverged" for one in search.outcomes]) < 0.8


def test_the_promotion_of_a_diverged_trial_trains_nothing_and_is_recorded_as_diverged(tmp_path):
    search = Search(tmp_path / "run", diverged, max_epochs=9).run()
    promoted = [one for one in search.outcomes if one["parent"] is not None]

    assert search.spans == {(0, 1): 9, (0, 3): 5, (0, 9): 3}
    assert len(promoted) == 3 + 1 + 2
    for one in promoted:
        assert one["status"] == "diverged"
        assert one["score"] == 0.5
        assert one["message"] == f"continues trial {one['parent']}, which diverged"
        assert one["epochs"]["last"] == one["epochs"]["first"] - 1
    assert search.states == set()


def test_a_diverged_trial_has_the_untrained_models_score_for_either_objective(tmp_path):
    high = Search(tmp_path / "a", diverged, trials=1).run()
    low = Search(tmp_path / "b", diverged, trials=1, objective="val_loss")
    low.run()
    assert high.outcome("0")["score"] == high.oracle.get_trial("0").score == 0.5
    assert low.outcome("0")["score"] == low.oracle.get_trial("0").score == 0.7


def test_a_search_in_which_every_trial_fails_ends_with_the_last_error(tmp_path):
    search = Search(tmp_path / "run", failed, trials=5)
    with pytest.raises(SearchError) as error:
        search.run()
    assert str(error.value) == (
        "every trial failed, the last one with: ValueError: boom. "
        f"`lrtune show {tmp_path / 'run'} 4 --as error` prints the whole traceback"
    )
    assert [one["status"] for one in search.outcomes] == ["failed"] * 5
    assert search.outcomes[0]["score"] is None
    assert search.outcomes[0]["message"].endswith("ValueError: boom\n")


def test_a_baseline_that_succeeds_does_not_hide_that_every_trial_failed(tmp_path):
    def train(task):
        return completed(task) if task.trial_id.startswith("baseline") else failed(task)

    with pytest.raises(SearchError, match="every trial failed"):
        Search(tmp_path / "run", train, baseline=1).run()


def test_a_hyperband_search_in_which_every_trial_fails_ends(tmp_path):
    search = Search(tmp_path / "run", failed, max_epochs=9, slots=4)
    with pytest.raises(SearchError, match="every trial failed"):
        search.run()
    assert search.spans == {(0, 1): 9, (0, 3): 5, (0, 9): 3}


def test_failures_in_a_row_do_not_stop_the_search(tmp_path):
    def train(task):
        return failed(task) if 1 <= int(task.trial_id) <= 4 else completed(task)

    search = Search(tmp_path / "run", train).run()
    statuses = [one["status"] for one in search.outcomes]
    assert statuses == ["completed", *["failed"] * 4, *["completed"] * 3]
    assert search.oracle.get_trial("1").status == "FAILED"


@pytest.mark.parametrize(
    ("objective", "direction", "score", "expected"),
    [
        ("val_accuracy", "max", "last", 0.75),
        ("val_accuracy", "max", "tail", 0.75),  # of 4 epochs, the tail is the last one
        ("val_accuracy", "max", "best", 0.875),
        ("val_loss", "min", "last", 0.25),
        ("val_loss", "min", "best", 0.125),
    ],
)
def test_the_score_is_that_of_the_last_or_the_best_epoch(
    tmp_path, objective, direction, score, expected
):
    def train(task):
        return completed(task, [0.5, 0.875, 0.625, 0.75])

    search = Search(tmp_path / "run", train, trials=1, objective=objective, score=score)
    search.run()
    assert search.outcome("0")["score"] == search.oracle.get_trial("0").score == expected
    assert search.oracle.get_trial("0").best_step == 4


def test_with_the_tail_each_rungs_score_is_the_mean_over_its_own_last_epochs(tmp_path):
    """Horizon 27: rungs of 1, 3 and 9 epochs have a tail of 1; 27 epochs have one of 3."""

    def train(task):  # so that a mean of epochs is the accuracy of none
        epochs = range(task.first_epoch + 1, task.last_epoch + 1)
        return completed(task, [epoch**2 / 1000 for epoch in epochs])

    search = Search(tmp_path / "run", train, max_epochs=27, score="tail", baseline=1).run()
    expected = {1: 0.001, 3: 0.009, 9: 0.081, 27: (0.625 + 0.676 + 0.729) / 3}
    ended = [(one["epochs"]["planned"], one["score"]) for one in search.outcomes]
    assert {budget for budget, _ in ended} == set(expected)
    assert all(score == pytest.approx(expected[budget]) for budget, score in ended)
    assert search.outcome("baseline/constant-0.1/seed-5")["score"] == pytest.approx(expected[27])
    assert json.loads((search.folder / "run.json").read_text())["score"] == "tail"
    told_scores = {one.score for one in search.oracle.trials.values()}
    assert told_scores == {score for _, score in ended}


def test_a_search_with_another_score_is_not_resumed(tmp_path):
    Search(tmp_path / "run", completed, trials=1, score="tail").run()
    with pytest.raises(OtherSearchError, match="holds another search: score tail, now last"):
        Search(tmp_path / "run", completed, trials=1, score="last").run()


def test_without_promotions_only_the_winners_state_is_kept(tmp_path):
    seen = []

    def train(task):
        seen.append(search.states)
        return completed(task)

    search = Search(tmp_path / "run", train, trials=10)
    search.run()
    best = max(search.outcomes, key=lambda one: one["score"])
    assert search.states == {best["trial_id"]}
    assert all(len(states) <= 1 for states in seen)


@pytest.mark.parametrize("keep", [0, 1, 3, 99])
@pytest.mark.parametrize("size", [{"trials": 10}, {"max_epochs": 9, "slots": 2}])
def test_the_states_of_as_many_of_the_best_trials_are_kept_as_are_asked_for(tmp_path, size, keep):
    search = Search(tmp_path / "run", completed, keep_models=keep, **size).run()
    longest = max(one["epochs"]["planned"] for one in search.outcomes)
    full = [one for one in search.outcomes if one["epochs"]["planned"] == longest]
    best = sorted(full, key=lambda one: -one["score"])[:keep]
    assert search.states == {one["trial_id"] for one in best}


def test_the_winner_has_the_smallest_loss(tmp_path):
    search = Search(tmp_path / "run", completed, objective="val_loss")
    search.run()
    best = min(search.outcomes, key=lambda one: one["score"])
    assert search.states == {best["trial_id"]}


@pytest.mark.parametrize("pick", [0, -1])
def test_of_equal_trials_the_first_tried_is_the_winner_in_whatever_order_they_end(tmp_path, pick):
    search = Search(
        tmp_path / "run", lambda task: completed(task, [0.5] * 4), slots=3, pick=pick
    ).run()
    assert search.states == {"0"}


def test_in_hyperband_only_a_winner_of_the_full_budget_is_kept_in_the_end(tmp_path):
    # Accuracy falls with the epochs, so that the best scores are those of the shortest trials.
    def train(task):
        accuracy = task.values["x"] / task.last_epoch
        return completed(task, [accuracy] * (task.last_epoch - task.first_epoch))

    search = Search(tmp_path / "run", train, max_epochs=9, slots=2).run()
    full = [one for one in search.outcomes if one["epochs"]["planned"] == 9]
    assert search.states == {max(full, key=lambda one: one["score"])["trial_id"]}


def test_a_brackets_states_are_deleted_once_it_cannot_promote_any_more(tmp_path):
    on_disk = {}

    def train(task):
        on_disk[task.trial_id] = search.states
        return completed(task)

    search = Search(tmp_path / "run", train, max_epochs=9)
    search.run()
    last = search.runner.tasks[-1]
    first_bracket = {task.trial_id for task in search.runner.tasks if task.last_epoch <= 1}
    assert (last.first_epoch, last.last_epoch) == (0, 9)
    assert len(first_bracket) == 9
    assert not on_disk[last.trial_id] & first_bracket


def test_the_oracle_is_told_finite_numbers_only(tmp_path):
    def train(task):
        if task.trial_id == "0":
            return completed(task)
        if task.trial_id == "1":
            return diverged(task, ({"epoch": 1, "val_loss": math.nan, "val_accuracy": 0.5},))
        outcome = completed(task)
        outcome.epochs[-1]["val_loss"] = math.inf
        return outcome

    search = Search(tmp_path / "run", train, trials=4).run()
    assert [trial_id for trial_id, _, _ in search.metrics] == ["0", "1", "2", "3"]
    for _, metrics, _ in search.metrics:
        assert "val_accuracy" in metrics
        assert all(math.isfinite(value) for value in metrics.values())
        assert not set(metrics) & {"epoch", "lr", "seconds"}


def test_the_best_epoch_is_never_one_whose_objective_is_not_finite(tmp_path):
    search = Search(
        tmp_path / "run", lambda task: completed(task, [0.5, math.nan, 0.75, 0.6]), score="best"
    ).run()
    assert {one["score"] for one in search.outcomes} == {0.75}


def test_epochs_without_the_objective_are_ignored(tmp_path):
    def train(task):  # as with Keras' validation_freq=2
        outcome = completed(task, [0.1, 0.2, 0.3, 0.4])
        for record in outcome.epochs:
            if record["epoch"] != 2:
                del record["val_accuracy"]
        return outcome

    assert Search(tmp_path / "run", train, trials=1).run().outcome("0")["score"] == 0.2


@pytest.mark.parametrize("objective", [math.nan, -math.inf])
def test_a_trial_whose_objective_is_not_finite_counts_as_diverged(tmp_path, objective):
    def train(task):
        return completed(task, [0.9, 0.9, 0.9, objective if task.trial_id == "1" else 0.1])

    search = Search(tmp_path / "run", train, trials=3).run()
    assert [one["status"] for one in search.outcomes] == ["completed", "diverged", "completed"]
    assert search.outcomes[1]["score"] == search.oracle.get_trial("1").score == 0.5
    assert search.outcomes[1]["message"] == f"epoch 4: val_accuracy is {objective}"
    assert "1" not in search.states


def test_an_objective_that_training_does_not_log_is_named_with_those_it_does(tmp_path):
    search = Search(tmp_path / "run", completed, objective="val_auc")
    with pytest.raises(SearchError) as error:
        search.run()
    assert str(error.value) == (
        "objective 'val_auc' is not among the metrics that training logs: val_accuracy, val_loss. "
        "Choose one of these (val_... need validation_data)."
    )


def test_a_diverged_trial_without_an_untrained_score_has_failed(tmp_path):
    # A `fit` of the user's own may measure what `evaluate` on its arguments does not.
    def train(task):
        if task.trial_id != "1":
            return completed(task)
        return TrialOutcome(told(task), "diverged", untrained={"loss": 0.7}, message="loss is nan")

    search = Search(tmp_path / "run", train, trials=3).run()
    assert [one["status"] for one in search.outcomes] == ["completed", "failed", "completed"]
    assert search.outcomes[1]["score"] is None
    assert search.outcomes[1]["message"] == "loss is nan"


def test_every_epoch_and_outcome_is_recorded_and_observed(tmp_path):
    events = []

    class Watch(Observer):
        def trial_began(self, task):
            events.append(("began", task.trial_id))

        def epoch_ended(self, trial_id, record):
            events.append((record["epoch"], trial_id))

        def trial_ended(self, outcome):
            events.append((outcome.status, outcome.trial_id))

    search = Search(tmp_path / "run", completed, trials=2)
    search.run(Watch())
    assert events == [
        (what, trial) for trial in "01" for what in ("began", 1, 2, 3, 4, "completed")
    ]
    lines = (tmp_path / "run" / "trial_1" / "epochs.jsonl").read_text().splitlines()
    x = search.oracle.get_trial("1").hyperparameters.values["x"]
    assert [json.loads(line) for line in lines] == [
        {"epoch": epoch, "lr": 0.1, "val_accuracy": x, "val_loss": 1 - x} for epoch in (1, 2, 3, 4)
    ]
    outcome = search.outcome("1")
    assert outcome["epochs"] == {"first": 1, "last": 4, "planned": 4}
    assert (outcome["seed"], outcome["seconds"]) == (trial_seed(5, "1"), 0.5)
    assert outcome["values"] == {"x": x}


def test_workers_that_join_in_the_middle_get_trials_at_once(tmp_path):
    def train(task):
        if len(search.runner.tasks) == 2:
            search.runner.slots = 5
        return completed(task)

    search = Search(tmp_path / "run", train, slots=2, trials=12)
    search.run()
    assert search.runner.most == 5
