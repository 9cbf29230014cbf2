from __future__ import annotations

import json
import math

import pytest

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.reader import read_proposal, read_run
from tests.runs import build_run


@pytest.fixture
def run(tmp_path):
    return build_run.small_run(tmp_path / "run")


def test_all_of_a_run_is_read(run):
    records = read_run(run)

    assert records.folder == run
    assert (records.manifest.algo, records.manifest.max_epochs) == ("random", 50)
    assert records.manifest.data.sizes == {"train": 9000, "validation": 1000, "test": 2000}
    assert [outcome.trial_id for outcome in records.outcomes] == list("01234567")
    assert records.outcomes[1].parent == "5"
    assert [outcome.score for outcome in records.baseline["constant-0.1"]] == [0.679, 0.68, 0.684]
    assert list(records.baseline) == ["constant-0.1", "constant-0.01"]
    assert records.unfinished == ("8",)
    assert records.notices == ()


def test_a_folder_can_be_a_string(run):
    assert read_run(str(run)) == read_run(run)


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


def test_trials_are_in_the_order_of_their_numbers(tmp_path):
    build_run.write_manifest(tmp_path)
    for trial_id in ("10000", "0002", "9999", "0010"):
        build_run.write_trial(tmp_path, trial_id, 0.5, rows=0)

    records = read_run(tmp_path)

    assert [one.trial_id for one in records.outcomes] == ["0002", "0010", "9999", "10000"]


def test_an_arm_without_trainings_is_empty_and_an_unlisted_arm_is_read(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "baseline/extra/seed-1", 0.6, rows=0)

    baseline = read_run(tmp_path).baseline

    assert list(baseline) == ["constant-0.1", "constant-0.01", "extra"]
    assert [len(outcomes) for outcomes in baseline.values()] == [0, 0, 1]


# What is wrong with the folder or its manifest ends the reading.


def test_a_missing_folder(tmp_path):
    with pytest.raises(RunFolderError) as caught:
        read_run(tmp_path / "no")

    assert str(caught.value) == (
        f"There is no folder '{tmp_path}/no'. Give the folder that a search wrote (its --run-dir)."
    )


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(RunFolderError) as caught:
        read_run(tmp_path)

    assert str(caught.value) == (
        f"'{tmp_path}' is not a run folder: it has no run.json. Give the folder that a search "
        "wrote (its --run-dir)."
    )


def test_a_folder_of_runs_names_them(tmp_path):
    for number in range(1, 8):
        build_run.write_manifest(tmp_path / f"r{number}")

    with pytest.raises(RunFolderError) as caught:
        read_run(tmp_path)

    shown = ", ".join(f"'{tmp_path}/r{number}'" for number in range(1, 6))
    assert str(caught.value) == (
        f"'{tmp_path}' is not a run folder: it has no run.json. Give the folder that a search "
        f"wrote, such as {shown} and 2 more."
    )


def test_a_newer_schema_is_refused(tmp_path):
    build_run.write_manifest(tmp_path, schema=2, objective=["new"])

    with pytest.raises(RunFolderError) as caught:
        read_run(tmp_path)

    assert str(caught.value) == (
        f"'{tmp_path}/run.json' was written by a newer lrtune: schema 2, this one reads 1. "
        "Update lrtune to read it."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is not complete JSON"),
        ('{"algo": "ran', "it is not complete JSON"),
        (b"\xff\xfe\x00", "it is not complete JSON"),
        ("[]", "it is not a JSON object"),
        ("{}", "no field schema"),
        ('{"schema": "1"}', "schema: expected int, got str"),
        ('{"schema": 1}', "no field algo"),
        (
            json.dumps({**build_run.MANIFEST, "direction": "up"}),
            "direction: invalid enum value 'up'",
        ),
        (json.dumps({**build_run.MANIFEST, "max_epochs": 0}), "max_epochs: expected int >= 1"),
        (
            json.dumps({**build_run.MANIFEST, "max_epochs": True}),
            "max_epochs: expected int, got bool",
        ),
        (
            json.dumps({**build_run.MANIFEST, "baseline_arms": []}),
            "baseline_arms: expected object, got array",
        ),
        (json.dumps({**build_run.MANIFEST, "data": None}), "data: expected object, got null"),
        (
            json.dumps({**build_run.MANIFEST, "families": [["step"]]}),
            "families[0]: expected str, got array",
        ),
        (json.dumps({**build_run.MANIFEST, "seed": math.nan}), "NaN is not JSON"),
    ],
)
def test_a_damaged_manifest_is_refused_with_the_reason(tmp_path, content, reason):
    path = build_run.write_manifest(tmp_path) / "run.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(RunFolderError) as caught:
        read_run(tmp_path)

    message = str(caught.value)
    assert message.startswith(f"'{path}' cannot be read ({reason}")
    assert message.endswith(
        "): it must be the JSON object that a search wrote. The command that started the search "
        "writes it again and keeps the trials."
    )


# What is wrong with anything else is told, and the rest is kept.


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trial_id": "../../elsewhere"}, "it belongs to trial '../../elsewhere'"),
        ({"status": "fine"}, "status: invalid enum value 'fine'"),
        ({"score": "0.7"}, "score: expected float | null, got str"),
        ({"score": True}, "score: expected float | null, got bool"),
        ({"values": [1]}, "values: expected object, got array"),
        (
            {"epochs": {"first": 1, "last": None, "planned": 9}},
            "epochs.last: expected int, got null",
        ),
        ({"score": None}, "it is completed, but has no score"),
        ({"schema": 2}, "written by a newer lrtune: schema 2, this one reads 1"),
    ],
)
def test_an_outcome_outside_the_contract_is_left_out_with_a_notice(run, changes, reason):
    path = run / "trial_2" / "outcome.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    records = read_run(run)

    assert [outcome.trial_id for outcome in records.outcomes] == list("0134567")
    assert records.unfinished == ("2", "8")
    assert records.notices == (
        f"trial_2/outcome.json cannot be read ({reason}): its outcome is left out.",
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not complete JSON"),
        (b'{"trial_id": "2", "sta', "it is not complete JSON"),
        (b"\x80\x04\x95garbage", "it is not complete JSON"),
        (b"\x00" * 64, "it is not complete JSON"),
        (b"NaN", "NaN is not JSON"),
        (b"[1, 2]", "it is not a JSON object"),
        (b'{"schema": 1}', "no field trial_id"),
    ],
)
def test_a_garbage_outcome_is_left_out_with_a_notice(run, content, reason):
    (run / "trial_2" / "outcome.json").write_bytes(content)

    records = read_run(run)

    assert records.unfinished == ("2", "8")
    assert len(records.outcomes) == 7
    assert records.notices == (
        f"trial_2/outcome.json cannot be read ({reason}): its outcome is left out.",
    )


def test_a_garbage_outcome_of_the_baseline_is_left_out_with_a_notice(run):
    (run / "baseline" / "constant-0.1" / "seed-2" / "outcome.json").write_text("{")

    records = read_run(run)

    assert [one.trial_id for one in records.baseline["constant-0.1"]] == [
        "baseline/constant-0.1/seed-1",
        "baseline/constant-0.1/seed-3",
    ]
    assert records.notices == (
        (
            "baseline/constant-0.1/seed-2/outcome.json cannot be read (it is not complete JSON): "
            "its outcome is left out."
        ),
    )


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


def test_a_folder_in_place_of_a_file_is_reported(run):
    (run / "trial_0" / "epochs.jsonl").unlink()
    (run / "trial_0" / "epochs.jsonl").mkdir()
    (run / "trial_2" / "outcome.json").unlink()
    (run / "trial_2" / "outcome.json").mkdir()

    assert read_run(run).notices == (
        "trial_2/outcome.json cannot be read (it is not a file): its outcome is left out.",
        "trial_0/epochs.jsonl cannot be read (it is not a file): its epochs are left out.",
    )


@pytest.mark.parametrize("trial_id", ["../run", "trial_0", "", "0/", "baseline/../trial_0", "99"])
def test_only_ids_of_the_run_are_opened(run, trial_id):
    with pytest.raises(ArgumentError) as caught:
        read_run(run).epochs(trial_id)

    assert str(caught.value) == (
        "trial_id must be one of the run's: '0', '1', '2', '3', '4' and 10 more. "
        f"Received: {trial_id!r}."
    )


def test_a_lineage_ends_at_a_missing_ancestor_and_at_a_circle(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_trial(tmp_path, "0", 0.5, parent="1", rows=0)
    build_run.write_trial(tmp_path, "1", 0.5, parent="0", rows=0)
    build_run.write_trial(tmp_path, "2", 0.5, parent="gone", rows=0)
    records = read_run(tmp_path)

    assert [one.trial_id for one in records.lineage("0")] == ["1", "0"]
    assert [one.trial_id for one in records.lineage("2")] == ["2"]
    assert records.lineage("unknown") == ()


def test_a_pickle_is_never_loaded(run):
    # What pickle would run is not run: the folder's files are read as JSON only.
    bomb = b"cbuiltins\nexit\n(tR."
    for name in ("outcome.json", "epochs.jsonl"):
        (run / "trial_0" / name).write_bytes(bomb)

    assert len(read_run(run).notices) == 2


@pytest.mark.parametrize("content", ["", "{", '{"trial_id": "0", ', "\x00\x00"])
def test_damaged_files_of_keras_tuner_are_named_and_nothing_is_lost(run, content):
    (run / "oracle.json").write_text(content)
    (run / "trial_1" / "trial.json").write_text(content)
    (run / "trial_2" / "trial.json").write_text("{}")

    records = read_run(run)

    assert len(records.outcomes) == 8
    assert records.notices == tuple(
        f"{name} cannot be read (it is not complete JSON): lrtune loses nothing, but "
        "Keras Tuner cannot load the run until the command that started the search has repaired "
        "it."
        for name in ("oracle.json", "trial_1/trial.json")
    )


def test_a_damaged_manifest_can_be_given_in_place_of_the_file(run):
    manifest = read_run(run).manifest
    for damage in (lambda path: path.write_text("{"), lambda path: path.unlink()):
        damage(run / "run.json")

        records = read_run(run, instead=manifest)

        assert records.manifest is manifest
        assert len(records.outcomes) == 8
        (notice,) = records.notices
        assert notice.startswith("run.json ")
        assert notice.endswith(": it is written again, the trials are kept.")


def test_a_newer_manifest_is_never_replaced(tmp_path):
    manifest = read_run(build_run.write_manifest(tmp_path)).manifest
    build_run.write_manifest(tmp_path, schema=2)
    with pytest.raises(RunFolderError, match="was written by a newer lrtune"):
        read_run(tmp_path, instead=manifest)


def test_folders_with_other_names_are_not_trials(run):
    for name in (
        "trial_",
        "trial_x",
        "trial_-1",
        "trial_1 ",
        "trial_\u0661",
        "baseline/a b/seed-1",
    ):
        (run / name).mkdir(parents=True)
        (run / name / "outcome.json").write_text("{")
    assert read_run(run).notices == ()


def test_a_proposal_is_read_only_from_an_intact_file(run):
    path = run / "trial_8" / "trial.json"
    for content in ("", "{", "[]", '{"trial_id": "8"}', '{"trial_id": "9", "hyperparameters": {}}'):
        path.write_text(content)
        assert read_proposal(run, "8") is None
    path.write_text('{"trial_id": "8", "hyperparameters": {"values": {"lr0": 0.1}}}')
    assert read_proposal(run, "8") == {"lr0": 0.1}
    assert read_proposal(run, "7") is None
