"""`lrtune search --confirm`, with and without a time limit: from nothing to the answer."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer

from lrtune.cli import search
from lrtune.cli.options import Options
from lrtune.cli.time_limit import parse_seconds
from lrtune.display.board import Board
from lrtune.display.stages import Speed
from lrtune.errors import ArgumentError, DataError
from lrtune.records.reader import read_run
from tests.cli.command import called

TRAININGS = 2 + 9 + 4  # constant rates, baseline, trials; without choice and test


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    """The page takes longer than all the trainings; other tests look at it."""
    monkeypatch.setattr("lrtune.report.finish.keep_page", lambda *_, **__: None)


def asked(data, folder, **changes):
    made = Options(
        algo="random", data=str(data), max_epochs=2, max_trials=4, batch_size="16",
        in_process=True, confirm=True, max_seeds=4, run_dir=folder, quiet=True,
    )  # fmt: skip
    return replace(made, **changes)


def everything(folder):
    """Id -> score of every training, and what was chosen."""
    records, nested = read_run(folder), read_run(folder / "baseline" / "search")
    confirmation = records.confirmation
    found = {**records.by_id, **{f"constant {one.trial_id}": one for one in nested.outcomes}}
    found |= {one.trial_id: one for one in confirmation.all}
    return {name: one.score for name, one in found.items()}, confirmation.manifest.tested


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, tiny_images):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lrtune.report.finish.keep_page", lambda *_, **__: None)
        search.search(asked(tiny_images, folder))
    return folder


def test_one_command_searches_chooses_and_tests(undisturbed):
    records = read_run(undisturbed)
    assert records.manifest.finished
    assert records.confirmation.manifest.finished
    assert len(records.outcomes) == 4
    assert sum(map(len, records.confirmation.choice.values())) == 8
    assert [len(arm) for arm in records.confirmation.outcomes.values()] == [4, 4]


def interrupted(options, trainings, seconds=None):
    """The exit code after a Ctrl-C once so many trainings have ended.

    Args:
        options: of the search.
        trainings: int >= 1.
        seconds: that each of them takes, by a clock; None for the real one.
    """
    with pytest.MonkeyPatch.context() as patch:
        clock = (Clock(patch, seconds),) if seconds else ()
        ended, whole = [], Board.trial_ended

        def trial_ended(board, outcome):
            whole(board, outcome)
            ended.append(outcome)
            if len(ended) == trainings:
                raise KeyboardInterrupt

        patch.setattr(Board, "trial_ended", trial_ended)
        try:
            search.search(options, *clock)
        except typer.Exit as end:
            return end.exit_code
    return 0


# In the search of constant rates, the baseline, the search, at its end, in the choice, at its end,
# in the test.
POINTS = [1, TRAININGS - 1, TRAININGS + 2, TRAININGS + 11]
OTHERS = [5, TRAININGS, TRAININGS + 8]


@pytest.mark.parametrize(
    "trainings", [*POINTS, *(pytest.param(one, marks=pytest.mark.long) for one in OTHERS)]
)
def test_interrupted_anywhere_the_same_command_ends_as_if_undisturbed(
    undisturbed, tiny_images, tmp_path, capsys, trainings
):
    options = asked(tiny_images, tmp_path / "run")
    assert interrupted(options, trainings) == 130
    said = capsys.readouterr().out.rpartition("\nInterrupted. To resume:\n")[2]
    assert said == (
        f"  python -m lrtune.search --algo random --data {tiny_images} --max-epochs 2 "
        "--max-trials 4 --batch-size 16 --confirm --max-seeds 4 --in-process --quiet "
        f"--run-dir {tmp_path}/run\n"
    )
    search.search(options)
    assert everything(tmp_path / "run") == everything(undisturbed)


def test_all_finished_is_said_and_shown_again(undisturbed, tiny_images, capsys):
    before = sorted(undisturbed.rglob("*"))
    search.search(asked(tiny_images, undisturbed))
    said = capsys.readouterr().out
    assert said.startswith(
        f"The search and the confirmation in {undisturbed} are finished; --overwrite starts new "
        "ones.\nrandom search of 2 epochs for val_accuracy"
    )
    assert "Confirmation with" in said
    assert sorted(undisturbed.rglob("*")) == before


def test_a_finished_search_is_confirmed_without_a_new_training(
    undisturbed, tiny_images, tmp_path, capsys
):
    folder = tmp_path / "run"
    search.search(asked(tiny_images, folder, confirm=False, max_seeds=None))
    assert read_run(folder).confirmation is None
    capsys.readouterr()
    search.search(asked(tiny_images, folder, quiet=False))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"The search in {folder} is finished. Its confirmation is next."
    assert said[1].startswith("8 trainings to choose among 3 candidates, then pairs")
    assert everything(folder) == everything(undisturbed)


def test_before_it_starts_each_stage_has_a_line(tiny_images, tmp_path, capsys):
    interrupted(asked(tiny_images, tmp_path / "run", quiet=False), 1)
    said = capsys.readouterr().out.splitlines()
    first = said.index("Planned, at most:")
    assert said[first + 1 : first + 5] == [
        "  search of constant rates   2 trainings   4 epochs",
        "  baseline                   9 trainings  18 epochs",
        "  search of schedules        4 trainings   8 epochs",
        "  choice and test           16 trainings  32 epochs",
    ]


def test_without_test_images_nothing_is_trained(tiny_images, tmp_path, capsys):
    arrays = dict(np.load(tiny_images))
    none = {name: arrays[name][:0] for name in ("x_test", "y_test")}
    np.savez(tmp_path / "none.npz", **{**arrays, **none})
    options = ("--data", tmp_path / "none.npz", "--run-dir", tmp_path / "run", "--confirm")
    ended = called(capsys, "search", "--algo", "random", *options)
    assert ended.returncode == 2
    assert "test" in ended.stderr
    assert not (tmp_path / "run").exists()


OWN = """
import keras
import numpy as np


def build_model(hp):
    layers = [keras.Input((2,)), keras.layers.Dense(2, activation="softmax")]
    return keras.Sequential(layers)


def part(count, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 2)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def load():
    return {"train": part(64, 1), "validation": part(32, 2), "test": part(32, 3)}


def load_two():
    return {"train": part(64, 1), "validation": part(32, 2)}
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own_one_command.py"
    path.write_text(OWN)
    return path


def test_a_model_and_data_of_your_own_are_searched_and_confirmed(own, tmp_path, capsys):
    folder = tmp_path / "run"
    options = asked(f"{own}:load", folder, model=f"{own}:build_model", max_seeds=1)
    search.search(options)
    records = read_run(folder)
    assert records.confirmation.manifest.finished
    capsys.readouterr()
    search.search(options)
    assert "The search and the confirmation in" in capsys.readouterr().out


def test_data_of_your_own_without_a_test_part_are_refused_first(own, tmp_path):
    options = asked(f"{own}:load_two", tmp_path / "run", model=f"{own}:build_model")
    with pytest.raises(DataError) as refused:
        search.search(options)
    assert str(refused.value) == (
        f"--confirm compares on test data: {own}:load_two must return them as a part named 'test'"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("30m", 1800), ("90s", 90), ("2h", 7200), ("1h30m", 5400), ("1h30m10s", 5410), ("45", 45),
        ("1.5h", 5400), ("0.5", 0.5), (" 10M ", 600), ("2h5", 7205),
    ],
)  # fmt: skip
def test_a_time_is_read_in_hours_minutes_and_seconds(typed, seconds):
    assert parse_seconds("--time-limit", typed) == seconds


@pytest.mark.parametrize(
    "typed", ["", "0", "0m", "-5m", "m", "30 min", "1d", "30m1h", "nan", "inf"]
)
def test_a_time_that_is_none_is_refused(typed):
    with pytest.raises(ArgumentError) as refused:
        parse_seconds("--time-limit", typed)
    assert str(refused.value) == (
        "--time-limit must be a time > 0 such as 30m, 90s, 2h or 1h30m, or seconds as a plain "
        f"number. Received: {typed}"
    )


class Clock:
    """Every training of this session takes so many seconds."""

    def __init__(self, monkeypatch, seconds, timed=0.5):
        self.now = 0.0
        speed = Speed(timed, workers=1)
        monkeypatch.setattr("lrtune.search.tuner.measure_speed", lambda *_: speed)
        whole = Board.trial_ended

        def trial_ended(board, outcome):
            self.now += seconds
            whole(board, outcome)

        monkeypatch.setattr(Board, "trial_ended", trial_ended)

    def __call__(self):
        return self.now


def limited(data, folder, **changes):
    return asked(data, folder, **{"max_trials": 20, "quiet": False, **changes})


def share_of(folder):
    return json.loads((folder / "run.json").read_text())["share"]


def test_a_limited_search_is_planned_and_ends_in_time(tiny_images, tmp_path, monkeypatch, capsys):
    # An epoch takes .5 s, a training 1 s, in the confirmation 1.25 s: baseline 10, choice and test
    # 16 x 1.25; the rest of .9 x 50 s is for trials, of which the constant rates have a third.
    clock = Clock(monkeypatch, 1.0)
    folder = tmp_path / "run"
    search.search(limited(tiny_images, folder, time_limit="50s"), clock)
    said = capsys.readouterr().out
    records = read_run(folder)
    assert records.manifest.finished
    assert records.manifest.max_trials == len(records.outcomes) == 10
    assert 0.45 < share_of(folder) <= 0.5
    assert "An epoch takes 0.5 s with 1 worker, so 50% of the usual trials fit." in said
    lines = said.splitlines()
    first = lines.index("Planned, at most:")
    assert lines[first + 1 : first + 5] == [
        "  search of constant rates   5 trainings  10 epochs  about 5 s",
        "  baseline                  10 trainings  20 epochs  about 10 s",
        "  search of schedules       10 trainings  20 epochs  about 10 s",
        "  choice and test           16 trainings  32 epochs  about 20 s",
    ]
    assert records.confirmation.manifest.finished
    assert clock.now <= 50


def test_a_limited_search_that_was_killed_is_the_same_search_again(
    tiny_images, tmp_path, monkeypatch
):
    one, other = tmp_path / "one", tmp_path / "other"
    clock = Clock(monkeypatch, 1.0)
    search.search(limited(tiny_images, one, time_limit="50s"), clock)
    options = limited(tiny_images, other, time_limit="50s")
    for trainings in (3, 16):
        assert interrupted(options, trainings, seconds=1.0) == 130
    clock = Clock(monkeypatch, 1.0, timed=5.0)  # another pace changes nothing
    search.search(replace(options, time_limit="2h"), clock)
    assert share_of(other) == share_of(one)
    assert everything(other) == everything(one)


def test_without_the_option_a_limited_search_goes_on_as_it_was_planned(
    tiny_images, tmp_path, capsys
):
    folder = tmp_path / "run"
    options = limited(tiny_images, folder, time_limit="50s")
    assert interrupted(options, 14, seconds=1.0) == 130
    search.search(replace(options, time_limit=None))
    assert len(read_run(folder).outcomes) == 10
    assert capsys.readouterr().out.count("This search was planned for a time limit, with ") == 1
    search.search(replace(options, time_limit=None))
    assert "The search and the confirmation in" in capsys.readouterr().out


def test_a_limit_that_is_too_short_says_what_would_do(tiny_images, tmp_path, monkeypatch):
    clock = Clock(monkeypatch, 1.0)
    with pytest.raises(ArgumentError) as refused:
        search.search(limited(tiny_images, tmp_path / "run", time_limit="25s"), clock)
    # (1 + 8 + 2 trainings x 1 s + 14 x 1.25 s) / .9, with two candidates to choose from
    assert str(refused.value) == (
        "--time-limit is too short for --max-epochs 2 here: at 0.5 s an epoch with 1 worker, even "
        "a search of 10% of the usual trials takes 32s, its confirmation included. --time-limit "
        "34s would do, or --max-epochs 1. Received: 25s"
    )
    assert not (tmp_path / "run" / "run.json").exists()


def test_where_trainings_take_longer_than_planned_no_new_ones_begin(
    tiny_images, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "run"
    options = limited(tiny_images, folder, time_limit="50s")
    clock = Clock(monkeypatch, 1.6)
    search.search(options, clock)
    said = capsys.readouterr().out
    records = read_run(folder)
    done = len(records.outcomes)
    assert records.manifest.finished is None
    assert done < 10
    assert clock.now < 50 + 1.6
    assert records.confirmation.manifest.finished is None
    assert (
        "The time limit of 50s ended before the answer. To go on:\n  python -m lrtune.search "
        in said
    )
    assert said.endswith(
        f"The search stopped for the time limit of 50s, after {done} of at most 10 trials. The "
        "confirmation is of these.\n"
    )
    search.search(options, Clock(monkeypatch, 0.0))
    said = capsys.readouterr().out
    assert "The confirmation has begun, so the search is not continued." in said
    after = read_run(folder)
    assert len(after.outcomes) == done
    assert after.confirmation.manifest.finished


def test_a_limited_search_alone_says_what_is_left_and_goes_on(
    tiny_images, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "run"
    options = limited(tiny_images, folder, time_limit="30s", confirm=False, max_seeds=None)
    search.search(options, Clock(monkeypatch, 1.6))
    done = len(read_run(folder).outcomes)
    assert f"after {done} of at most" in capsys.readouterr().out.splitlines()[-2]
    nested = read_run(folder / "baseline" / "search")
    arms = read_run(folder).manifest.baseline_arms
    search.search(options, Clock(monkeypatch, 0.0))
    records = read_run(folder)
    assert records.manifest.finished
    assert len(records.outcomes) == records.manifest.max_trials > done
    # The constant rates of the baseline are those that it was trained with.
    assert records.manifest.baseline_arms == arms
    assert len(read_run(folder / "baseline" / "search").outcomes) == len(nested.outcomes)


def test_a_search_that_ends_with_nothing_to_confirm_shows_its_report(
    tiny_images, tmp_path, monkeypatch, capsys
):
    clock = Clock(monkeypatch, 5.0)
    search.search(limited(tiny_images, tmp_path / "run", time_limit="50s"), clock)
    said = capsys.readouterr().out
    assert read_run(tmp_path / "run").confirmation is None
    assert (
        "The search has no trial that completed 2 epochs, so there is nothing to confirm." in said
    )
    assert "random search of 2 epochs for val_accuracy" in said


def test_the_confirmation_of_a_copy_is_resumed_there(undisturbed, tiny_images, tmp_path, capsys):
    folder = Path(shutil.copytree(undisturbed, tmp_path / "copy"))
    shutil.rmtree(folder / "confirm")
    search.search(asked(tiny_images, folder))
    assert everything(folder) == everything(undisturbed)
