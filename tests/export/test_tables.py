from __future__ import annotations

import pandas as pd
import pytest

from lrtune.export.tables import write_csv, write_parquet
from lrtune.records.reader import read_run
from tests.runs import build_run

TEXT = {"trial_id": str, "parent": str}


@pytest.fixture
def folder(tmp_path):
    folder = build_run.hyperband(tmp_path / "run")
    build_run.write_confirmation(folder)
    return folder


def test_trials_of_all_kinds_are_in_one_table(folder, tmp_path):
    written = write_csv(read_run(folder), tmp_path)

    frame = pd.read_csv(tmp_path / "trials.csv", dtype=TEXT).set_index("trial_id")
    assert written == "trials.csv (44 rows) and epochs.csv (1,670 rows)"
    assert frame["kind"].value_counts().to_dict() == {
        "confirmation": 32,
        "trial": 6,
        "baseline": 6,
    }
    promoted = frame.loc["4"]
    names = ["status", "score", "first_epoch", "last_epoch", "budget", "parent"]
    assert promoted[names].tolist() == ["completed", 0.7, 4, 9, 9, "1"]
    assert promoted[["schedule", "lr0", "exponential.k"]].tolist() == ["exponential", 0.12, 0.08]
    assert pd.isna(promoted["step.drop"])
    assert "tuner/bracket" not in frame.columns
    assert frame.loc["5", "status"] == "running"
    assert frame.loc["5", "step.epochs_drop"] == 10
    assert frame.loc["3", ["status", "message"]].tolist() == ["failed", "a b"]
    assert frame.loc["baseline/constant-0.01/seed-2", ["arm", "seed", "score"]].tolist() == [
        *("constant-0.01", 7, 0.638),
    ]


def test_each_epoch_of_each_trial_is_a_row(folder, tmp_path):
    write_csv(read_run(folder), tmp_path)

    frame = pd.read_csv(tmp_path / "epochs.csv", dtype={**TEXT, "lr": str})
    assert list(frame) == [
        *("kind", "trial_id", "epoch", "lr", "loss", "accuracy", "val_loss", "val_accuracy"),
        "seconds",
    ]
    # 3 + 3 + 2 + 0 + 6 + 2 of the search, 6 of 50 of the baseline, 32 of 50 of the confirmation.
    assert frame["kind"].value_counts().to_dict() == {
        "confirmation": 1600,
        "baseline": 6 * 9,
        "trial": 16,
    }
    promoted = frame[frame["trial_id"] == "4"]
    assert promoted["epoch"].tolist() == [4, 5, 6, 7, 8, 9]
    # To the last bit, which the parser of pandas 2 does not give.
    assert [float(rate) for rate in promoted["lr"]] == [0.1 / epoch for epoch in range(4, 10)]


def test_parquet_holds_the_same(folder, tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow.parquet

    records = read_run(folder)
    write_parquet(records, tmp_path)
    write_csv(records, tmp_path)

    table = pyarrow.parquet.read_table(tmp_path / "trials.parquet")
    kinds = {name: str(table.schema.field(name).type) for name in ("trial_id", "seed", "lr0")}
    assert {name: kind.removeprefix("large_") for name, kind in kinds.items()} == {
        "trial_id": "string",
        "seed": "int64",
        "lr0": "double",
    }
    rows = {row["trial_id"]: row for row in table.to_pylist()}
    assert (rows["4"]["score"], rows["4"]["step.drop"], rows["3"]["score"]) == (0.7, None, None)
    for name in ("trials", "epochs"):
        from_csv = pd.read_csv(tmp_path / f"{name}.csv", dtype=TEXT)
        from_parquet = pyarrow.parquet.read_table(tmp_path / f"{name}.parquet").to_pandas()
        assert len(from_csv) == len(from_parquet)
        assert list(from_csv) == list(from_parquet)


def test_hyperparameters_of_any_name_and_type_have_columns(tmp_path):
    folder = build_run.write_manifest(tmp_path / "run")
    build_run.write_trial(folder, "0", 0.6, values={"seed": 3, "mixed": 1, "flag": True})
    build_run.write_trial(folder, "1", 0.6, values={"mixed": "two", "=1+1": "@x", "big": 0.5})
    build_run.write_trial(folder, "2", 0.6, values={"big": 7, "e\x1b": "a\udc80\u202e"})
    write_csv(read_run(folder), tmp_path)

    frame = pd.read_csv(tmp_path / "trials.csv", dtype=TEXT)
    assert frame["seed"].tolist() == [7, 7, 7]
    assert frame["hp.seed"].tolist()[0] == 3
    assert frame["mixed"].tolist()[:2] == ["1", "two"]
    assert frame["flag"].tolist()[0] is True
    assert frame["big"].tolist()[1:] == [0.5, 7]
    assert frame["'=1+1"].tolist()[1] == "'@x"
    assert frame["e\\x1b"].tolist()[2] == "a\\udc80\\u202e"


def test_a_run_without_trials_has_empty_tables_with_headings(tmp_path):
    folder = build_run.write_manifest(tmp_path / "run")
    write_csv(read_run(folder), tmp_path)
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 0
    assert list(pd.read_csv(tmp_path / "epochs.csv")) == [
        *("kind", "trial_id", "epoch", "lr", "seconds"),
    ]
