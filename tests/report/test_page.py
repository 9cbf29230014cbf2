"""The page: one HTML file that is whole, valid and safe whatever the run holds."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from lrtune.errors import ArgumentError
from lrtune.records.reader import read_run
from lrtune.report import page as page_module
from lrtune.report.build import build_report
from lrtune.report.page import render_page, write_page
from lrtune.report.page_pictures import PagePicture, draw_pictures
from lrtune.run import load_run
from tests.runs import build_run, make_run

VOID = {"meta", "link", "img", "br"}
EVIL = "<script>alert(1)</script>\"'&</script><!--\u202e\u200f\x1b]{{7*7}}"
SHOWN = "<script>alert(1)</script>\"'&</script><!--\\u202e\\u200f\\x1b]{{7*7}}"


PICTURE = PagePicture("forest", "A forest", "Trees.", "Three trees.", "data:,", 80, 60)


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    """Drawing takes seconds a run: a test that is about the pictures undoes this."""
    monkeypatch.setattr(page_module, "draw_pictures", lambda records: [PICTURE])


class Page(HTMLParser):
    """A page read back: every element that was opened was closed, in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []
        self.raw = {"script": [], "style": []}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert "svg" in self.open
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    @property
    def data(self):
        return json.loads(self.raw["script"][0], parse_constant=pytest.fail)


def page_of(folder):
    html = render_page(read_run(folder))
    page = Page(html)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.elements:
        for name in ("src", "href"):
            assert attrs.get(name, "#").startswith(("#", "data:"))
        for name in ("aria-labelledby", "for"):
            assert attrs.get(name, ids[0]) in ids
        assert not any(name.startswith("on") or name == "style" for name in attrs)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs["alt"] for attrs in page.all("img"))
    assert all(attrs["scope"] for attrs in page.all("th"))
    assert all(char.isprintable() or char == "\n" for char in html)
    return page


def empty(folder):
    return build_run.write_manifest(folder)


def no_baseline(folder):
    build_run.write_manifest(folder, baseline_arms={}, baseline_seeds=[])
    build_run.write_trial(folder, "0", 0.7)
    return folder


def only_diverged(folder):
    build_run.write_manifest(folder)
    build_run.write_baseline(folder)
    build_run.write_trial(
        folder, "0", 0.5, status="diverged", epochs=(1, 3, 50), message="the loss is NaN"
    )
    return folder


def unfinished(folder):
    build_run.write_manifest(folder)
    (folder / "trial_0").mkdir()
    return folder


def half_confirmed(folder):
    scores = {arm: (*some[:2], *[None] * 6) for arm, some in build_run.CONFIRMED.items()}
    return build_run.confirmed_run(folder, scores)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (empty, "No answer yet: no trial has completed 50 epochs."),
        (no_baseline, "None: this run has no constant learning rate to compare with."),
        (only_diverged, "the loss is NaN"),
        (unfinished, "0 (still running or stopped)"),
        (build_run.small_run, "Use exponential(lr0=0.12, k=0.08) with momentum 0.83, but confirm"),
        (build_run.tuned_run, "constant-tuned was found with 0.5 times the search's epochs"),
        (
            build_run.confirmed_run,
            "Use exponential(lr0=0.12, k=0.08) with momentum 0.83. Confirmed : with 8 fresh",
        ),
        (half_confirmed, "not finished: 8 of 32 trainings have ended"),
    ],
)
def test_a_page_is_whole_for_every_kind_of_run(tmp_path, make, words):
    assert words in page_of(make(tmp_path / "run")).words


def test_the_table_holds_every_trial_with_its_curves(tmp_path):
    page = page_of(build_run.small_run(tmp_path / "run"))

    trials = page.data["trials"]
    assert len(trials) == 9
    assert page.words.count("completed") >= 6
    # Trial 1 continues trial 5 at epoch 18, and its row is the first: epochs 1 to 50.
    family, status, group, first, scores, rates, message = trials[0]
    assert (family, status, group, first, len(scores), message) == (0, 0, 0, 1, 50, "")
    assert scores[0] == 0.4
    assert rates[:2] == [0.1, 0.05]
    # Shorter budgets are a group of their own; the failed trial has no epochs.
    assert [one[2] for one in trials] == [0, 0, 0, 0, 34, 34, *[1_000_000_000] * 3]
    assert trials[7][3:] == [0, [], [], "OOM when allocating  at x"]


def test_the_code_builds_the_winning_schedule(tmp_path):
    page = page_of(build_run.confirmed_run(tmp_path / "run"))
    code = "".join(page.text[page.text.index("Use it") :])
    code = code[code.index("import keras") : code.index("Copy the code")]

    lines = {node.targets[0].id: node.value for node in ast.parse(code).body[1:]}
    assert ast.literal_eval(lines["steps_per_epoch"]) == 157
    schedule, optimizer = (
        {one.arg: ast.unparse(one.value) for one in lines[name].keywords}
        for name in ("schedule", "optimizer")
    )
    assert ast.unparse(lines["schedule"].func) == "keras.optimizers.schedules.ExponentialDecay"
    assert float(schedule["decay_rate"]) == pytest.approx(np.exp(-0.08))
    assert schedule["initial_learning_rate"] == "0.12"
    assert schedule["decay_steps"] == "steps_per_epoch"
    assert optimizer == {"learning_rate": "schedule", "momentum": "0.83"}


def refuted(folder):
    same = {"trial-1": build_run.CONFIRMED["trial-0"], "trial-0": build_run.CONFIRMED["trial-0"]}
    return build_run.confirmed_run(folder, {**build_run.CONFIRMED, **same})


@pytest.mark.parametrize(
    ("make", "constant"),
    [
        (lambda folder: build_run.tuned_run(folder, (0.651, 0.65, 0.652)), False),
        (lambda folder: build_run.tuned_run(folder, (0.71, 0.70, 0.72)), True),
        (lambda folder: build_run.tuned_run(folder, (0.81, 0.80, 0.82)), True),
        (build_run.confirmed_run, False),
        (refuted, True),
    ],
    ids=["outside of the noise", "within it", "worse", "confirmed", "not confirmed"],
)
def test_answer_and_code_are_the_runs_recommendation(tmp_path, make, constant):
    folder = make(tmp_path / "run")
    run, words = load_run(folder), page_of(folder).words

    choice = run.recommendation()
    assert run.code() == choice.code()
    assert " ".join(choice.code().split()) in words
    assert ("learning_rate=0.0275, momentum=0.91" in words) is constant
    assert (choice.name == "constant-tuned") is constant
    assert words.index("What to use Use ") < words.index("Use it") < words.index("All trials, best")


def test_the_tiles_are_the_numbers_of_the_answer(tmp_path):
    folder = build_run.tuned_run(tmp_path / "run", (0.71, 0.70, 0.72))

    assert page_module.tiles(build_report(read_run(folder))) == [
        ("best val_accuracy in the search", "0.7120"),
        ("mean of constant-tuned", "0.7100"),
        ("lead of the best trial", "+0.0020"),
        ("chance alone can give one training", "0.0497"),
    ]


def test_the_tiles_of_a_confirmation_are_of_the_schedule_that_the_answer_is_about(tmp_path):
    tiles = page_module.tiles(build_report(read_run(refuted(tmp_path / "run"))))

    assert tiles == [
        ("trial-1 on the test images, mean of 8", "0.6965"),
        ("constant-tuned, mean of 8", "0.6944"),
        ("lead of trial-1", "+0.0021"),
        ("p, adjusted for all arms", "0.56"),
    ]


def test_a_baseline_at_chance_has_no_tiles_and_no_code(tmp_path):
    data = {**build_run.MANIFEST["data"], "largest_class": 0.5}
    folder = build_run.tuned_run(tmp_path / "run", (0.5, 0.5, 0.5))
    build_run.write_manifest(folder, data=data, baseline_arms=build_run.ARMS)
    build_run.write_baseline(folder, dict.fromkeys(build_run.ARMS, (0.5, 0.5, 0.5)))

    words = page_of(folder).words
    assert "What to use Nothing to recommend: 50 epochs are too few to compare anything." in words
    assert "Use it" not in words
    assert "lead of the best trial" not in words


def test_synthetic_data_are_warned_of_first(tmp_path):
    data = {**build_run.MANIFEST["data"], "synthetic": True}
    page = page_of(build_run.small_run(tmp_path / "run", data=data))

    assert 0 < page.words.index("SYNTHETIC DATA") < page.words.index("Use exponential")


def test_the_page_says_what_it_was_made_with_and_on(tmp_path):
    words = page_of(build_run.small_run(tmp_path / "run")).words

    assert "fingerprint 0123456789abcdef" in words
    assert "Versions lrtune 0.1.0" in words
    assert "batch size 64" in words
    assert "started 2026-11-22 08:00 UTC" in words


def test_the_policy_allows_the_pages_own_script_and_style_alone(tmp_path):
    page = page_of(build_run.small_run(tmp_path / "run"))
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)

    def digest(text):
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    script, style = page.raw["script"][-1], "".join(page.raw["style"])
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def hostile_run(folder):
    """Every string that a run may say holds what a page could run."""
    data = {**build_run.MANIFEST["data"], "source": EVIL, "fingerprint": EVIL, "argument": EVIL}
    build_run.write_manifest(
        folder, algo=EVIL, objective=EVIL, data=data, families=[EVIL], versions={EVIL: EVIL},
        baseline_arms={EVIL: build_run.CONSTANT}, created=EVIL,
        space=[{"config": {"name": EVIL, "values": [EVIL]}}],
    )  # fmt: skip
    values = {"schedule": EVIL, "lr0": 0.1, "momentum": 0.5, f"{EVIL}.{EVIL}": EVIL}
    build_run.write_trial(folder, "0", 0.7, values=values, rows=2)
    build_run.write_trial(folder, "1", 0.6, values=values, rows=2)
    build_run.write_trial(folder, "2", None, status="failed", message=EVIL, rows=0)
    return folder


def test_what_a_run_says_is_text(tmp_path):
    page = page_of(hostile_run(tmp_path / "<b>'\"&\u202e"))

    assert len(page.all("script")) == 2
    assert page.all("b") == []
    assert "<b>'\"&\\u202e" in page.words
    assert page.words.count(SHOWN) >= 15
    assert page.data["metric"] == SHOWN
    assert page.data["trials"][2][6] == SHOWN


def test_a_page_of_100_trials_is_small_and_every_picture_has_a_description(tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "draw_pictures", draw_pictures)
    folder = make_run.confirm(make_run.random_run(tmp_path / "run", 100, tuned=True))

    page = page_of(folder)
    pictures = page.all("img")
    assert len(render_page(read_run(folder))) < 3 * 2**20
    assert len(pictures) == 12
    assert len({one["alt"] for one in pictures}) == 12
    best = "The best trial, 0071, is step(lr0=0.00241, drop=0.487, epochs_drop=4), momentum"
    # That of learning curves, of rate and momentum, and of the best score so far.
    assert sum(best in one["alt"] for one in pictures) == 3
    assert all(one["src"].startswith("data:image/") for one in pictures)


def test_the_page_takes_the_place_of_an_older_one(tmp_path):
    run = read_run(empty(tmp_path / "run"))
    path = tmp_path / "report.html"
    path.write_text("older")
    write_page(run, path)

    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["report.html"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it exists and is not a file"),
        ("missing/report.html", "No such file or directory"),
        ("a\0b.html", "null"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_page_that_cannot_be_written_says_why(tmp_path, name, reason):
    run = read_run(empty(tmp_path / "run"))
    path = tmp_path / name

    with pytest.raises(ArgumentError) as error:
        write_page(run, path)
    message = str(error.value)
    assert message.startswith("path (--html) must be a file that can be written. Received: ")
    assert reason in message
    assert "\n" not in message
