from __future__ import annotations

import pytest

from lrtune.records.reader import read_run
from lrtune.records.tuner_files import read_proposal


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


def test_a_proposal_is_read_only_from_an_intact_file(run):
    path = run / "trial_8" / "trial.json"
    for content in ("", "{", "[]", '{"trial_id": "8"}', '{"trial_id": "9", "hyperparameters": {}}'):
        path.write_text(content)
        assert read_proposal(run, "8") is None
    path.write_text('{"trial_id": "8", "hyperparameters": {"values": {"lr0": 0.1}}}')
    assert read_proposal(run, "8") == {"lr0": 0.1}
    assert read_proposal(run, "7") is None
