"""A search is continued only by the same search; what differs is named with both values."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lrtune.errors import RunFolderError
from lrtune.records.identity import identity, refuse_other_search
from lrtune.records.reader import read_run
from tests.runs import build_run

RUN = Path("runs/mine")


@pytest.fixture
def manifest(tmp_path):
    return read_run(build_run.write_manifest(tmp_path)).manifest


def test_the_same_search_is_accepted(manifest):
    refuse_other_search(RUN, manifest, identity(manifest))


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "2027-01-01T00:00:00+00:00"},
        {"max_trials": 100},
        {"versions": {"lrtune": "0.2.0"}},
        {"baseline_seeds": (1,)},
        {"finished": "2027-01-01T00:00:00+00:00"},
    ],
)
def test_options_that_change_no_trial_do_not_matter(manifest, changes):
    refuse_other_search(RUN, manifest, identity(dataclasses.replace(manifest, **changes)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("algo", "hyperband", "another algorithm: the folder has random, you asked for hyperband"),
        ("seed", 2, "another seed: the folder has 1, you asked for 2"),
        (
            "objective",
            "val_loss",
            "another objective: the folder has val_accuracy, you asked for val_loss",
        ),
        (
            "direction",
            "min",
            "another direction of the objective: the folder has max, you asked for min",
        ),
        ("score", "best", "another score: the folder has last, you asked for best"),
        ("max_epochs", 9, "another horizon in epochs: the folder has 50, you asked for 9"),
        ("factor", 3, "another Hyperband factor: the folder has None, you asked for 3"),
        ("batch_size", 32, "another batch size: the folder has 64, you asked for 32"),
        (
            "families",
            ("step",),
            "families: the folder has constant,time,step,exponential, you asked for step",
        ),
        (
            "fingerprint",
            "f" * 16,
            "fingerprint: the folder has 0123456789abcdef, you asked for ffffffffffffffff",
        ),
    ],
)
def test_a_difference_is_named_with_both_values(manifest, name, value, message):
    with pytest.raises(RunFolderError) as error:
        refuse_other_search(RUN, manifest, {**identity(manifest), name: value})
    assert str(error.value).startswith("run folder runs/mine holds a search with another ")
    assert message in str(error.value)
    assert str(error.value).endswith(
        ". Use the same value to resume, choose another --run-dir, or pass --overwrite to erase "
        "the search"
    )


def test_a_range_that_differs_is_named_by_its_hyperparameter(manifest):
    wider = [{"class_name": "Float", "config": {"name": "lr0", "max_value": 1.0}}]
    with pytest.raises(
        RunFolderError, match=r"another space for lr0: the folder has \{\}, you asked for \{\"max"
    ):
        refuse_other_search(RUN, manifest, {"space": wider})
    with pytest.raises(
        RunFolderError, match=r"another space for lr0: the folder has .*, you asked for nothing"
    ):
        refuse_other_search(RUN, manifest, {"space": []})


def test_data_without_a_fingerprint_match_any_data(manifest):
    refuse_other_search(RUN, manifest, {"fingerprint": ""})
