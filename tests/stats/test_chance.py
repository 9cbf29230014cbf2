from __future__ import annotations

import math

import pytest

from lrtune.records.reader import read_run
from lrtune.stats.chance import Chance, measure_chance
from tests.runs import build_run


@pytest.mark.parametrize(
    ("scores", "explained"),
    [
        ((0.5, 0.5, 0.5), True),
        ((0.5, 0.5000000298, 0.512), True),
        ((0.5, 0.512), True),
        ((0.5, 0.512, 0.512), False),
        ((0.501,), False),
        ((0.4, math.nan, math.nan), True),
        ((0.6, math.nan, math.nan), False),
        ((math.nan,), False),
        ((), False),
    ],
)
def test_half_of_the_scores_must_be_better(scores, explained):
    assert Chance(0.5, "max", is_share=True).explains(scores) is explained


def test_a_loss_is_better_where_it_is_less():
    chance = Chance(0.6931, "min", is_share=False)

    assert chance.explains([0.7])
    assert not chance.explains([0.69])


def test_it_is_the_share_of_the_largest_class_else_the_untrained_models_score(tmp_path):
    folder = build_run.write_manifest(tmp_path)
    for number, score in enumerate((0.48, 0.5, 0.9)):
        build_run.write_trial(folder, f"{number}", score, status="diverged", rows=0)
    build_run.write_trial(folder, "3", 0.7, rows=0)
    data = {**build_run.MANIFEST["data"], "largest_class": 0.6}

    build_run.write_manifest(folder, data=data)
    manifest, outcomes = read_run(folder).manifest, read_run(folder).outcomes
    assert measure_chance(manifest.data, "val_accuracy", "max", outcomes) == Chance(
        0.6, "max", is_share=True
    )
    assert measure_chance(manifest.data, "val_auc", "max", outcomes) == Chance(
        0.5, "max", is_share=False
    )
    assert measure_chance(manifest.data, "val_auc", "max", outcomes[3:]) is None
