"""A damaged or malicious run folder gives a report or one error, never a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil

import pytest
from rich.console import Console

from lrtune.errors import LrtuneError
from lrtune.report.tables import write_csv
from lrtune.report.terminal import print_report
from lrtune.run import load_run
from tests.runs import build_run

FILES = (
    "run.json",
    "trial_0/outcome.json",
    "trial_0/epochs.jsonl",
    "baseline/constant-0.1/seed-1/outcome.json",
)

# JSON as it stands in the file: some of these no parser of Python's would write.
VALUES = {
    "null": "null",
    "true": "true",
    "negative": "-1",
    "past int64": str(2**63),
    "past float": "1" + "0" * 400,
    "more digits than Python reads": "1" + "0" * 5000,
    "an infinity in disguise": "1e999",
    "NaN": "NaN",
    "a way out": '"../../etc"',
    "escapes": r'"\u001b[2J\u009b1m\u202e\u2066\ud800\u0000\r[red]$\\href{javascript:1}{x}$ =1"',
    "list": "[[1]]",
    "object": "{}",
    "nested too deeply": "[" * 100_000,
}


def make(folder):
    build_run.write_manifest(folder, max_epochs=3, baseline_seeds=[1, 2])
    scores = {"constant-0.1": (0.6, 0.61), "constant-0.01": (0.5, 0.52)}
    build_run.write_baseline(folder, scores, epochs=(1, 3, 3))
    for number, values in enumerate((build_run.STEP, build_run.CONSTANT)):
        score = 0.7 - number / 10
        build_run.write_trial(folder, f"{number}", score, values=values, epochs=(1, 3, 3))
    parent = {"epochs": (1, 1, 1), "score": 0.4}
    build_run.write_trial(folder, "2", **parent)
    build_run.write_trial(folder, "3", 0.6, epochs=(2, 3, 3), parent="2")
    build_run.write_trial(folder, "4", None, status="failed", message="OOM", epochs=(1, 0, 3))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


def survey(folder, *, more=False):
    """What the report prints, or the error's message; with `more`, also what else shows a run."""
    out = io.StringIO()
    try:
        run = load_run(folder)
    except LrtuneError as error:
        return str(error)
    print_report(run.records, Console(file=out, width=100))
    for what in (run.best_schedule, run.best_momentum, run.baseline, lambda: run.epochs("0")):
        with contextlib.suppress(LrtuneError):
            what()
    printed = out.getvalue()
    if more:
        write_csv(run.records, str(folder / "out.csv"))
        for frame in (run.cost, run.time_to_target, run.best_so_far, run.tuning_curve):
            with contextlib.suppress(LrtuneError):
                printed += frame().to_string()
        printed += repr(run) + run._repr_html_() + (folder / "out.csv").read_text()
    assert all(char.isprintable() or char == "\n" for char in printed)
    return printed


def surveyed(folder, name, content, whole, *, more=False):
    """What `survey` says with one file changed, which is put back; without blanks."""
    (folder / name).write_bytes(content)
    try:
        return "".join(survey(folder, more=more).split())
    except Exception as error:  # noqa: BLE001 - the failure says which input it was
        pytest.fail(f"{name} of {content[:300]!r}: {type(error).__name__}: {error}")
    finally:
        (folder / name).write_bytes((whole / name).read_bytes())


def paths(value, at=()):
    """Where in a JSON value there is anything, the value itself last."""
    items = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from paths(item, (*at, key))
    yield at


def with_value(text, at, raw):
    """The JSON text with the value at a path replaced by other JSON text."""
    root = holder = json.loads(text)
    if not at:
        return raw
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = "<here>"
    return json.dumps(root).replace('"<here>"', raw)


def test_a_whole_run_is_reported_in_full(folder):
    assert "0.7000" in survey(folder, more=True)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("what", VALUES)
def test_a_value_of_any_kind_anywhere_is_reported_or_shown(folder, whole, name, what):
    text = (whole / name).read_text()
    first, newline, rest = text.partition("\n") if name.endswith("jsonl") else (text, "", "")
    for at in paths(json.loads(first)):
        changed = with_value(first, at, VALUES[what]) + newline + rest
        assert surveyed(folder, name, changed.encode(), whole, more=what == "escapes")


@pytest.mark.parametrize("name", FILES)
def test_a_file_torn_anywhere_is_named(folder, whole, name):
    content = (whole / name).read_bytes()
    for length in range(0, len(content.rstrip()), 1 + len(content) // 40):
        told = surveyed(folder, name, content[:length], whole)
        # A file of lines that ends with a line is whole as far as it goes.
        assert name in told or name.endswith("jsonl")


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes_are_reported_or_shown(folder, whole, name):
    content = (whole / name).read_bytes()
    draw = random.Random(name)  # noqa: S311 - where to damage a file, not secrets
    for _ in range(40):
        changed = bytearray(content)
        for _ in range(draw.choice((1, 1, 5))):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        assert surveyed(folder, name, bytes(changed), whole)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b"\n\n\n", b"[1]\n[2]\n", b'{"a": 1'],
)
def test_a_file_of_garbage_is_reported(folder, whole, name, content):
    told = surveyed(folder, name, content, whole)

    assert name in told or (name.endswith("jsonl") and not content)


@pytest.mark.parametrize("name", FILES)
def test_of_a_duplicate_key_the_last_one_counts(folder, whole, name):
    text = (whole / name).read_text()
    key = next(iter(json.loads(text.partition("\n")[0] if name.endswith("jsonl") else text)))
    changed = text.replace("{", f'{{"{key}": [],', 1)
    expected = "".join(survey(folder).split())
    assert surveyed(folder, name, changed.encode(), whole) == expected


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_is_named(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()

    assert name in "".join(survey(folder).split())


def test_scores_whose_sum_overflows_are_reported(folder):
    for path in folder.glob("baseline/constant-0.1/*/outcome.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "score": 1.7e308}))

    assert "1.7e+308 ±" in survey(folder)
