"""What is drawn is what the records say: read back from the axes, checked by hand."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from lrtune.plots.best_so_far import best_so_far
from lrtune.plots.family_scores import family_scores
from lrtune.plots.forest import forest
from lrtune.plots.funnel import funnel, rungs
from lrtune.plots.hyperparameters import hyperparameters
from lrtune.plots.importance import importance
from lrtune.plots.learning_curves import learning_curves
from lrtune.plots.parallel import parallel_coordinates
from lrtune.plots.schedules import schedules
from lrtune.plots.tuning_curves import tuning_curves
from lrtune.records.reader import read_run
from lrtune.stats.confirmation import measure_confirmation
from lrtune.stats.importance import measure_importance
from lrtune.stats.tuning_curves import family_curves
from tests.plots import look, make_run
from tests.records import build_run

# The seeds of constant-0.1 in build_run: mean .681, and 4.302653 is the .975 quantile of
# Student's t with 2 degrees of freedom.
MEAN = 0.681
SPREAD = 4.302653 * math.sqrt(0.000014 / 2) * math.sqrt(4 / 3)


@pytest.fixture
def small(tmp_path):
    return read_run(build_run.small_run(tmp_path))


def at(line, time):
    """The value of a line of steps at a time."""
    x, y = (np.asarray(one, dtype=float) for one in line.get_data())
    return y[np.searchsorted(x, time, side="right") - 1]


def rectangles(ax):
    return [
        (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height())
        for patch in ax.patches
    ]


def test_a_step_schedule_is_drawn_as_its_definition_says(small):
    ax = schedules(small)
    step = look.line(ax, "2   step")
    assert step.get_drawstyle() == "steps-post"
    for time in (0, 3, 9.99, 10, 19.5, 20, 40, 49.9):
        assert at(step, time) == pytest.approx(0.1 * 0.5 ** math.floor(math.floor(time) / 10))
    assert ax.get_xlim() == (0, 50)
    assert ax.get_yscale() == "log"


def test_schedules_are_those_of_the_best_trials_against_the_baselines_rate(small):
    ax = schedules(small, top=3)
    exponential = look.line(ax, "1   exponential")
    assert at(exponential, 7.5) == pytest.approx(0.12 * math.exp(-0.08 * 7))
    time = look.line(ax, "3   time")
    # Falling at every update, drawn at a thousand places.
    assert at(time, 25) == pytest.approx(0.1 / (1 + 0.314 * 25), rel=1e-3)
    (baseline,) = [one for one in ax.lines if look.colour(one) == "#555555"]
    assert list(baseline.get_ydata()) == [0.1, 0.1]
    assert look.legend_texts(ax) == [
        "1   exponential(lr0=0.12, k=0.08), momentum 0.83: 0.712   (trial 1)",
        "2   step(lr0=0.1, drop=0.5, epochs_drop=10), momentum 0.5: 0.705   (trial 0)",
        "3   time(lr0=0.1, k=0.314), momentum 0.5: 0.69   (trial 2)",
        "baseline constant-0.1",
    ]
    assert ax.get_title(loc="left") == "Learning rate of the 3 best trials over 50 epochs"
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]


def test_a_promoted_trials_curve_begins_with_its_parents_first_epoch(small):
    above, below = learning_curves(small, top=1)
    curve = look.line(above, "1   exponential")
    epochs, scores = curve.get_data()
    assert list(epochs) == list(range(1, 51))
    assert list(scores) == pytest.approx([1 - 0.6 / epoch for epoch in range(1, 51)])
    # Trial 5 trained 17 epochs and trial 1 went on from there.
    assert look.points(above) == [(17, pytest.approx(1 - 0.6 / 17))]
    assert look.points(below) == [(17, pytest.approx(0.1 / 18))]
    rate = look.line(below, "1   exponential")
    times, rates = rate.get_data()
    assert list(times[:4]) == [0, 1, 1, 2]
    assert list(rates[:4]) == pytest.approx([0.1, 0.1, 0.05, 0.05])
    assert above.get_xlim() == below.get_xlim()


def test_rates_run_from_the_first_to_the_last_step_of_an_epoch(tmp_path):
    folder = build_run.write_manifest(tmp_path, max_epochs=2)
    path = build_run.write_trial(folder, "0", 0.7, values=build_run.TIME, epochs=(1, 2, 2))
    row = '{"epoch": %d, "lr": %s, "lr_last": %s, "val_accuracy": 0.7}\n'
    path.joinpath("epochs.jsonl").write_text(row % (1, 0.1, 0.06) + row % (2, 0.05, 0.03))
    _, below = learning_curves(read_run(folder))
    times, rates = look.line(below, "1   time").get_data()
    assert list(zip(times, rates, strict=True)) == [(0, 0.1), (1, 0.06), (1, 0.05), (2, 0.03)]


def test_every_trial_of_the_full_budget_is_a_point_beside_the_baseline(small):
    ax = family_scores(small)
    scores = sorted(x for x, _ in look.points(ax))
    limits = ax.get_xlim()
    assert scores == pytest.approx(sorted([0.705, 0.712, 0.69, 0.69, max(0.5, limits[0])]))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "constant\n1 trial", "time\n1 trial", "step\n1 trial", "exponential\n2 trials",
    ]  # fmt: skip
    (band,) = rectangles(ax)
    assert band[0] == pytest.approx(MEAN - SPREAD)
    assert band[2] == pytest.approx(2 * SPREAD)
    (line,) = [one for one in ax.lines if look.colour(one) == "#555555"]
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
    records = read_run(tmp_path)

    (band,) = rectangles(drawn := family_scores(records))
    assert band[2] == pytest.approx(2 * 0.516, abs=0.001)
    # From the mean, .62, to .72 is .1; half of that on either side, and 6 % of .2 more.
    assert drawn.get_xlim() == pytest.approx((0.57 - 0.012, 0.77 + 0.012))
    for other in (best_so_far(records), hyperparameters(records)[0]):
        assert other.get_ylim() == pytest.approx(drawn.get_xlim())


def test_the_stroke_in_a_row_is_the_median_of_the_completed_trials(searches):
    records = searches["random 30"]
    ax = family_scores(records)
    strokes = [one.get_xdata()[0] for one in ax.lines if one.get_gid() == "median"]
    expected = [
        statistics.median(
            one.score
            for one in records.outcomes
            if one.values["schedule"] == family and one.status == "completed"
        )
        for family in make_run.FAMILIES
    ]
    assert strokes == pytest.approx(expected)


def test_scores_stand_against_the_learning_rate_and_momentum(small):
    left, right = hyperparameters(small)
    drawn = {point for point in look.points(left) if point[1] > 0.658}
    assert drawn == {
        (0.1, 0.705), (0.12, 0.712), (0.1, 0.69), (0.05, 0.69), (0.1, 0.66), (0.12, 0.67),
    }  # fmt: skip
    assert (0.83, 0.712) in look.points(right)
    assert left.get_xscale() == "log"
    assert look.legend_texts(left)[:6] == [
        "constant (1)", "time (1)", "step (2)", "exponential (3)", "diverged (1)",
        "hollow: fewer than 50 epochs",
    ]  # fmt: skip
    assert left.get_ylim() == right.get_ylim()
    assert [t.get_text() for t in left.get_xticklabels()] == ["0.05", "0.075", "0.1", "0.125"]


def test_momentum_is_drawn_as_far_from_1_as_it_is_searched(searches):
    _, right = hyperparameters(searches["random 300, loss"])
    places = [right.transData.transform((value, 0))[0] for value in (0, 0.9, 0.99)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1])


def test_parallel_coordinates_put_each_value_where_its_axis_says(small):
    ax = parallel_coordinates(small, family="step")
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == [
        "lr0", "momentum", "drop", "epochs_drop", "validation accuracy\n(higher is better)",
    ]  # fmt: skip
    # One trial of the full budget: each axis has its value in the middle.
    (_, thick) = ax.collections
    assert thick.get_segments()[0][:, 1] == pytest.approx([0.5] * 5)


def test_log_ranges_have_log_axes(searches):
    records = searches["random 300, loss"]
    ax = parallel_coordinates(records, family="step")
    own = [one for one in records.outcomes if one.values["schedule"] == "step"]
    rates = [math.log(one.values["lr0"]) for one in own]
    drawn = sorted(
        segment[0, 1] for group in ax.collections[:2] for segment in group.get_segments()
    )
    drawn += [segment[0, 1] for segment in ax.collections[2].get_segments()]
    drawn = np.sort(drawn)
    expected = np.sort(rates)
    # A straight line between the logarithm and the place on the axis.
    assert len(drawn) == len(own)
    assert np.corrcoef(drawn, expected)[0, 1] == pytest.approx(1)


def test_the_funnel_counts_trials_and_promotions(searches):
    records = searches["hyperband"]
    found = rungs(records)
    counts = [
        (one.bracket, one.epochs, one.trials, one.promoted.total(), one.lost.total())
        for one in found
    ]
    outcomes = records.outcomes
    parents = {one.parent for one in outcomes}
    assert [one[:4] for one in counts] == [
        (3, 1, 27, 9), (3, 3, 9, 3), (3, 9, 3, 1), (3, 27, 1, 0),
        (2, 3, 12, 4), (2, 9, 4, 2), (2, 27, 2, 0),
        (1, 9, 6, 2), (1, 27, 2, 0), (0, 27, 4, 0),
    ]  # fmt: skip
    assert sum(one[4] for one in counts) == sum(
        one.status == "diverged" and one.trial_id not in parents for one in outcomes
    )
    ax = funnel(records)
    ends: dict[float, float] = {}
    for x, y, width, height in rectangles(ax):
        ends[y + height / 2] = max(ends.get(y + height / 2, 0), x + width)
    assert [ends[place] for place in ends] == [one[2] for one in counts]
    words = [text.get_text() for text in ax.texts]
    assert words[0] == "27, 9 promoted"
    assert words[-4:] == ["bracket 3", "bracket 2", "bracket 1", "bracket 0"]


def test_best_so_far_counts_the_epochs_of_all_trials(small):
    ax = best_so_far(small)
    line = ax.lines[0]
    assert line.get_drawstyle() == "steps-post"
    # Epochs 50, 33 (a promoted trial's own), 50, 50, 17, 17, 3 and none.
    assert list(line.get_xdata()) == [50, 83, 133, 183, 200, 217, 220, 220]
    assert list(line.get_ydata()) == [0.705] + [0.712] * 7
    assert set(look.points(ax)) == {(50, 0.705), (83, 0.712), (133, 0.69), (183, 0.69)}
    assert ax.get_xlabel() == "epochs spent"


def test_the_search_for_the_best_constant_rate_is_drawn_beside_the_main_one(tmp_path):
    build_run.small_run(tmp_path)
    own = build_run.write_manifest(tmp_path / "baseline" / "search")
    build_run.write_trial(own, "0", 0.68, values=build_run.CONSTANT)
    build_run.write_trial(own, "1", 0.695, values=build_run.CONSTANT)
    ax = best_so_far(read_run(tmp_path))
    assert list(ax.lines[1].get_xdata()) == [50, 100]
    assert list(ax.lines[1].get_ydata()) == [0.68, 0.695]
    assert "best constant rate, own search" in look.legend_texts(ax)


def test_tuning_curves_are_those_of_the_statistics(searches):
    records = searches["random 30"]
    axes = tuning_curves(records)
    curves = family_curves(records)
    assert len(axes) == len(curves) == 4
    for ax, (family, curve) in zip(axes, curves.items(), strict=True):
        assert ax.get_title(loc="left") == f"{family}, {curve.trials} trials"
        (line,) = [one for one in ax.lines if one.get_linewidth() == 2]
        assert list(line.get_xdata()) == list(curve.n)
        assert list(line.get_ydata()) == list(curve.median)
        low, high = ax.get_ylim()
        drawn = {round(y, 9) for _, y in ax.collections[0].get_paths()[0].vertices}
        expected = np.clip([*curve.lower, *curve.upper], low, high)
        assert drawn == {round(float(bound), 9) for bound in expected}


def test_the_forest_shows_each_difference_with_its_interval_and_verdict(searches):
    records = searches["hyperband"]
    ax = forest(records)
    differences = measure_confirmation(records).comparison.differences
    ordered = sorted(differences, key=lambda one: -one.mean)
    markers = {"better": ">", "worse": "<", "none": "o", "untested": "s"}
    means = [one for one in ax.lines if one.get_marker() in markers.values()]
    assert [(one.get_xdata()[0], one.get_ydata()[0]) for one in means] == [
        (pytest.approx(one.mean), row) for row, one in enumerate(ordered)
    ]
    assert [one.get_marker() for one in means] == [markers[one.verdict] for one in ordered]
    assert {one.verdict for one in ordered} == {"better", "worse", "none"}
    intervals = [one for one in ax.lines if len(set(one.get_xdata())) == 2]
    assert [tuple(one.get_xdata()) for one in intervals] == [
        (one.lower, one.upper) for one in ordered
    ]
    names = [label.get_text().splitlines()[0] for label in ax.get_yticklabels()]
    assert names == [one.arm for one in ordered]
    assert len(look.points(ax)) == sum(one.n for one in ordered)
    (zero,) = [one for one in ax.lines if list(one.get_xdata()) == [0, 0]]
    assert zero.get_visible()


def test_right_of_zero_is_better_for_a_loss_too(tmp_path):
    build_run.small_run(tmp_path)
    build_run.write_confirmation(tmp_path, direction="min", objective="val_loss")
    ax = forest(read_run(tmp_path))
    # The same figures, now losses: trial-1's are higher than the baseline's, so it is the worst.
    names = [label.get_text().splitlines()[0] for label in ax.get_yticklabels()]
    assert names == ["constant-0.1", "trial-0", "trial-1"]
    assert ax.get_xlabel() == "difference in test loss from constant-tuned (right of 0 is better)"


def test_importances_are_bars_of_their_shares(searches):
    records = searches["random 30"]
    ax = importance(records)
    overall = measure_importance(records).overall
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == list(overall.shares)
    widths = [width for _, _, width, _ in rectangles(ax)]
    assert widths == pytest.approx([max(share, 0) for share in overall.shares.values()])


def test_a_loss_is_better_the_lower(searches):
    records = searches["random 300, loss"]
    ax = schedules(records, top=1)
    best = min(
        (one for one in records.outcomes if one.status == "completed"), key=lambda one: one.score
    )
    assert f"(trial {best.trial_id})" in look.legend_texts(ax)[0]
    assert family_scores(records).get_xlabel() == "validation loss (lower is better)"
    line = best_so_far(records).lines[0]
    assert all(np.diff(line.get_ydata()) <= 0)
