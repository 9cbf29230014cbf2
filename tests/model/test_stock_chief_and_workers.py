"""Our hypermodel in Keras Tuner's own distributed mode: a chief and two workers on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import keras, keras_tuner, lrtune
from tests.runner import tiny

tuner = keras_tuner.RandomSearch(
    lrtune.ScheduleHyperModel(tiny.build, epochs=2),
    objective="val_accuracy", max_trials=4, seed=1, directory="runs", project_name="run",
)
tuner.search(*tiny.points(), **tiny.fit_kwargs(), epochs=2, verbose=0)
"""


@pytest.mark.long
def test_chief_and_two_workers_of_stock_keras_tuner_train_all_trials(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
    }

    def start(name):
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT], cwd=tmp_path, text=True,
            env={**shared, "KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    processes = {name: start(name) for name in ("chief", "tuner0", "tuner1")}
    outputs = {name: one.communicate(timeout=300)[0] for name, one in processes.items()}
    codes = {name: one.returncode for name, one in processes.items()}
    assert codes == dict.fromkeys(processes, 0), outputs
    trials = [json.loads(one.read_text()) for one in tmp_path.glob("runs/run/trial_*/trial.json")]
    assert [trial["status"] for trial in trials] == ["COMPLETED"] * 4
    families = {trial["hyperparameters"]["values"]["schedule"] for trial in trials}
    assert families <= {"constant", "time", "step", "exponential"}
