"""What is wrong with the folder or its manifest ends the reading."""

from __future__ import annotations

import json
import math

import pytest

from lrtune.errors import RunFolderError
from lrtune.records.reader import read_run
from tests.runs import build_run


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
