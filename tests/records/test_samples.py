"""How each test sample did is written before the outcome, and read back or named as damaged."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from rich.console import Console

from lrtune.records import schema
from lrtune.records.own import foreign_names
from lrtune.records.parse import read_samples
from lrtune.records.reader import read_run
from lrtune.records.samples import SAMPLES, Samples, compact
from lrtune.records.writer import RunWriter
from lrtune.report.terminal import print_report
from tests.records.test_run_v1 import RUN as RUN_V1
from tests.runs import build_run

ORDER = "0123456789abcdef"
ID = "confirm/trial-1/seed-11"
DRAWN = np.random.default_rng(0)
BITS = DRAWN.random(2000) < 0.7


def of(values, metric="val_accuracy"):
    return Samples(metric, values, ORDER)


def write(folder, samples, score=None):
    """Writes the samples of the first training of a confirmation, with their mean as its score."""
    scores = {"trial-1": (samples.mean if score is None else score, *[None] * 7)}
    build_run.small_run(folder)
    build_run.write_confirmation(folder, scores, finished=None, objective="val_accuracy")
    (outcome,) = read_run(folder).confirmation.outcomes["trial-1"]
    build_run.Writer(folder).outcome(outcome, samples)
    return folder


@pytest.fixture
def run(tmp_path):
    return write(tmp_path / "run", of(BITS))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 2000])
@pytest.mark.parametrize("kind", [bool, np.float16, np.float32])
def test_what_is_written_is_read_back_to_the_bit(count, kind, tmp_path):
    values = (BITS if kind is bool else DRAWN.random(2000)).astype(kind)[:count]
    folder = write(tmp_path / "run", of(values, "val_accuracy" if kind is bool else "val_loss"))
    found = read_run(folder).samples(ID)
    assert found.values.dtype == kind
    assert found.values.tobytes() == values.tobytes()
    assert (found.metric, found.order) == ("val_accuracy" if kind is bool else "val_loss", ORDER)
    assert read_run(folder).notices == ()


def test_2000_bits_are_500_bytes_on_disk(run):
    assert (run / ID / SAMPLES).stat().st_size == 465


def test_there_are_no_samples_of_what_wrote_none(run):
    records = read_run(run)
    assert records.samples("0") is None
    assert records.samples("confirm/trial-1/seed-12") is None
    assert read_run(build_run.small_run(run.parent / "other")).samples(ID) is None


def test_a_run_of_the_first_released_format_has_none_and_no_notice(tmp_path):
    folder = shutil.copytree(RUN_V1, tmp_path / "run")
    records = read_run(folder)
    ids = [one.trial_id for arm in records.confirmation.outcomes.values() for one in arm]
    assert ids
    assert [records.samples(one) for one in ids] == [None] * len(ids)
    assert records.notices == ()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.0, 1.0, 1.0], np.bool_),
        ([0.0, 1.0, 0.5], np.float16),
        (DRAWN.exponential(size=100), np.float16),
        (DRAWN.exponential(size=100) * 1e5, np.float32),  # too large for float16
        (DRAWN.exponential(size=100) * 1e-8, np.float32),  # too small for it
        (1 + DRAWN.random(100) * 1e-4, np.float32),  # too close to one another
        ([0.3, 0.3], np.float32),
    ],
    ids=["bits", "share", "losses", "large", "small", "close", "equal"],
)
def test_values_are_as_small_as_statistics_allow(values, kind):
    values = np.array(values)
    found = compact(values)
    assert found.dtype == kind
    assert np.sqrt(np.mean((found - values) ** 2)) <= 0.01 * values.std() + 1e-7


def damaged(**changes):
    def change(text):
        return json.dumps({**json.loads(text), **changes})

    return change


LEFT_OUT = "how that training did on each test sample is left out."
DAMAGED = {
    "cut": (lambda text: text[:100], "cannot be read (it is not complete JSON)"),
    "empty": (lambda text: "", "cannot be read (it is not complete JSON)"),
    "list": (lambda text: "[]", "cannot be read (it is not a JSON object)"),
    "newer": (
        damaged(schema=2),
        "cannot be read (written by a newer lrtune: schema 2, this one reads 1)",
    ),
    "no base64": (damaged(values="a!b"), "cannot be read (values: invalid base64 encoded string)"),
    "short": (
        damaged(values="AAAA"),
        "cannot be read (2,000 values take 250 bytes, and it has 3)",
    ),
    "too many": (
        damaged(count=2**62),
        f"cannot be read ({2**62:,} values take {2**59:,} bytes, and it has 250)",
    ),
    "NaN": (
        damaged(count=1, dtype="float16", values="AH4="),
        "cannot be read (it has values that are not finite)",
    ),
    "pickle": (
        damaged(dtype="object"),
        "cannot be read (dtype: invalid enum value 'object')",
    ),
    "another training's": (
        damaged(values="A" * 334 + "=="),
        "does not fit outcome.json (its mean differs)",
    ),
}


@pytest.mark.parametrize(("damage", "notice"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_and_the_rest_is_reported(damage, notice, run):
    path = run / ID / SAMPLES
    path.write_text(damage(path.read_text()))
    records = read_run(run)
    assert records.notices == (f"{ID}/samples.json {notice}: {LEFT_OUT}",)
    assert records.samples(ID) is None
    (outcome,) = records.confirmation.outcomes["trial-1"]
    assert outcome.score == BITS.mean()
    text = io.StringIO()
    print_report(records, Console(file=text, width=200))
    assert "samples.json" in text.getvalue()


def test_a_link_is_not_followed(run, tmp_path):
    path = run / ID / SAMPLES
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert read_run(run).samples(ID) is None
    assert read_run(run).notices == (
        f"{ID}/samples.json cannot be read (it is a link, which is not followed): {LEFT_OUT}",
    )


def test_another_try_of_a_training_begins_without_them(run):
    build_run.Writer(run).begin_trial(ID)
    assert not list((run / ID).iterdir())


def test_they_are_there_before_the_outcome_that_finishes_the_training(run, monkeypatch):
    written = []
    monkeypatch.setattr(
        "lrtune.records.files.replace_json", lambda path, _: written.append(path.name)
    )
    (outcome,) = read_run(run).confirmation.outcomes["trial-1"]
    build_run.Writer(run).outcome(outcome, of(BITS))
    assert written == [SAMPLES, schema.OUTCOME]


def test_a_kill_at_any_moment_leaves_no_outcome_without_its_samples(run, monkeypatch):
    (outcome,) = read_run(run).confirmation.outcomes["trial-1"]
    moments = 0

    class Killed(BaseException):
        pass

    def boundary(path):
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    monkeypatch.setattr("lrtune.records.files.boundary", boundary)
    while True:
        left = 99
        writer = build_run.Writer(run)
        writer.begin_trial(ID)
        left = moments
        try:
            writer.outcome(outcome, of(BITS))
        except Killed:
            moments += 1
            found = read_run(run)
            done = bool(found.confirmation.outcomes["trial-1"])
            assert done <= (found.samples(ID) is not None)
            continue
        break
    assert moments == 6


def test_erasing_a_confirmation_erases_them(run):
    assert foreign_names(run) == []
    with RunWriter(run) as writer:
        writer.erase_confirmation()
    assert not (run / "confirm").exists()


def test_one_file_is_read_by_itself(run):
    assert read_samples(run, ID).values.tolist() == BITS.tolist()
