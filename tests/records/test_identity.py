"""A search is continued only by the same search; what differs is named with both values."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lrtune.errors import OtherSearchError
from lrtune.records.identity import identity, refuse_other_search
from lrtune.records.reader import read_run
from lrtune.records.schema import ModelRecord
from tests.runs import build_run

RUN = Path("runs/mine")


@pytest.fixture
def manifest(tmp_path):
    return read_run(build_run.write_manifest(tmp_path)).manifest


def refusal(before, asked):
    """What is said to differ; None if the search is continued."""
    try:
        refuse_other_search(RUN, before, asked)
    except OtherSearchError as error:
        return str(error).removeprefix("run folder runs/mine holds another search: ")
    return None


def test_the_same_search_is_accepted(manifest):
    assert refusal(manifest, identity(manifest)) is None


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
    assert refusal(manifest, identity(dataclasses.replace(manifest, **changes))) is None


OPTIONS = {
    "algo": ("hyperband", "algorithm random, now hyperband", "--algo random, now hyperband"),
    "seed": (2, "seed 1, now 2", "--seed 1, now 2"),
    "objective": ("val_loss", "objective val_accuracy, now val_loss", "--objective val_"),
    "direction": ("min", "direction of the objective max, now min", "direction of the objective"),
    "score": ("best", "score last, now best", "--score last, now best"),
    "max_epochs": (9, "epochs 50, now 9", "--max-epochs 50, now 9"),
    "factor": (3, "factor none, now 3", "factor none, now 3"),
    "batch_size": (32, "batch_size 64, now 32", "--batch-size 64, now 32"),
    "batch_sizes": ((32, 64), "batch_size none, now 32,64", "--batch-size none, now 32,64"),
    "families": (("step",), "families constant,time,", "--families constant,time,"),
    "ranges": ({"lr0": (0.1, 1.0)}, "ranges none, now lr0=0.1:1.0", "--range none, now lr0=0.1:1"),
    "fixed": ({"momentum": 0.9}, "fixed none, now momentum=0.9", "--fix none, now momentum=0.9"),
    "fingerprint": ("f" * 16, "the data are others (fingerprint 0123", "the data are others"),
}


@pytest.mark.parametrize(("name", "case"), OPTIONS.items(), ids=list(OPTIONS))
def test_a_difference_is_told_in_the_words_of_a_script_and_of_the_command_line(
    manifest, name, case
):
    value, script, command = case
    with pytest.raises(OtherSearchError) as error:
        refuse_other_search(RUN, manifest, {**identity(manifest), name: value})
    begins = "run folder runs/mine holds another search: "
    assert str(error.value).startswith(begins + script)
    assert str(error.value).endswith("another project_name, or pass overwrite=True to erase it")
    assert error.value.typed.startswith(begins + command)
    assert error.value.typed.endswith("another --run-dir, or pass --overwrite to erase it")


def test_a_hyperparameter_that_differs_is_told_with_both_domains(manifest):
    def space(**config):
        return {"space": [{"class_name": "Float", "config": {"name": "lr0", **config}}]}

    narrow = space(min_value=0.001, max_value=0.1, sampling="log")
    wide = space(min_value=0.001, max_value=1.0, sampling="log")
    before = dataclasses.replace(manifest, space=tuple(narrow["space"]))
    assert refusal(before, narrow) is None
    assert refusal(before, wide).startswith(
        "the hyperparameter lr0 had 0.001 to 0.1, log, now 0.001 to 1.0, log. "
    )
    assert refusal(before, {"space": []}).startswith(
        "the hyperparameter lr0 had 0.001 to 0.1, log, now no place in the search. "
    )


MODEL = ModelRecord(
    source="11",
    architecture="22",
    layers=("Dense (None, 8), 40 weights #aa", "Dense (None, 2), 18 weights #bb"),
    frozen="33",
    compiled={"loss": "mse"},
    dtype_policy="float32",
)
OTHER_MODELS = {
    "loss mse, now mae": {"compiled": {"loss": "mae"}},
    "dtype_policy float32, now mixed_float16": {"dtype_policy": "mixed_float16"},
    "layer 1 of the model was Dense (None, 8), 40 weights, now Dense (None, 9), 45 weights": {
        "layers": ("Dense (None, 9), 45 weights #cc", "Dense (None, 2), 18 weights #bb")
    },
    "layer 2 of the model (Dense (None, 2), 18 weights) has other settings": {
        "layers": ("Dense (None, 8), 40 weights #aa", "Dense (None, 2), 18 weights #cc")
    },
    "the model had 2 layers, now 1": {"layers": ("Dense (None, 8), 40 weights #aa",)},
    "the model's layers are connected or set otherwise": {"architecture": "23"},
    "the weights of the model that are not trained are others": {"frozen": "34"},
    "the code of the function that builds the model has changed": {"source": "12"},
}


@pytest.mark.parametrize(("told", "changes"), OTHER_MODELS.items())
def test_another_model_is_told_by_what_differs(manifest, told, changes):
    before = dataclasses.replace(manifest, model=MODEL)
    now = dataclasses.replace(before, model=dataclasses.replace(MODEL, **changes))
    assert refusal(before, identity(before)) is None
    assert refusal(before, identity(now)).startswith(f"{told}. ")


def test_other_arguments_of_fit_are_told_by_name(manifest):
    before = dataclasses.replace(manifest, model=MODEL, fit={"class_weight": {"0": 1.0}})
    now = dataclasses.replace(before, fit={"class_weight": {"0": 2.0}})
    assert refusal(before, identity(now)).startswith("class_weight 0=1.0, now 0=2.0. ")
    now = dataclasses.replace(before, fit={})
    assert refusal(before, identity(now)).startswith("class_weight 0=1.0, now none. ")


def test_a_run_that_recorded_no_model_is_continued_with_any(manifest):
    now = dataclasses.replace(manifest, model=MODEL, fit={"shuffle": False})
    assert refusal(manifest, identity(now)) is None


@pytest.mark.parametrize("unknown", ["frozen", "source"])
def test_what_was_not_recorded_of_a_model_matches_everything(manifest, unknown):
    before = dataclasses.replace(manifest, model=dataclasses.replace(MODEL, **{unknown: ""}))
    now = dataclasses.replace(manifest, model=MODEL)
    assert refusal(before, identity(now)) is None


def test_data_without_a_fingerprint_match_any_data(manifest):
    assert refusal(manifest, {"fingerprint": ""}) is None
