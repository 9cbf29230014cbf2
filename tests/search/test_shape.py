"""Shape search: what it proposes depends on the curves of the schedules, and on nothing else."""

from __future__ import annotations

import collections
import math

import keras_tuner
import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern

import lrtune
from lrtune.errors import ArgumentError
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import Space
from lrtune.search.points import Map, draw, draw_evenly, vary
from lrtune.search.shape import ShapeOracle, initial_points
from lrtune.search.surrogate import GroupedMatern, Surrogate, warped
from tests.runner import tiny

EPOCHS = 12
FAMILIES = ("constant", "exponential", "linear", "cosine", "one_cycle", "warmup+cosine")
OBJECTIVE = keras_tuner.Objective("val_accuracy", "max")


def schedules(families=FAMILIES, more=None):
    hp = keras_tuner.HyperParameters()
    Space(tuple(families), EPOCHS).declare(hp)
    if more:
        more(hp)
    return hp


def oracle_of(hp=None, objective=OBJECTIVE, max_trials=20, epochs=EPOCHS, seed=3, **more):
    oracle = ShapeOracle(
        objective,
        max_trials,
        epochs,
        seed=seed,
        hyperparameters=hp or schedules(),
        max_consecutive_failed_trials=999,
        **more,
    )
    oracle.verbose = 0
    oracle.save = lambda: None
    oracle._save_trial = lambda _: None
    return oracle


def tell(oracle, trial, score):
    if score is None:
        trial.status = "FAILED"
    else:
        trial.status = "COMPLETED"
        oracle.update_trial(trial.trial_id, {oracle.objective.name: score})
    oracle.end_trial(trial)


def searched(oracle, count, score_of):
    """The values and scores of the trials of a search."""
    found = []
    for number in range(count):
        trial = oracle.create_trial(f"worker{number}")
        if trial.status != "RUNNING":
            break
        values = trial.hyperparameters.values
        score = score_of(values)
        tell(oracle, trial, score)
        found.append((values, score))
    return found


def quality(values):
    """Best, at .7, for a mean effective rate of .03 that falls to a hundredth: by plain sums."""
    momentum = values.get("momentum", 0.0)
    rates = Recipe.from_values(values).schedule(np.arange(0.5, EPOCHS)) / (1 - momentum)
    off = math.log10(rates.mean() / 0.03)
    falls = math.log10(max(rates[-1] / rates.max(), 1e-2))
    return 0.7 - 0.1 * off**2 - 0.03 * (falls + 2) ** 2


def best_of(found):
    return max(score for _, score in found)


def test_it_comes_closer_to_the_best_schedules_than_random_search():
    gaps = {"shape": [], "random": []}
    for seed in range(1, 5):
        gaps["shape"].append(0.7 - best_of(searched(oracle_of(seed=seed), 16, quality)))
        rng, space = np.random.default_rng(seed), schedules().space
        gaps["random"].append(0.7 - max(map(quality, draw_evenly(space, rng, 16))))
    assert np.mean(gaps["shape"]) < 0.5 * np.mean(gaps["random"])


def test_it_minimizes_a_loss():
    loss = keras_tuner.Objective("val_loss", "min")
    found = searched(oracle_of(objective=loss), 16, lambda values: 1 - quality(values))
    assert min(score for _, score in found) < 0.32  # .3 is the best


def test_the_first_trials_are_spread_over_the_shapes():
    where = Map(schedules().space, EPOCHS)
    for seed in (1, 2, 3):
        oracle = oracle_of(seed=seed, num_initial_points=9)
        design = where.landmarks([one for one, _ in searched(oracle, 9, lambda _: 0.5)])
        drawn = where.landmarks(draw_evenly(schedules().space, np.random.default_rng(1), 300))
        for column in range(2):  # a Halton sequence: every third of the quantiles has its share
            quantiles = [(drawn[:, column] < one).mean() for one in design[:, column]]
            assert np.histogram(quantiles, 3, (0, 1))[0].min() >= 2


def test_a_proposal_depends_only_on_seed_number_and_history():
    first, again = oracle_of(), oracle_of()
    before = searched(first, 9, quality)
    searched(again, 5, quality)
    resumed = oracle_of(seed=99)
    resumed.trials = dict(again.trials)
    resumed.set_state(again.get_state())
    assert resumed.epochs == EPOCHS
    assert searched(resumed, 4, quality) == before[5:]
    assert searched(oracle_of(seed=4), 1, quality) != before[:1]


def test_trials_that_run_at_once_differ_and_look_elsewhere():
    oracle = oracle_of()
    searched(oracle, 8, quality)
    values = [oracle.create_trial(f"at once {one}").hyperparameters.values for one in range(4)]
    assert all(one != other for i, one in enumerate(values) for other in values[:i])
    x = Map(schedules().space, EPOCHS).place(values).x
    apart = np.linalg.norm(x[:, None] - x[None], axis=2) + 1e9 * np.eye(4)
    assert apart.min() > 0.05


@pytest.mark.parametrize(
    "scores",
    [[0.5], [None], [1.0, None], [0.7, 1e300], [0.7, -1e300], [0.5, 0.6, None, 0.5]],
    ids=str,
)
def test_odd_scores_do_no_harm(scores):
    oracle = oracle_of(num_initial_points=2)
    given = iter(scores * 8)
    found = searched(oracle, 8, lambda _: next(given))
    assert len(found) == 8
    for values, _ in found:
        Recipe.from_values(values).check("momentum")


@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")  # Keras Tuner's own
def test_infinite_and_missing_numbers_count_as_failed():
    oracle = oracle_of(num_initial_points=1, max_retries_per_trial=0)
    given = iter([0.5, math.inf, math.nan, -math.inf, 0.6, 0.7])
    assert len(searched(oracle, 6, lambda _: next(given))) == 6


def test_it_leaves_the_region_where_trials_fail():
    def score_of(values):
        rate = values["lr0"] / (1 - values["momentum"])
        return None if rate > 0.1 else 0.5 + 0.1 * math.log10(rate)

    found = searched(oracle_of(schedules(["constant", "linear"])), 20, score_of)
    failed = [score is None for _, score in found]
    assert sum(failed[10:]) < 6  # the best scores are right beside the failures
    assert max(score for _, score in found if score is not None) > 0.37  # .4 is the limit


def test_the_schedules_to_try_come_first_and_teach_the_model():
    space = Space(FAMILIES, EPOCHS)
    tries = [space.parse("cosine lr0=0.02 momentum=0.9"), space.parse("constant lr0=0.2")]
    found = searched(oracle_of(tries=tries), 4, quality)
    assert [one for one, _ in found[:2]] == tries
    assert found[2][0] not in tries


def test_more_tries_than_initial_points_are_all_made():
    space = Space(FAMILIES, EPOCHS)
    tries = [space.parse(f"constant lr0={rate}") for rate in (0.01, 0.02, 0.05, 0.1)]
    found = searched(oracle_of(tries=tries, num_initial_points=1), 4, quality)
    assert [one["lr0"] for one, _ in found] == [0.01, 0.02, 0.05, 0.1]


def test_the_users_own_hyperparameters_are_searched_with_the_curve():
    def more(hp):
        hp.Float("dropout", 0.0, 1.0)
        hp.Choice("kind", ["a", "b", "c"])
        if hp.Boolean("deep"):
            with hp.conditional_scope("deep", [True]):
                hp.Int("depth", 1, 5)

    def score_of(values):
        kind = {"a": 0.0, "b": 0.2, "c": 0.1}[values["kind"]]
        return quality(values) + kind - 0.3 * abs(values["dropout"] - 0.3)

    late = []
    for seed in (1, 2):
        hp = schedules(more=more)
        found = searched(oracle_of(hp, max_trials=30, seed=seed), 30, score_of)
        assert best_of(found) > 0.87  # .9 is the best; random search finds .85
        late += [values for values, _ in found[15:]]
    assert collections.Counter(one["kind"] for one in late).most_common(1)[0][0] == "b"
    assert np.median([abs(one["dropout"] - 0.3) for one in late]) < 0.2


def test_a_space_without_schedules_is_searched_by_its_own_hyperparameters():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 1e-4, 1.0, sampling="log")
    hp.Choice("schedule", ["a", "b"])  # a name like ours
    found = searched(
        oracle_of(hp, epochs=None, max_trials=12),
        12,
        lambda one: -abs(math.log10(one["x"]) + 2) - (one["schedule"] == "a"),
    )
    assert best_of(found) > -0.15


def test_a_space_with_schedules_needs_the_horizon():
    oracle = oracle_of(epochs=None)
    with pytest.raises(ArgumentError) as error:
        oracle.populate_space("00")
    assert str(error.value) == (
        "epochs must be the horizon that the schedules are laid out over. Received: epochs=None."
    )


def test_a_search_ends_when_everything_was_tried():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b", "c"])
    found = searched(oracle_of(hp, epochs=None), 9, lambda _: 0.5)
    assert sorted(values["kind"] for values, _ in found) == ["a", "b", "c"]


def test_closed_loop_schedules_are_told_apart_from_constant_ones():
    space = schedules(["constant", "plateau"]).space
    common = {"lr0": 0.1, "momentum": 0.5}
    points = [
        {"schedule": "constant", **common},
        {"schedule": "plateau", **common, "plateau.factor": 0.1, "plateau.patience": 1},
        {"schedule": "plateau", **common, "plateau.factor": 0.7, "plateau.patience": 2},
    ]
    x = Map(space, EPOCHS).place(points).x
    assert len(np.unique(x.round(9), axis=0)) == 3
    assert len(searched(oracle_of(schedules(["constant", "plateau", "step"])), 8, quality)) == 8


def test_families_with_the_same_curve_are_at_the_same_place():
    space = schedules(["constant", "step", "cosine"]).space
    points = [
        {"schedule": "constant", "lr0": 0.05, "momentum": 0.5},
        {
            "schedule": "step", "lr0": 0.01, "momentum": 0.9, "step.drop": 1.0,
            "step.epochs_drop": 3,
        },
        {"schedule": "cosine", "lr0": 0.05, "momentum": 0.5, "cosine.epochs": 12, "cosine.end": 0},
    ]  # fmt: skip
    x = Map(space, EPOCHS).place(points).x
    np.testing.assert_allclose(x[0], x[1], atol=1e-9)
    assert np.linalg.norm(x[0] - x[2]) > 0.5


def test_varied_values_stay_in_the_space_and_near():
    space = schedules().space
    rng = np.random.default_rng(1)
    values = draw(space, rng, {"schedule": "one_cycle"})
    for _ in range(50):
        near = vary(space, rng, values, 0.01)
        assert near.keys() == values.keys()
        assert near["schedule"] == "one_cycle"
        assert abs(math.log10(near["lr0"] / values["lr0"])) < 0.2
        assert 0.001 <= near["lr0"] <= 0.3
        assert 0.01 <= near["momentum"] <= 0.99


def test_draws_are_even_over_the_families():
    drawn = draw_evenly(schedules().space, np.random.default_rng(1), 60)
    assert collections.Counter(one["schedule"] for one in drawn) == dict.fromkeys(FAMILIES, 10)


def test_a_grouped_kernel_is_a_plain_one_with_repeated_length_scales():
    x = np.random.default_rng(1).normal(size=(7, 4))
    grouped = GroupedMatern((0, 1, 1, 2), np.array([0.5, 1.0, 2.0]))
    plain = Matern(np.array([0.5, 1.0, 1.0, 2.0]), nu=2.5)
    np.testing.assert_allclose(grouped(x), plain(x))
    kernel, gradient = grouped(x, eval_gradient=True)
    _, whole = plain(x, eval_gradient=True)
    np.testing.assert_allclose(kernel, plain(x))
    summed = np.stack([whole[..., 0], whole[..., 1] + whole[..., 2], whole[..., 3]], axis=2)
    np.testing.assert_allclose(gradient, summed)
    assert GroupedMatern((0, 0), 1.0)(x[:, :2], eval_gradient=True)[1].shape == (7, 7, 1)
    assert GroupedMatern((0,), 1.0)(x[:, :1], eval_gradient=True)[1].shape == (7, 7, 1)


def test_only_the_order_of_the_scores_counts():
    scores = np.array([0.1, 0.5, 0.7, 0.6])
    np.testing.assert_allclose(warped(scores), warped(np.exp(9 * scores)))
    np.testing.assert_allclose(warped(scores), warped(np.array([-1e300, 0.5, 0.7, 0.6])))
    assert warped(scores).std() == pytest.approx(1)
    assert (warped(np.full(4, 0.3)) == 0).all()
    assert (warped(np.array([0.3])) == 0).all()


def test_a_lucky_score_is_not_the_one_to_beat():
    rng = np.random.default_rng(1)
    x = np.repeat(np.linspace(-1, 1, 5), 6)[:, None]
    model = Surrogate(x, x[:, 0] + rng.normal(size=30), (0,))
    assert model.best < warped(x[:, 0] + rng.normal(size=30)).max()
    gains = model.expected_improvement(np.linspace(-1, 1, 9)[:, None])
    assert (gains >= 0).all()


def test_running_trials_lower_the_promise_of_their_neighbourhood():
    x = np.linspace(-1, 1, 6)[:, None]
    scores = np.array([0.1, 0.3, 0.2, 0.5, 0.4, 0.6])
    there = np.array([[1.5]])
    alone = Surrogate(x, scores, (0,)).expected_improvement(there)
    with_one = Surrogate(x, scores, (0,), there).expected_improvement(there)
    assert with_one < alone


@pytest.mark.parametrize(("max_trials", "points"), [(1, 1), (5, 1), (9, 3), (12, 4), (200, 4)])
def test_a_third_of_the_trials_but_at_most_four_go_before_the_model(max_trials, points):
    assert initial_points(max_trials) == points


def test_it_runs_in_a_stock_tuner(tmp_path):
    hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=2, families=["step", "linear"])
    oracle = ShapeOracle("val_loss", max_trials=4, epochs=2, num_initial_points=2, seed=1)
    tuner = keras_tuner.Tuner(oracle, hypermodel, directory=tmp_path, project_name="run")
    tuner.search(*tiny.points(), **tiny.fit_kwargs(), epochs=2, verbose=0)
    assert {one.status for one in oracle.trials.values()} == {"COMPLETED"}
    again = ShapeOracle("val_loss", max_trials=5, epochs=2, seed=2)
    tuner = keras_tuner.Tuner(again, hypermodel, directory=tmp_path, project_name="run")
    assert (again.seed, again.num_initial_points, len(again.trials)) == (1, 2, 4)


def test_the_tuner_searches_with_workers_and_resumes(tmp_path):
    def tuner(**more):
        hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=2, families=["step", "linear"])
        return lrtune.ShapeSearch(
            hypermodel, objective="val_loss", max_trials=4, num_initial_points=2, seed=1,
            directory=tmp_path, project_name="run", workers=1, **more,
        )  # fmt: skip

    first = tuner()
    first.search(*tiny.points(), **tiny.fit_kwargs(), verbose=0)
    run = lrtune.load_run(tmp_path / "run")
    assert (run.manifest.algo, len(run.ranking())) == ("shape", 4)
    again = tuner()
    assert {one: trial.score for one, trial in again.oracle.trials.items()} == {
        one: trial.score for one, trial in first.oracle.trials.items()
    }
