"""What two trials must not share; the faults themselves are in tests/search/test_preflight.py."""

from __future__ import annotations

import keras
import pytest

import lrtune
from tests.runner import tiny
from tests.situations.plain import QUICK, finished


def test_callbacks_that_write_files_get_a_folder_for_each_trial(tmp_path):
    logs = tmp_path / "logs"
    callbacks = [
        keras.callbacks.ModelCheckpoint(logs / "models" / "{epoch}.keras"),
        keras.callbacks.TensorBoard(logs / "events"),
        keras.callbacks.CSVLogger(logs / "epochs.csv"),
    ]
    hypermodel = lrtune.ScheduleHyperModel(tiny.build, epochs=1)
    tuner = lrtune.RandomSearch(hypermodel, directory=tmp_path, **QUICK)
    with pytest.warns(UserWarning, match=r"act on every batch \(TensorBoard\)"):
        tuner.search(*tiny.points(), **tiny.fit_kwargs(), callbacks=callbacks, verbose=0)

    run = finished(tmp_path)
    for trial in run.ranking()["trial_id"]:
        kept = keras.models.load_model(logs / "models" / f"trial_{trial}" / "1.keras")
        x, y = tiny.points(20, seed=1)
        (measured,) = run.epochs(trial)["val_loss"]
        assert kept.evaluate(x, y, verbose=0)[0] == pytest.approx(measured, rel=1e-5)
        assert any((logs / "events" / f"trial_{trial}" / "train").iterdir())
        assert (logs / f"trial_{trial}" / "epochs.csv").read_text().count("\n") == 2
    shared = [path.name for path in logs.rglob("*") if path.is_file()]
    assert sorted(name for name in shared if not name.startswith("events")) == [
        *["1.keras"] * 2,
        *["epochs.csv"] * 2,
    ]
