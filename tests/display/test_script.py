"""What a search or a confirmation that a script began prints, and when it does not."""

from __future__ import annotations

import shutil

import pytest

import lrtune
from lrtune.display.observer import Observer
from tests.runner import tiny


def search(folder, **arguments):
    hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=1, families=["constant"])
    tuner = lrtune.RandomSearch(
        hypermodel,
        objective="val_loss",
        max_trials=2,
        directory=folder,
        project_name="run",
        seed=1,
        workers=1,
    )
    tuner.search(*tiny.points(), **tiny.fit_kwargs(), **arguments)
    return hypermodel, folder / "run"


def confirm(hypermodel, run, **arguments):
    x, y = tiny.points()
    test_data = (x[:9], y[:9])
    fixed = {"design": "fixed", "top": 1, "seeds": 6}
    options = {**fixed, "workers": 1, "hypermodel": hypermodel, **arguments}
    lrtune.confirm(run, x, y, test_data=test_data, **options)


class Counter(Observer):
    def __init__(self):
        self.ended = 0

    def trial_ended(self, outcome):
        self.ended += 1


def test_a_line_a_finished_training_is_printed_unless_there_is_an_observer_or_silence(
    tmp_path, capsys
):
    # 2 constant rates of 3 seeds, and 2 trials; 3 arms of 6 seeds.
    hypermodel, run = search(tmp_path / "printed")
    lines = capsys.readouterr().out.splitlines()
    planned, *ended = [line.split()[0] for line in lines[:-3]]
    assert (planned, ended) == ("at", [f"[{i}/8]" for i in range(1, 9)])
    assert lines[-1].startswith(f"Open {run}/report.html for the report")
    assert "2 trials: 2 completed" in (run / "report.html").read_text()
    shutil.copytree(run, tmp_path / "unconfirmed")
    confirm(hypermodel, run)
    lines = capsys.readouterr().out.splitlines()
    ended = [line.split()[0] for line in lines[1:-3]]
    assert ended == [f"[{i}/18]" for i in range(1, 19)]
    assert 'id="confirmation"' in (run / "report.html").read_text()

    for silent in ({"verbose": 0}, {"observer": (counter := Counter())}):
        search(tmp_path / str(len(silent)) / next(iter(silent)), **silent)
        assert capsys.readouterr().out == ""
    assert counter.ended == 8
    assert not list(tmp_path.glob("1/*/run/report.html"))

    confirm(hypermodel, tmp_path / "unconfirmed", verbose=0)
    assert capsys.readouterr().out == ""


def test_what_is_damaged_is_a_warning_where_nothing_is_printed(tmp_path):
    _, run = search(tmp_path, verbose=0)
    (run / "trial_0" / "outcome.json").write_text("{")
    with pytest.warns(UserWarning, match="outcome.json cannot be read"):
        search(tmp_path, verbose=0)
