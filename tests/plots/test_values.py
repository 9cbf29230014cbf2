"""A picture's table is what the records say, its drawing what the table says: checked by hand."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import pytest

from lrtune.plots.gallery import Plots
from lrtune.records.reader import read_run
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.importance import measure_importance
from lrtune.stats.tuning_curves import family_curves
from tests.plots import look
from tests.runs import build_run, make_run

ROOT = Path(__file__).parents[2]

# The seeds of constant-0.1 in build_run: mean .681, and 4.302653 is the .975 quantile of
# Student's t with 2 degrees of freedom.
MEAN = 0.681
SPREAD = 4.302653 * math.sqrt(0.000014 / 2) * math.sqrt(4 / 3)
STEP_BLUE, EXPONENTIAL_GREEN = "#0072B2", "#009E73"


@pytest.fixture
def small(tmp_path):
    return Plots(read_run(build_run.small_run(tmp_path)))


def rectangles(ax):
    return [
        (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height())
        for patch in ax.patches
        if patch.get_width() and patch.get_height()
    ]


def lines_of(ax, colour):
    """Lines that are drawn, not those that only stand for an entry of the legend."""
    return [one for one in ax.lines if look.colour(one) == colour and len(one.get_xdata())]


def test_a_step_schedule_is_drawn_as_its_definition_says(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.705, values=build_run.STEP)
    plots = Plots(read_run(tmp_path))
    frame = plots.schedules.data()
    for time in (0, 3, 9, 10, 19, 20, 40, 49):
        (rate,) = frame.loc[frame["epoch"] == time, "lr"]
        assert rate == pytest.approx(0.1 * 0.5 ** math.floor(time / 10))
    assert set(frame["constant"]) == {0.1}
    (ax,) = plots.schedules().axes
    (line,) = lines_of(ax, STEP_BLUE)
    assert line.get_drawstyle() == "steps-post"
    assert list(line.get_xdata()) == list(frame["epoch"])
    assert list(line.get_ydata()) == list(frame["lr"])
    assert ax.get_xlim() == (0, 50)
    assert ax.get_yscale() == "log"


def test_the_schedule_is_the_best_trials_against_the_baselines_rate(small):
    frame = small.schedules.data()
    (rate,) = frame.loc[frame["epoch"] == 7, "lr"]
    assert rate == pytest.approx(0.12 * math.exp(-0.08 * 7))
    (ax,) = small.schedules().axes
    (baseline,) = lines_of(ax, "#555555")
    assert list(baseline.get_ydata()) == [0.1, 0.1]
    assert look.legend_texts(ax) == [
        "exponential(lr0=0.12, k=0.08), momentum 0.83", "baseline constant-0.1: 0.1",
    ]  # fmt: skip
    assert ax.get_title(loc="left") == "Learning rate of the best trial over 50 epochs"


def test_a_schedule_that_falls_at_every_step_is_drawn_smoothly(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, values=build_run.TIME)
    frame = Plots(read_run(tmp_path)).schedules.data()
    assert len(frame) == 401
    assert list(frame["lr"]) == pytest.approx(list(0.1 / (1 + 0.314 * frame["epoch"])), rel=1e-3)


def test_the_schedule_of_an_arm_is_drawn_against_the_confirmations_baseline(searches):
    plots = Plots(searches["hyperband"])
    arms = searches["hyperband"].confirmation.manifest.arms
    frame = plots.schedules.data(arm="trial-0001")
    assert frame["lr"].iloc[0] == pytest.approx(arms["trial-0001"]["lr0"])
    assert set(frame["constant"]) == {0.0275}
    (ax,) = plots.schedules(arm="trial-0001").axes
    assert ax.get_title(loc="left") == "Learning rate of trial-0001 over 50 epochs"


def test_a_promoted_trials_curve_begins_with_its_parents_first_epoch(small):
    frame = small.learning_curves.data(top=1)
    best = frame[frame["rank"] == 1]
    assert set(best["trial_id"]) == {"1"}
    assert list(best["epoch"]) == list(range(1, 51))
    assert list(best["score"]) == pytest.approx([1 - 0.6 / epoch for epoch in range(1, 51)])
    # Trial 5 trained 17 epochs and trial 1 went on from there.
    assert list(best.loc[best["last_of_parent"], "epoch"]) == [17]
    seeds = frame[frame["rank"] == 0]
    assert set(seeds["trial_id"]) == {f"baseline/constant-0.1/seed-{seed}" for seed in (1, 2, 3)}

    above, below = small.learning_curves(top=1).axes
    (curve,) = lines_of(above, EXPONENTIAL_GREEN)
    assert list(curve.get_ydata()) == pytest.approx(list(best["score"]))
    assert look.points(above) == [(17, pytest.approx(1 - 0.6 / 17))]
    assert look.points(below) == [(17, pytest.approx(0.1 / 17))]
    assert above.get_xlim() == below.get_xlim()


def test_rates_run_from_the_first_to_the_last_step_of_an_epoch(tmp_path):
    folder = build_run.write_manifest(tmp_path, max_epochs=2)
    path = build_run.write_trial(folder, "0", 0.7, values=build_run.TIME, epochs=(1, 2, 2))
    row = '{"epoch": %d, "lr": %s, "lr_last": %s, "val_accuracy": 0.7}\n'
    path.joinpath("epochs.jsonl").write_text(row % (1, 0.1, 0.06) + row % (2, 0.05, 0.03))
    _, below = Plots(read_run(folder)).learning_curves().axes
    times, rates = below.lines[0].get_data()
    assert list(zip(times, rates, strict=True)) == [(0, 0.1), (1, 0.06), (1, 0.05), (2, 0.03)]


def test_every_trial_of_the_full_budget_is_a_point_beside_the_baseline(small):
    assert dict(small.family_scores.data()[["trial_id", "score"]].values) == {
        "0": 0.705, "1": 0.712, "2": 0.69, "3": 0.69, "6": 0.5,
    }  # fmt: skip
    (ax,) = small.family_scores().axes
    scores = sorted(x for x, _ in look.points(ax))
    assert scores == pytest.approx(sorted([0.705, 0.712, 0.69, 0.69, max(0.5, ax.get_xlim()[0])]))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "constant\n1 trial", "time\n1 trial", "step\n1 trial", "exponential\n2 trials",
    ]  # fmt: skip
    (band,) = rectangles(ax)
    assert band[0] == pytest.approx(MEAN - SPREAD)
    assert band[2] == pytest.approx(2 * SPREAD)
    (line,) = lines_of(ax, "#555555")
    assert list(line.get_xdata()) == pytest.approx([MEAN, MEAN])
    assert ax.get_xlabel() == "validation accuracy (higher is better)"
    assert "diverged (1)" in look.legend_texts(ax)
    assert "baseline constant-0.1: 0.681" in look.legend_texts(ax)


def test_a_band_far_wider_than_the_trials_range_does_not_squeeze_them(tmp_path):
    build_run.write_manifest(tmp_path)
    # One seed in three fails to train: 4.30 * sqrt(4/3) * .1039 = .516 to either side.
    build_run.write_baseline(tmp_path, {"constant-0.1": (0.68, 0.5, 0.68)})
    for number, score in enumerate((0.66, 0.7, 0.72)):
        build_run.write_trial(tmp_path, f"{number}", score)
    plots = Plots(read_run(tmp_path))
    (drawn,) = plots.family_scores().axes
    (band,) = rectangles(drawn)
    assert band[2] == pytest.approx(2 * 0.516, abs=0.001)
    # From the mean, .62, to .72 is .1; half of that on either side, and 6 % of .2 more.
    assert drawn.get_xlim() == pytest.approx((0.57 - 0.012, 0.77 + 0.012))
    for other in (plots.best_so_far(), plots.hyperparameters()):
        assert other.axes[0].get_ylim() == pytest.approx(drawn.get_xlim())


def test_the_stroke_in_a_row_is_the_median_of_the_completed_trials(searches):
    records = searches["random 30"]
    (ax,) = Plots(records).family_scores().axes
    strokes = {
        round(y): x
        for line in ax.lines
        if line.get_marker() == "|"
        for x, y in line.get_xydata()
        if math.isfinite(x)
    }
    expected = [
        statistics.median(
            one.score
            for one in records.outcomes
            if one.values["schedule"] == family and one.status == "completed"
        )
        for family in make_run.FAMILIES
    ]
    assert [strokes[row] for row in range(4)] == pytest.approx(expected)
    assert len(strokes) == 4


def test_scores_stand_against_the_learning_rate_and_momentum(small):
    left, right = small.hyperparameters().axes
    drawn = {point for point in look.points(left) if point[1] > 0.658}
    assert drawn == {
        (0.1, 0.705), (0.12, 0.712), (0.1, 0.69), (0.05, 0.69), (0.1, 0.66), (0.12, 0.67),
    }  # fmt: skip
    assert (0.83, 0.712) in look.points(right)
    assert left.get_xscale() == "log"
    words = look.legend_texts(left)
    assert words[:5] == ["constant (1)", "time (1)", "step (2)", "exponential (3)", "diverged (1)"]
    assert "small: fewer than 50 epochs" in words
    assert left.get_ylim() == right.get_ylim()
    assert [t.get_text() for t in left.get_xticklabels()] == ["0.05", "0.075", "0.1", "0.125"]


def test_without_a_momentum_its_panel_is_left_out(tmp_path):
    values = {name: v for name, v in build_run.EXPONENTIAL.items() if name != "momentum"}
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.7, values=values)
    (ax,) = Plots(read_run(tmp_path)).hyperparameters().axes
    assert look.points(ax) == [(0.12, 0.7)]


def test_momentum_is_drawn_as_far_from_1_as_it_is_searched(searches):
    _, right = Plots(searches["random 300, loss"]).hyperparameters().axes
    places = [right.transData.transform((value, 0))[0] for value in (0, 0.9, 0.99)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1])


def coordinates(ax):
    """What is drawn at each coordinate, a row a trial."""
    wide = len(ax.get_xticks())
    return np.array([one.get_ydata() for one in ax.lines if len(one.get_xdata()) == wide])


def test_parallel_coordinates_put_each_value_where_its_axis_says(tmp_path):
    build_run.write_manifest(tmp_path, families=["step"])
    for number in range(8):
        values = {**build_run.STEP, "lr0": 10.0 ** -(1 + number / 7), "momentum": 0.1 * number}
        build_run.write_trial(tmp_path, str(number), 0.6 + number / 100, values=values)
    plots = Plots(read_run(tmp_path))
    frame = plots.parallel_coordinates.data()
    assert list(frame["trial_id"]) == list("76543210")
    assert list(frame["lr0"]) == pytest.approx([10.0 ** -(1 + k / 7) for k in range(7, -1, -1)])
    (ax,) = plots.parallel_coordinates(family="step").axes
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "lr0", "momentum", "drop", "epochs_drop", "validation accuracy\n(higher is better)",
    ]  # fmt: skip
    drawn = coordinates(ax)
    assert drawn.shape == (8, 5)
    assert drawn[:, 2:4] == pytest.approx(np.full((8, 2), 0.5))  # all equal: in the middle
    ordered = drawn[np.argsort(drawn[:, 4])]
    # Rates are equally far apart on a log scale, scores on a linear one.
    assert np.diff(ordered[:, 0]) == pytest.approx(np.full(7, np.diff(ordered[:, 0]).mean()))
    assert np.diff(ordered[:, 4]) == pytest.approx(np.full(7, np.diff(ordered[:, 4]).mean()))
    assert ordered[0, 0] > ordered[-1, 0]


def test_log_ranges_have_log_axes(searches):
    records = searches["random 300, loss"]
    own = [one for one in records.outcomes if one.values["schedule"] == "step"]
    (ax,) = Plots(records).parallel_coordinates(family="step").axes
    drawn = np.sort(coordinates(ax)[:, 0])
    expected = np.sort([math.log(one.values["lr0"]) for one in own])
    # A straight line between the logarithm and the place on the axis.
    assert len(drawn) == len(own)
    assert np.corrcoef(drawn, expected)[0, 1] == pytest.approx(1)


def test_fewer_than_eight_trials_of_a_family_have_no_parallel_coordinates(searches):
    families = dict.fromkeys(make_run.FAMILIES, 0)
    for one in searches["random 30"].outcomes:
        families[one.values["schedule"]] += 1
    assert min(families.values()) < 8 <= max(families.values())
    drawn = Plots(searches["random 30"]).parallel_coordinates.variants()
    assert {one["family"] for one in drawn.values()} == {
        family for family, trials in families.items() if trials >= 8
    }


def test_no_two_of_eleven_families_look_alike_in_the_funnel():
    # Seven colours are all that people who see few colours can tell apart.
    (ax,) = Plots(read_run(ROOT / "examples" / "tasks" / "runs" / "residual_cnn")).funnel().axes
    (legend,) = [one for one in (ax.get_legend(), *ax.figure.legends) if one]
    looks = [(one.get_facecolor(), one.get_hatch()) for one in legend.legend_handles]
    assert len(looks) > 10
    assert len(set(looks)) == len(looks)


def test_the_funnel_counts_trials_and_promotions(searches):
    records = searches["hyperband"]
    plots = Plots(records)
    frame = plots.funnel.data()
    rungs = frame.groupby(["bracket", "epochs"], sort=False)["trials"].sum()
    promoted = frame[frame["fate"] == "promoted"].groupby(["bracket", "epochs"])["trials"].sum()
    expected = {
        (3, 1): (27, 9), (3, 3): (9, 3), (3, 9): (3, 1), (3, 27): (1, 0),
        (2, 3): (12, 4), (2, 9): (4, 2), (2, 27): (2, 0),
        (1, 9): (6, 2), (1, 27): (2, 0), (0, 27): (4, 0),
    }  # fmt: skip
    assert list(rungs.index) == list(expected)
    assert {rung: (rungs[rung], promoted.get(rung, 0)) for rung in rungs.index} == expected
    parents = {one.parent for one in records.outcomes}
    assert frame.loc[frame["fate"] == "lost", "trials"].sum() == sum(
        one.status == "diverged" and one.trial_id not in parents for one in records.outcomes
    )
    (ax,) = plots.funnel().axes
    ends: dict[float, float] = {}
    for x, y, width, height in rectangles(ax):
        ends[y + height / 2] = max(ends.get(y + height / 2, 0), x + width)
    assert [ends[place] for place in sorted(ends)] == [trials for trials, _ in expected.values()]
    flat = [bar for bar in ax.patches if bar.get_height() == 0 and bar.get_linewidth() > 0]
    assert flat == [], "a bar for the legend is seen as a line"
    words = [text.get_text() for text in ax.texts]
    assert words[:3] == ["27, 9 promoted", "bracket 3", "9, 3 promoted"]
    assert [one for one in words if one.startswith("bracket")] == [
        "bracket 3", "bracket 2", "bracket 1", "bracket 0",
    ]  # fmt: skip


def test_best_so_far_counts_the_epochs_of_all_trials(small):
    frame = small.best_so_far.data()
    # Epochs 50, 33 (a promoted trial's own), 50, 50, 17, 17, 3 and none.
    assert list(frame["spent"]) == [50, 83, 133, 183, 200, 217, 220, 220]
    assert list(frame["best"]) == [0.705] + [0.712] * 7
    (ax,) = small.best_so_far().axes
    line = ax.lines[0]
    assert line.get_drawstyle() == "steps-post"
    assert list(line.get_xdata()) == list(frame["spent"])
    assert list(line.get_ydata()) == list(frame["best"])
    assert set(look.points(ax)) == {(50, 0.705), (83, 0.712), (133, 0.69), (183, 0.69)}
    assert ax.get_xlabel() == "epochs spent"


def test_the_search_for_the_best_constant_rate_is_drawn_beside_the_main_one(tmp_path):
    build_run.small_run(tmp_path)
    own = build_run.write_manifest(tmp_path / "baseline" / "search")
    build_run.write_trial(own, "0", 0.68, values=build_run.CONSTANT)
    build_run.write_trial(own, "1", 0.695, values=build_run.CONSTANT)
    (ax,) = Plots(read_run(tmp_path)).best_so_far().axes
    assert list(ax.lines[1].get_xdata()) == [50, 100]
    assert list(ax.lines[1].get_ydata()) == [0.68, 0.695]
    assert "best constant rate, own search" in look.legend_texts(ax)


def test_tuning_curves_are_those_of_the_statistics(searches):
    records = searches["random 30"]
    axes = Plots(records).tuning_curves().axes
    curves = family_curves(records)
    assert len(axes) == len(curves) == 4
    for ax, (family, curve) in zip(axes, curves.items(), strict=True):
        assert ax.get_title(loc="left") == f"{family}, {curve.trials} trials"
        (line,) = [one for one in ax.lines if one.get_linewidth() == 2 and len(one.get_xdata())]
        assert list(line.get_xdata()) == list(curve.n)
        assert list(line.get_ydata()) == list(curve.median)
        low, high = ax.get_ylim()
        drawn = {round(y, 9) for _, y in ax.collections[0].get_paths()[0].vertices}
        expected = np.clip([*curve.lower, *curve.upper], low, high)
        assert drawn == {round(float(bound), 9) for bound in expected}


def test_the_forest_shows_each_difference_with_its_interval_and_verdict(searches):
    records = searches["hyperband"]
    plots = Plots(records)
    differences = measure_confirmation(records).comparison.differences
    ordered = sorted(differences, key=lambda one: -one.mean)
    arms = plots.forest.data().drop_duplicates("arm")
    assert list(arms["arm"]) == [one.arm for one in ordered]
    assert list(arms["verdict"]) == [one.verdict for one in ordered]
    assert set(arms["verdict"]) == {"better", "worse", "none"}

    (ax,) = plots.forest().axes
    markers = {"better": ">", "worse": "<", "none": "o", "untested": "s"}
    means = [
        one for one in ax.lines if one.get_marker() in markers.values() and len(one.get_xdata())
    ]
    assert [(one.get_xdata()[0], one.get_ydata()[0]) for one in means] == [
        (pytest.approx(one.mean), row) for row, one in enumerate(ordered)
    ]
    assert [one.get_marker() for one in means] == [markers[one.verdict] for one in ordered]
    intervals = [path.vertices[:, 0] for container in ax.containers
                 for path in container[2][0].get_paths()]  # fmt: skip
    assert [tuple(one) for one in intervals] == [
        (pytest.approx(one.lower), pytest.approx(one.upper)) for one in ordered
    ]
    names = [label.get_text().splitlines()[0] for label in ax.get_yticklabels()]
    assert names == [one.arm for one in ordered]
    assert len(look.points(ax)) == sum(one.n for one in ordered)
    (zero,) = [one for one in ax.lines if list(one.get_xdata()) == [0, 0]]
    assert zero.get_visible()


def test_right_of_zero_is_better_for_a_loss_too(tmp_path):
    build_run.small_run(tmp_path)
    build_run.write_confirmation(tmp_path, direction="min", objective="val_loss")
    plots = Plots(read_run(tmp_path))
    # The same figures, now losses: trial-1's are higher than the baseline's, so it is the worst.
    assert list(plots.forest.data()["arm"].unique()) == ["constant-0.1", "trial-0", "trial-1"]
    first = plots.forest.data().iloc[0]
    assert (first["seed"], first["difference"]) == (11, pytest.approx(0.695 - 0.68))
    (ax,) = plots.forest().axes
    assert ax.get_xlabel() == "difference in test loss from constant-tuned (right of 0 is better)"


def test_importances_are_bars_of_their_shares(searches):
    records = searches["random 300, loss"]
    (ax,) = Plots(records).importance().axes
    found = measure_importance(records)
    groups = [found.overall, *found.families.values()]
    shares = [max(one, 0) for group in groups for one in group.shares.values()]
    names = [name.rpartition(".")[2] for group in groups for name in group.shares]
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    bars = sorted(ax.patches, key=lambda bar: bar.get_y())
    assert [bar.get_width() for bar in bars] == pytest.approx(shares)


def test_a_lower_loss_is_the_better_one(searches):
    records = searches["random 300, loss"]
    plots = Plots(records)
    best = min(
        (one for one in records.outcomes if one.status == "completed"), key=lambda one: one.score
    )
    frame = plots.learning_curves.data(top=1)
    assert set(frame.loc[frame["rank"] == 1, "trial_id"]) == {best.trial_id}
    assert plots.family_scores().axes[0].get_xlabel() == "validation loss (lower is better)"
    assert all(np.diff(plots.best_so_far.data()["best"].dropna()) <= 0)
