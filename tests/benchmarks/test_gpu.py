"""`benchmarks/gpu.py` where there is no GPU: it says so, and its quick run trains on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def gpu(*arguments):
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=hidden)


def test_without_a_gpu_nothing_is_measured():
    ended = gpu()
    assert (ended.returncode, ended.stdout) == (1, "")
    last = ended.stderr.strip().splitlines()[-1]
    assert last == "gpu.py: TensorFlow finds no GPU; --quick runs without one"


@pytest.mark.long  # a minute
def test_a_quick_run_ends_with_one_line_that_says_that_there_was_no_gpu():
    ended = gpu("--quick")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["gpus"] == "none: all sides trained on the CPU"
    medians = found["medians"]
    assert list(medians) == ["stock", "lrtune_2_per_gpu"]
    assert medians["stock"]["trials"] == medians["lrtune_2_per_gpu"]["trials"] > 0
    ratio = medians["stock"]["seconds"] / medians["lrtune_2_per_gpu"]["seconds"]
    assert found["ratio_lrtune_2_per_gpu"] == pytest.approx(ratio, abs=0.006)
