"""Arguments of lrtune's tuners: the first one outside its domain is named, nothing is written."""

from __future__ import annotations

import pytest

import lrtune
from lrtune.errors import ArgumentError
from tests.runner import tiny
from tests.search.test_tuners import random_search


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"score": "mean"}, "score must be one of last, tail, best. Received: score='mean'."),
        ({"seed": -1}, "seed must be an integer from 0 to 2147483647. Received: seed=-1."),
        ({"seed": True}, "seed must be an integer from 0 to 2147483647. Received: seed=True."),
        (
            {"seed": 2**32},
            "seed must be an integer from 0 to 2147483647. Received: seed=4294967296.",
        ),
        ({"seed": 1.5}, "seed must be an integer from 0 to 2147483647. Received: seed=1.5."),
        ({"workers": 0}, "workers must be an integer >= 1. Received: workers=0."),
        ({"workers": "2"}, "workers must be an integer >= 1. Received: workers='2'."),
        (
            {"baseline_seeds": -1},
            "baseline_seeds must be an integer >= 0. Received: baseline_seeds=-1.",
        ),
        ({"max_retries": -1}, "max_retries must be an integer >= 0. Received: max_retries=-1."),
        ({"max_retries": True}, "max_retries must be an integer >= 0. Received: max_retries=True."),
        ({"keep_models": -1}, "keep_models must be an integer >= 0. Received: keep_models=-1."),
        ({"keep_models": 1.5}, "keep_models must be an integer >= 0. Received: keep_models=1.5."),
        ({"keep_models": True}, "keep_models must be an integer >= 0. Received: keep_models=True."),
        (
            {"trial_timeout": 0},
            "trial_timeout must be a finite number > 0. Received: trial_timeout=0.",
        ),
        (
            {"baseline_seeds": 1.5},
            "baseline_seeds must be an integer >= 0. Received: baseline_seeds=1.5.",
        ),
    ],
    ids=str,
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, arguments, message):
    with pytest.raises(ArgumentError) as error:
        random_search(tmp_path, tiny.adam, **arguments)
    assert str(error.value) == message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("objective", [["val_loss", "val_accuracy"], None])
def test_an_objective_must_be_one_metric(tmp_path, objective):
    with pytest.raises(ArgumentError) as error:
        lrtune.RandomSearch(tiny.adam, objective=objective, directory=tmp_path)
    assert str(error.value).startswith(
        "objective must be the name of one metric (or one keras_tuner.Objective). Received: "
    )


def test_arguments_keras_tuner_does_not_know_are_refused(tmp_path):
    with pytest.raises(ValueError, match="max_trails"):
        random_search(tmp_path, tiny.adam, max_trails=3)
