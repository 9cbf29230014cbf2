"""What a confirmation is said to cost, and to be unable to show, before it trains."""

from __future__ import annotations

import dataclasses

import pytest

from lrtune.confirmation.cost import cost_in_words, too_few_seeds
from lrtune.records.reader import read_run
from tests.runs import build_run


def test_the_cost_is_that_of_the_searchs_pace(tmp_path):
    folder = build_run.small_run(tmp_path / "run")
    build_run.write_confirmation(folder, {})
    records = read_run(folder)
    text = cost_in_words(records, records.confirmation.manifest, 2)
    # 4 arms, 8 seeds, 50 epochs of .25 s on 9,000 images, here 10,000, two at a time: 222 s.
    assert text == (
        "4 arms x 8 seeds x 50 epochs, trained on 10,000 images (train+validation): 1,600 epochs "
        "to train, about 4 min at the search's pace."
    )


def test_the_cost_of_a_confirmation_that_is_begun_anew_is_all_of_it(tmp_path):
    records = read_run(build_run.confirmed_run(tmp_path / "run"))
    manifest = records.confirmation.manifest
    assert ": 0 epochs to train" in cost_in_words(records, manifest, 2)
    anew = dataclasses.replace(manifest, attempt=manifest.attempt + 1)
    assert ": 1,600 epochs to train" in cost_in_words(records, anew, 2)


@pytest.mark.parametrize(("seeds", "possible"), [(4, False), (5, True)])
def test_too_few_pairs_to_show_anything_are_said_before_they_are_trained(tmp_path, seeds, possible):
    folder = build_run.tuned_run(tmp_path / "run")
    build_run.write_sequential(folder, [], seeds=list(range(seeds)))
    note = too_few_seeds(read_run(folder).confirmation.manifest)
    assert ("no gain can be shown" not in note) is possible
