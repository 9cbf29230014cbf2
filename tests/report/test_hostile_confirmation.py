"""A confirmation whose files somebody edited."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lrtune.records.reader import read_run
from lrtune.report.terminal import print_report
from lrtune.run import load_run
from tests.report.confirmed import CONFIRMED, report_of
from tests.runs import build_run


def test_control_characters_in_a_confirmation_do_not_reach_the_terminal(tmp_path):
    evil = "\x1b[2J\u202e\r[red]"
    arms = {
        "trial-1": {"schedule": evil, "lr0": evil, f"{evil}.{evil}": evil},
        "constant-tuned": build_run.TUNED,
    }
    data = {**build_run.CONFIRM["data"], "source": evil, "sizes": {}}
    scores = {arm: CONFIRMED[arm] for arm in arms}
    changes = {"objective": evil, "train_on": evil, "data": data, "trials": {"trial-1": evil}}
    folder = build_run.confirmed_run(tmp_path, scores, arms=arms, **changes)
    out = io.StringIO()

    print_report(read_run(folder), Console(file=out, width=80))

    assert all(line.isprintable() for line in out.getvalue().split("\n"))
    frame = load_run(folder).comparison()
    text = [cell for cell in frame.to_numpy().ravel() if isinstance(cell, str)]
    assert len(text) > 5
    assert all(map(str.isprintable, text))


VALUES = ("null", "-1", '"\\u001b[2J"', "[[1]]", "{}", "1.7e308")


def paths(value, at=()):
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from paths(item, (*at, key))
    yield at


@pytest.mark.parametrize("raw", VALUES)
@pytest.mark.parametrize(
    "name", ["confirm/confirm.json", "confirm/b/seed-2/outcome.json", "baseline/search/run.json"]
)
def test_a_value_of_any_kind_is_reported_or_shown(tmp_path, name, raw):
    arms = {"a": build_run.STEP, "b": build_run.CONSTANT}
    build_run.write_manifest(tmp_path, baseline_budget=0.5)
    build_run.write_baseline(tmp_path, {"constant-tuned": (0.6,)})
    build_run.write_search(tmp_path)
    scores = {"a": (0.7,) * 6, "b": (0.6, 0.61, 0.62, 0.63, 0.6, 0.64)}
    changes = {"search_scores": {"a": 0.7}, "trials": {"a": "0"}, "seeds": [1, 2, 3, 4, 5, 6]}
    if name.startswith("confirm"):
        build_run.write_confirmation(tmp_path, scores, arms=arms, baseline="b", **changes)
    text = (tmp_path / name).read_text()

    for at in paths(json.loads(text)):
        root = holder = json.loads(text)
        for key in at[:-1]:
            holder = holder[key]
        if at:
            holder[at[-1]] = json.loads(raw)
        (tmp_path / name).write_text(json.dumps(root) if at else raw)
        assert report_of(tmp_path).verdict
