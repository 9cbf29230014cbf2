from __future__ import annotations

import math

import pytest

from lrtune.errors import ArgumentError
from lrtune.records.epochs import read_epochs, read_last_epoch
from lrtune.records.reader import read_run


def test_epochs_are_read_as_recorded(run):
    rows = read_run(run).epochs("4")

    assert [row["epoch"] for row in rows] == list(range(1, 18))
    assert rows[1] == {
        "epoch": 2,
        "lr": 0.05,
        "loss": 0.35,
        "accuracy": 0.75,
        "val_loss": 0.4,
        "val_accuracy": 0.7,
        "seconds": 0.25,
    }


def test_epochs_of_a_baseline_seed_and_of_a_trial_that_recorded_none(run):
    records = read_run(run)

    assert len(records.epochs("baseline/constant-0.1/seed-2")) == 50
    assert records.epochs("8") == []


def test_null_in_epochs_is_nan(run):
    (run / "trial_0" / "epochs.jsonl").write_text('{"epoch": 1, "loss": null, "lr": 0.1}\n')

    (row,) = read_run(run).epochs("0")

    assert math.isnan(row["loss"])
    assert row["lr"] == 0.1


def test_a_torn_last_line_of_epochs_is_dropped_with_a_notice(run):
    path = run / "trial_0" / "epochs.jsonl"
    path.write_bytes(path.read_bytes()[:-10])

    records = read_run(run)

    assert [row["epoch"] for row in records.epochs("0")] == list(range(1, 50))
    assert records.notices == (
        "trial_0/epochs.jsonl ends in the middle of a line: that epoch is left out.",
    )


def test_every_truncation_of_epochs_keeps_the_whole_lines(run):
    path = run / "trial_0" / "epochs.jsonl"
    content = b'{"epoch": 1, "lr": 0.1}\n{"epoch": 2, "lr": null}\n'
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])

        records = read_run(run)

        whole = content[:length].count(b"\n")
        assert len(records.epochs("0")) == whole
        is_torn = not content[:length].endswith(b"\n") and length > 0
        assert records.notices == (
            "trial_0/epochs.jsonl ends in the middle of a line: that epoch is left out."
            if is_torn
            else f"trial_0/epochs.jsonl lacks {50 - whole} of its epochs.",
        )


def test_garbage_lines_of_epochs_are_dropped_with_a_notice(run):
    path = run / "baseline" / "constant-0.1" / "seed-1" / "epochs.jsonl"
    lines = ['{"epoch": 1}', "garbage", '{"epoch": 2}', "[3]", '{"lr": 4}', '{"epoch": 5}\n{"ep']
    path.write_text("\n".join(lines))

    records = read_run(run)

    epochs = records.epochs("baseline/constant-0.1/seed-1")
    assert [row["epoch"] for row in epochs] == [1, 2, 5]
    assert records.notices == (
        (
            "baseline/constant-0.1/seed-1/epochs.jsonl is damaged: 3 lines and its torn last line "
            "left out, the rest is kept."
        ),
    )


@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", "NaN", "-Infinity", "9" * 20, '"1"', "[1]", "{}"]
)
def test_a_line_with_a_number_beyond_64_bits_is_left_out(run, value):
    path = run / "trial_0" / "epochs.jsonl"
    path.write_text(f'{{"epoch": 1, "loss": {value}}}\n{{"epoch": 2, "loss": 1e308}}\n')

    records = read_run(run)

    assert records.epochs("0") == [{"epoch": 2, "loss": 1e308}]
    assert records.notices == (
        "trial_0/epochs.jsonl is damaged: a line left out, the rest is kept.",
    )


def test_a_line_with_two_objects_is_left_out(run):
    (run / "trial_0" / "epochs.jsonl").write_text('{"epoch": 1}, {"epoch": 2}\n{"epoch": 3}\n')

    records = read_run(run)

    assert [row["epoch"] for row in records.epochs("0")] == [3]
    assert records.notices == (
        "trial_0/epochs.jsonl is damaged: a line left out, the rest is kept.",
    )


@pytest.mark.parametrize("trial_id", ["../run", "trial_0", "", "0/", "baseline/../trial_0", "99"])
def test_only_ids_of_the_run_are_opened(run, trial_id):
    with pytest.raises(ArgumentError) as caught:
        read_run(run).epochs(trial_id)

    assert str(caught.value) == (
        "trial_id must be one of the run's: '0', '1', '2', '3', '4' and 10 more. "
        f"Received: {trial_id!r}."
    )


@pytest.mark.parametrize(
    ("content", "epoch"),
    [
        ("", None),
        ('{"epoch": 1}', None),
        ('{"epoch": 1}\n', 1),
        ('{"epoch": 1}\n{"epoch": 2}\n', 2),
        ('{"epoch": 1}\n{"epoch": 2', 1),
        ('{"epoch": 1}\ngarbage\n{"epoch": 1e999}\n', 1),
        ('{"epoch": 1}\n{"epoch": 2},{"epoch": 3}\n', 1),
        ('{"epoch": 1}\n{"epoch": 2, "loss": null}\n', 2),
    ],
)
def test_the_last_epoch_is_the_last_of_those_that_can_be_read(run, content, epoch):
    (run / "trial_0" / "epochs.jsonl").write_text(content)
    last = read_last_epoch(run, "0")

    assert (None if last is None else last["epoch"]) == epoch
    assert repr([last] if last else []) == repr(read_epochs(run, "0")[-1:])  # NaN is not NaN


def test_where_no_epochs_were_recorded_there_is_no_last_one(run):
    assert read_last_epoch(run, "8") is None
