"""Runs that are odd or hostile: a sensible picture, or an error that says why there is none."""

from __future__ import annotations

import json
import math

import pytest

from lrtune.errors import ArgumentError
from lrtune.plots.gallery import Plots, image, save_figures
from lrtune.records.reader import read_run
from tests.plots import look
from tests.runs import build_run, make_run

CONSTANT, STEP, TIME = build_run.CONSTANT, build_run.STEP, build_run.TIME
HOSTILE = "$x_{1}$ \x1b[31m\u202e余弦 " + 80 * "w"


def one_trial(folder):
    build_run.write_manifest(folder)
    build_run.write_baseline(folder)
    build_run.write_trial(folder, "0", 0.7, values=STEP)


def one_epoch(folder):
    build_run.write_manifest(folder, max_epochs=1)
    for number, values in enumerate((STEP, TIME, CONSTANT)):
        build_run.write_trial(folder, str(number), 0.6, values=values, epochs=(1, 1, 1))


def no_baseline(folder):
    build_run.write_manifest(folder, baseline_arms={})
    build_run.write_trial(folder, "0", 0.7, values=STEP)
    build_run.write_trial(folder, "1", 0.72, values=TIME)


def only_short_trials(folder):
    build_run.write_manifest(folder, algo="hyperband")
    build_run.write_baseline(folder)
    for number in range(4):
        epochs = (1, 6 * (1 + number // 2), 6 * (1 + number // 2))
        build_run.write_trial(folder, str(number), 0.6 + number / 100, epochs=epochs)


def only_diverged_trials(folder):
    build_run.write_manifest(folder)
    for number in range(5):
        build_run.write_trial(folder, str(number), 0.5, status="diverged", epochs=(1, 2, 50))


def scores_missing(folder):
    build_run.write_manifest(folder)
    build_run.write_trial(folder, "0", None, values=STEP)
    build_run.write_trial(folder, "1", 0.7, values=TIME)
    build_run.write_trial(folder, "2", None, status="failed", epochs=(1, 0, 50))


def equal_scores(folder):
    build_run.write_manifest(folder)
    build_run.write_baseline(folder, {"constant-0.1": (0.5, 0.5, 0.5)})
    for number in range(25):
        build_run.write_trial(folder, f"{number:02}", 0.5, values={**STEP, "lr0": 0.1})


def a_huge_loss(folder):
    build_run.write_manifest(folder, objective="val_loss", direction="min")
    for number in range(8):
        build_run.write_trial(folder, str(number), 0.6 + number / 100, values=TIME)
    build_run.write_trial(folder, "8", 1e30, values=TIME)


def no_epochs_recorded(folder):
    one_trial(folder)
    for path in folder.rglob("epochs.jsonl"):
        path.unlink()


def values_out_of_range(folder):
    build_run.write_manifest(folder)
    odd = ({"schedule": "step"}, {}, {**STEP, "lr0": -1}, {**STEP, "lr0": "x", "momentum": 1.5})
    odd += ({**TIME, "lr0": 1e-40}, {**TIME, "time.k": 1e300}, {**STEP, "momentum": 0})
    for number, values in enumerate(odd):
        build_run.write_trial(folder, str(number), 0.6 + number / 100, values=values)


def hostile_words(folder):
    values = {"schedule": HOSTILE, "lr0": 0.1, "momentum": 0.9, f"{HOSTILE}.$k$": 0.5}
    build_run.write_manifest(folder, families=["step", HOSTILE, "_hidden"], objective=HOSTILE)
    build_run.write_baseline(folder)
    build_run.write_trial(folder, "0", 0.7, values=values)
    build_run.write_trial(folder, "1", 0.71, values={**values, "schedule": "_hidden"})
    build_run.write_trial(folder, "2", 0.69, values=STEP)
    arms = {"_hidden": values, "a+b.c_" + 40 * "x": STEP, "constant-0.1": CONSTANT}
    build_run.write_confirmation(
        folder, dict.fromkeys(arms, (0.7, 0.71, 0.72, 0.7, 0.69, 0.73, 0.7, 0.71)),
        arms=arms, trials={}, search_scores={}, baseline="constant-0.1", objective=HOSTILE,
    )  # fmt: skip


def many_families(folder):
    names = [f"a_family_with_a_long_name_{number}" for number in range(14)]
    build_run.write_manifest(folder, families=names)
    build_run.write_baseline(folder)
    for number, name in enumerate(names):
        for more in range(2):
            values = {"schedule": name, "lr0": 0.01 * (1 + number), "momentum": 0.5}
            build_run.write_trial(folder, f"{2 * number + more:02}", 0.6 + number / 200 + more / 9,
                                  values=values)  # fmt: skip


RUNS = (
    one_trial, one_epoch, no_baseline, only_short_trials, only_diverged_trials, scores_missing,
    equal_scores, a_huge_loss, no_epochs_recorded, values_out_of_range, hostile_words,
    many_families,
)  # fmt: skip


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_an_odd_run_has_readable_pictures(make, tmp_path):
    make(tmp_path)
    names = []
    for name, _, figure in Plots(read_run(tmp_path)).draw_all():
        names.append(name)
        assert (name, look.overlaps(figure)) == (name, [])
        assert (name, look.outside(figure)) == (name, [])
        assert len(image(figure, "png")) > 1000
    assert "hyperparameters" in names


def plots_of(folder):
    return Plots(read_run(folder))


def error(picture, folder, **options):
    """What is said instead of a picture or a table."""
    with pytest.raises(ArgumentError) as caught:
        picture(**options)
    return str(caught.value).replace(repr(str(folder)), "RUN")


def test_a_run_without_trials_says_so_for_every_picture(tmp_path):
    plots = plots_of(build_run.write_manifest(tmp_path))
    nothing = "No trial of the run RUN has a score after the full budget of 50 epochs."
    expected = {
        "schedules": "No trial of the run RUN completed with a score.",
        "learning_curves": "No trial of the run RUN completed with a score.",
        "family_scores": nothing,
        "tuning_curves": nothing,
        "hyperparameters": "No trial of the run RUN has both a score and an lr0.",
        "parallel_coordinates": "Parallel coordinates need 8 or more trials of one family and "
        "budget. The run RUN has fewer.",
        "best_so_far": "No trial of the run RUN completed the full budget of 50 epochs with a "
        "score: there is no best so far.",
    }
    for name, words in expected.items():
        picture = getattr(plots, name)
        assert error(picture, tmp_path) == error(picture.data, tmp_path) == words
    no_trials = "No trials trained for the same number of epochs"
    assert error(plots.importance, tmp_path).startswith(no_trials)
    assert save_figures(read_run(tmp_path), tmp_path / "figures") == []


def test_a_picture_for_another_algorithm_says_which_one_it_is_for(tmp_path):
    build_run.small_run(tmp_path / "random")
    build_run.small_run(tmp_path / "hyperband", algo="hyperband")
    assert error(plots_of(tmp_path / "random").funnel, tmp_path) == (
        "A funnel needs the rungs of Hyperband. Received: a run of algorithm 'random'."
    )
    assert error(plots_of(tmp_path / "hyperband").tuning_curves, tmp_path).startswith(
        "A tuning curve needs independent trials, which only random search draws"
    )


def test_a_forest_needs_a_confirmation_with_a_pair_of_seeds(tmp_path):
    build_run.small_run(tmp_path)
    assert error(plots_of(tmp_path).forest, tmp_path) == (
        "The run RUN has no confirmation, which trains the best schedules and the baseline again "
        "with fresh seeds."
    )
    build_run.write_confirmation(tmp_path, {"trial-1": (0.7, *[None] * 7)})
    assert error(plots_of(tmp_path).forest, tmp_path) == (
        "The confirmation of the run RUN has no seed yet with a score of both an arm and the "
        "baseline."
    )


def test_a_confirmation_that_goes_on_shows_what_it_has(tmp_path):
    build_run.small_run(tmp_path)
    two = {arm: (*scores[:2], *[None] * 6) for arm, scores in build_run.CONFIRMED.items()}
    build_run.write_confirmation(tmp_path, two)
    (ax,) = plots_of(tmp_path).forest().axes
    assert "too few seeds for a test" in look.legend_texts(ax)
    assert len(look.points(ax)) == 6


def test_the_numbers_below_a_forest_have_room_beside_a_long_name(tmp_path):
    build_run.small_run(tmp_path)
    long = {**STEP, "lr0": 0.2393, "momentum": 0.8653, "step.drop": 0.7945, "step.epochs_drop": 12}
    arms = {**build_run.SEQUENTIAL["arms"], "trial-1": long}
    differences = (-0.0075, -0.0065, -0.0008, 0.0052, 0.0064)
    pairs = [(0.11 + one, 0.11) for one in differences]
    changes = {"arms": arms, "direction": "min", "objective": "val_loss", "scale": 0.0105}
    build_run.write_sequential(tmp_path, pairs, [(0.1, 0.2)] * 3, **changes)
    figure = plots_of(tmp_path).forest()
    assert look.overlaps(figure) == []


def test_an_argument_outside_its_domain_is_refused(searches):
    plots = Plots(searches["random 30"])
    folder = searches["random 30"].folder
    few = "top must be 1 to 10. Received: top="
    assert error(plots.learning_curves, folder, top=0) == f"{few}0."
    assert error(plots.learning_curves, folder, top=11) == f"{few}11."
    assert error(plots.parallel_coordinates, folder, family="nothing") == (
        "family must have at least 8 trials of one budget with a score and all parameters; these "
        "have: 'constant', 'time'. Received: family='nothing'."
    )
    assert error(plots.schedules, folder, arm="trial-9") == (
        "arm must be one of the confirmation: none. Received: arm='trial-9'."
    )
    assert error(plots.hyperparameters, folder, axes=[]) == "axes must be 2. Received: 0."
    assert error(plots.tuning_curves, folder, axes=[]) == "axes must be 4. Received: 0."


def test_families_of_one_or_two_trials_have_no_tuning_curve(searches):
    plots, folder = Plots(searches["random 3"]), searches["random 3"].folder
    assert error(plots.tuning_curves, folder) == (
        "A tuning curve needs 3 or more trials of one family and the full budget. The run RUN has "
        "fewer."
    )


def test_a_folder_that_cannot_be_written_to_is_refused(searches, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ArgumentError, match=r"^folder \(--figures\) must be .*: .*file.*\(Not a dir"
    ):
        save_figures(searches["random 3"], tmp_path / "file" / "figures")


def test_words_of_a_run_are_no_formulas_and_steer_nothing(tmp_path):
    hostile_words(tmp_path)
    plots = plots_of(tmp_path)
    svg = b"".join(image(figure, "svg") for _, _, figure in plots.draw_all())
    assert b"\x1b" not in svg
    assert "\u202e".encode() not in svg
    (ax,) = plots.family_scores().axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[1] == r"\$x_{1}\$ \x1b[31" + "…wwwwwwww\n1 trial"
    assert all("/" not in path.name for path in save_figures(read_run(tmp_path), tmp_path / "out"))


def test_a_family_of_another_process_is_drawn_from_its_recorded_rates(tmp_path):
    build_run.write_manifest(tmp_path, families=["mine"], max_epochs=3)
    values = {"schedule": "mine", "lr0": 0.1, "momentum": 0.5, "mine.warmup": 2}
    for number in range(8):
        build_run.write_trial(tmp_path, str(number), 0.7, values=values, epochs=(1, 3, 3))
    plots = plots_of(tmp_path)
    frame = plots.schedules.data()
    assert list(frame["epoch"]) == [0, 1, 2, 3]
    assert list(frame["lr"]) == pytest.approx([0.1, 0.05, 0.1 / 3, 0.1 / 3])
    (ax,) = plots.schedules().axes
    assert look.legend_texts(ax)[0] == "mine(lr0=0.1, warmup=2), momentum 0.5"
    assert "warmup" in plots.parallel_coordinates.data()


def test_parallel_coordinates_have_no_axis_for_the_horizon(tmp_path):
    build_run.write_manifest(tmp_path, families=["cosine"], max_epochs=3)
    values = {"schedule": "cosine", "lr0": 0.1, "momentum": 0.5}
    values |= {"cosine.epochs": 3, "cosine.end": 0.01}
    for number in range(8):
        build_run.write_trial(tmp_path, str(number), 0.7, values=values, epochs=(1, 3, 3))
    frame = plots_of(tmp_path).parallel_coordinates.data()
    assert list(frame)[-4:] == ["lr0", "momentum", "end", "score"]


def test_a_rate_that_ends_at_zero_is_drawn_as_far_as_a_log_axis_goes(tmp_path):
    build_run.write_manifest(tmp_path, max_epochs=3)
    path = build_run.write_trial(tmp_path, "0", 0.7, values={"schedule": "mine"}, epochs=(1, 3, 3))
    rows = [{"epoch": e, "lr": lr, "val_accuracy": 0.7} for e, lr in ((1, 0.1), (2, 1e-30), (3, 0))]
    (path / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (ax,) = plots_of(tmp_path).schedules().axes
    low, high = ax.get_ylim()
    assert high > 0.1
    assert low > 1e-10


def test_without_a_trial_of_the_full_budget_the_longest_are_shown(tmp_path):
    only_short_trials(tmp_path)
    plots = plots_of(tmp_path)
    frame = plots.learning_curves.data()
    best = frame[frame["rank"] > 0]
    assert list(best["trial_id"].unique()) == ["3", "2"]  # of 12 epochs; the others have 6
    (ax,) = plots.schedules().axes
    assert ax.get_xlim() == (0, 50)


def test_one_huge_loss_does_not_take_the_axis_from_the_others(tmp_path):
    a_huge_loss(tmp_path)
    (ax,) = plots_of(tmp_path).family_scores().axes
    low, high = ax.get_xlim()
    assert 0.5 < low < 0.6
    assert 0.67 < high < 2
    assert max(x for x, _ in look.points(ax)) == high
    assert "1 off the axis, at its edge" in look.legend_texts(ax)


def test_a_nan_among_the_epochs_breaks_the_curve_and_nothing_else(tmp_path):
    build_run.write_manifest(tmp_path, max_epochs=3)
    path = build_run.write_trial(tmp_path, "0", 0.7, values=STEP, epochs=(1, 3, 3))
    rows = [{"epoch": e, "lr": 0.1, "val_accuracy": v} for e, v in ((1, 0.5), (2, None), (3, 0.7))]
    (path / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plots = plots_of(tmp_path)
    scores = plots.learning_curves.data()["score"]
    assert [math.isnan(one) for one in scores] == [False, True, False]
    above, _ = plots.learning_curves().axes
    pieces = [list(one.get_xdata()) for one in above.lines if len(one.get_xdata())]
    assert not any(1 in piece and 3 in piece for piece in pieces)


def test_a_single_epoch_is_a_marker(tmp_path):
    one_epoch(tmp_path)
    above, _ = plots_of(tmp_path).learning_curves().axes
    drawn = [one for one in above.lines if len(one.get_xdata())]
    assert [one.get_marker() for one in drawn] == ["o"] * 3


def test_the_tuned_rate_is_the_baseline_where_there_is_one(tmp_path):
    plots = plots_of(make_run.random_run(tmp_path, 3, tuned=True))
    assert set(plots.schedules.data()["constant"]) == {0.0275}
    (ax,) = plots.schedules().axes
    assert look.legend_texts(ax)[-1] == "baseline constant-tuned: 0.0275"
