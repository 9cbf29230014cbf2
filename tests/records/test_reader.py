from __future__ import annotations

import json

import pytest

from lrtune.records.reader import read_run
from tests.runs import build_run


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


# What is wrong with an outcome is told, and the rest is kept.


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


def test_a_folder_in_place_of_a_file_is_reported(run):
    (run / "trial_0" / "epochs.jsonl").unlink()
    (run / "trial_0" / "epochs.jsonl").mkdir()
    (run / "trial_2" / "outcome.json").unlink()
    (run / "trial_2" / "outcome.json").mkdir()

    assert read_run(run).notices == (
        "trial_2/outcome.json cannot be read (it is not a file): its outcome is left out.",
        "trial_0/epochs.jsonl cannot be read (it is not a file): its epochs are left out.",
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
