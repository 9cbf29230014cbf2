"""The short report fits a terminal of 40 lines."""

from __future__ import annotations

import pytest

from lrtune.report.terminal import LINES
from tests.report.test_terminal import printed
from tests.runs import build_run, make_run


def hyperband(folder):
    return make_run.hyperband_run(folder, tuned=True)


def confirmed(folder, arms=4):
    return make_run.confirm(hyperband(folder), arms)


def five_constant_rates(folder):
    """A baseline of five arms, as long as their names get."""
    hyperband(folder)
    tuned = {f"constant-tuned{more}": build_run.TUNED for more in ("", "-2", "-3")}
    arms = {**tuned, **build_run.MANIFEST["baseline_arms"]}
    build_run.write_manifest(folder, algo="hyperband", factor=3, max_epochs=27, baseline_arms=arms)
    scores = dict.fromkeys(arms, (0.69, 0.68, 0.685))
    build_run.write_baseline(folder, scores, epochs=(1, 27, 27))
    return folder


def many_lost(folder):
    return build_run.large_run(folder, 90)


def with_own_values(folder):
    arms = {"constant-tuned": {**build_run.TUNED, "width": 32, "dropout": 0.25, "batch_size": 64}}
    build_run.write_manifest(folder, baseline_budget=0.5, baseline_arms=arms)
    build_run.write_baseline(folder, {"constant-tuned": (0.695, 0.692, 0.698)})
    for number in range(12):
        own = {"width": 16 + number, "dropout": 0.125, "batch_size": 32}
        values = {**build_run.STEP, "lr0": 0.0123, **own}
        build_run.write_trial(folder, f"{number:04}", 0.7 - number / 1000, values=values)
    return folder


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize(
    "make",
    [
        build_run.small_run,
        build_run.tuned_run,
        build_run.confirmed_run,
        hyperband,
        confirmed,
        five_constant_rates,
        many_lost,
        with_own_values,
    ],
)
def test_the_report_fits_40_lines(tmp_path, monkeypatch, make, width):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "runs" / "hyperband-50-epochs-seed-1")

    lines = printed("runs/hyperband-50-epochs-seed-1", width=width).splitlines()

    assert len(lines) <= LINES == 40
    assert max(map(len, lines[4:])) <= width


def test_a_search_with_much_to_list_fills_the_lines(tmp_path):
    lines = printed(many_lost(tmp_path / "run"), width=100).splitlines()

    assert len(lines) in (LINES - 1, LINES)


def test_lost_trials_are_one_line_whose_reasons_are_details(tmp_path):
    folder = many_lost(tmp_path / "run")

    assert "\nNot ranked: 5 trials diverged, 4 failed.\n" in printed(folder)
    assert "diverged in epoch" not in printed(folder)
    assert "diverged in epoch" in printed(folder, details=True)


def test_top_is_obeyed_however_long_the_report_gets(tmp_path):
    text = printed(many_lost(tmp_path / "run"), top=60)

    assert "\n    60  " in text
    assert "and 21 more trials" in text


def test_the_page_is_named_where_there_is_one(tmp_path):
    folder = build_run.small_run(tmp_path / "run")
    more = f"More: `lrtune report {folder} --details`"

    # A line may be broken within the folder's name, which can be long.
    assert printed(folder, width=300).replace("\n", "").endswith(more)
    (folder / "report.html").write_text("")
    assert printed(folder, width=300).replace("\n", " ").endswith(", or report.html there ")


def test_a_search_says_whether_promoted_trials_kept_their_order(tmp_path):
    build_run.write_manifest(tmp_path, algo="hyperband", factor=3, max_epochs=9)
    early, later = [0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68], [0.7, 0.72, 0.71, 0.73]
    for number, (before, after) in enumerate(zip(early, later * 2, strict=True)):
        build_run.write_trial(tmp_path, str(number), before, epochs=(1, 3, 3))
        build_run.write_trial(
            tmp_path, str(number + 8), after, epochs=(4, 9, 9), parent=str(number)
        )

    # By hand: the ranks of .7 .72 .71 .73 .7 .72 .71 .73 are 1.5 5.5 3.5 7.5 twice.
    assert (
        "\nEarly rungs: 3 and 9 epochs, rank correlation 0.39 [-0.46, 0.87] (0: chance).\n"
    ) in printed(tmp_path)
    assert (
        "  early rungs  promoted trials kept their order with a rank correlation of 0.39"
    ) in printed(tmp_path, details=True)


def test_without_promoted_trials_nothing_is_said_about_rungs(tmp_path):
    build_run.small_run(tmp_path)
    assert "Early rungs" not in printed(tmp_path)
