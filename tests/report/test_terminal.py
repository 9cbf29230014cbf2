from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from lrtune.records.reader import read_run
from lrtune.report.terminal import print_report
from tests.runs import build_run


def printed(folder, width=100, top=None, *, details=False, **console):
    out = io.StringIO()
    print_report(read_run(folder), Console(file=out, width=width, **console), top, details=details)
    return out.getvalue()


TRIALS = """\
Trials of 50 epochs
  rank  trial  schedule                         lr0  momentum   score    delta  noise    time
  ───────────────────────────────────────────────────────────────────────────────────────────
     1  1      exponential(k=0.08)             0.12      0.83  0.7120  +0.0310  outside  17 s
     2  0      step(drop=0.5, epochs_drop=10)   0.1       0.5  0.7050  +0.0240  outside  12 s
     3  2      time(k=0.314)                    0.1       0.5  0.6900  +0.0090  within   12 s
     3  3      constant                        0.05       0.9  0.6900  +0.0090  within   12 s
  delta: how much better than constant-0.1; noise: 95 % of single baseline runs fall within ±0.0131
"""


def test_the_whole_report_at_100_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.small_run(tmp_path / "runs" / "small")

    assert printed("runs/small") == (
        f"""\
random search of 50 epochs for val_accuracy (higher is better)
9 trials: 6 completed, 1 diverged, 1 failed, 1 running
data: cifar10 (cache), 9,000 training and 1,000 validation images

Use exponential(lr0=0.12, k=0.08) with momentum 0.83, but confirm it: `lrtune confirm runs/small`.
It leads constant-0.1 by 0.0310 in the search, and chance alone can give the best of 4 trials as
much as 0.0155.
It was chosen from 7 trials, not only the 4 that finished, so luck may give a little more. Among the
trials, a constant rate of 0.05 with momentum 0.9 scored 0.6900.

Use it
  import keras
  import lrtune
  choice = lrtune.load_run('runs/small').recommendation()
  schedule = choice.schedule.to_keras(steps_per_epoch=141)
  optimizer = keras.optimizers.SGD(schedule, momentum=choice.momentum)

{TRIALS}
Baseline
  constant-0.1   0.6810 ± 0.0026 over 3 seeds
  constant-0.01  0.6520 ± 0.0122 over 3 seeds

Not ranked: 2 trials with fewer epochs, 1 diverged, 1 failed, 1 unfinished.
Training: 520 epochs, 167 s (search 220, baseline 300).
More: `lrtune report runs/small --details`
"""
    )


def test_details_are_all_sections_at_100_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.small_run(tmp_path / "runs" / "small")

    short, text = printed("runs/small"), printed("runs/small", details=True)

    first = short.index("\nTrials of 50 epochs")
    assert text[:first] == short[:first]
    assert text[first:] == (
        f"""
{TRIALS}
Baseline
  constant-0.1   0.6810 ± 0.0026 over 3 seeds
  constant-0.01  0.6520 ± 0.0122 over 3 seeds
  The constant rate was not tuned: its learning rates and momenta were fixed.

Not in the ranking
  17 epochs   2 trials, best: 5 exponential(lr0=0.12, k=0.08), val_accuracy 0.6700
  diverged    6: the loss is NaN
  failed      7: OOM when allocating
  unfinished  8 (still running or stopped)
  `lrtune show runs/small 7 --as error` prints the whole traceback

Cost
  spent on       trainings  epochs   time  share
  ──────────────────────────────────────────────
  search                 9     220   92 s    42%
    constant             1      50   12 s    10%
    time                 1      50   12 s    10%
    step                 2      67   25 s    13%
    exponential          4      53   42 s    10%
    unfinished           1       0  0.0 s     0%
  baseline               6     300   75 s    58%
  total                 15     520  167 s   100%
  time: sum over all trainings; with several workers, less time passed
  epochs of the search: 3 in 1 trial that diverged, 0 in 1 trial that failed, 83 in all trials up to
  the winner, 50 in the winner itself

Progress
  best so far     0.7050 after 55, 0.7120 after 110, 0.7120 after 165, 0.7120 after 220 epochs of
                  the search
  time to target  first epoch at 0.6810 (the mean of constant-0.1) or better: epoch 2 in trial 1,
                  epoch 2 in trial 0, epoch 2 in trial 2, epoch 2 in trial 3; constant-0.1 itself:
                  epoch 2, epoch 2, epoch 2

Importance (trials of 50 epochs)
  all families  Only 5 trials trained for the same number of epochs; with fewer than 50, chance
                often decides which hyperparameter seems to matter most.

Tuning curve: the best of n trials
  schedule     n  expected  median  95 % band of the median
  ─────────────────────────────────────────────────────────
  constant     1    0.6900  0.6900  [0.0000, 1.0000]
  time         1    0.6900  0.6900  [0.0000, 1.0000]
  step         1    0.7050  0.7050  [0.0000, 1.0000]
  exponential  1    0.6060  0.5000  [0.0000, 1.0000]
               2    0.6590  0.7120  [0.0000, 1.0000]
"""
    )


def test_at_80_columns_every_line_fits_and_no_word_is_lost(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_run.large_run(tmp_path / "run", 23)

    text = printed("run", width=80)

    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert "step(drop=0.5," in text
    assert "epochs_drop=10)" in text
    assert "and 16 more trials" in text


@pytest.mark.parametrize("width", [20, 60, 100, 200])
def test_no_width_loses_a_number(tmp_path, width):
    text = printed(build_run.small_run(tmp_path), width=width)

    for word in ("0.7120", "+0.0310", "outside", "exponential(k=0.08)"):
        assert word in text


def test_without_a_terminal_there_are_no_escape_codes(tmp_path):
    assert "\x1b" not in printed(build_run.small_run(tmp_path))


def test_in_a_terminal_the_words_are_the_same(tmp_path):
    from rich.text import Text

    folder = build_run.small_run(tmp_path)

    coloured = printed(folder, force_terminal=True, color_system="standard")

    assert "\x1b[" in coloured
    assert Text.from_ansi(coloured).plain.rstrip() == printed(folder).rstrip()


def test_a_message_cannot_steer_the_terminal_nor_be_taken_for_markup(tmp_path):
    build_run.write_manifest(tmp_path)
    message = "\x1b[2J\x07 [red]bad[/red] :smile:"
    build_run.write_trial(tmp_path, "0", None, status="failed", message=message, rows=0)

    assert "failed  0: \\x1b[2J\\x07 [red]bad[/red] :smile:" in printed(tmp_path, details=True)


def test_synthetic_data_are_warned_of_above_everything_else(tmp_path):
    data = {**build_run.MANIFEST["data"], "source": "synthetic", "synthetic": True}
    build_run.write_manifest(tmp_path, data=data)

    lines = printed(tmp_path).splitlines()

    assert lines[4].startswith("SYNTHETIC DATA: ")
    assert lines[7] == "No answer yet: no trial has completed 50 epochs."


def test_without_a_baseline_its_columns_are_left_out(tmp_path):
    build_run.write_manifest(tmp_path, baseline_arms={}, baseline_seeds=[])
    build_run.write_trial(tmp_path, "0", 0.7, epochs=(1, 31, 50), seconds=None, rows=0)

    assert """
Trials of 50 epochs
  rank  trial  schedule              lr0  momentum  epochs   score  time
  ──────────────────────────────────────────────────────────────────────
     1  0      exponential(k=0.08)  0.12      0.83      31  0.7000     -

Baseline
  None: this run has no constant learning rate to compare with.

Training:""" in printed(tmp_path)


def test_files_that_could_not_be_read_are_named_at_the_end(tmp_path):
    build_run.small_run(tmp_path)
    (tmp_path / "trial_2" / "outcome.json").write_text("{")

    assert printed(tmp_path).endswith(
        """
Notes
  trial_2/outcome.json cannot be read (it is not complete JSON): its outcome is left out.
"""
    )


def test_an_output_with_a_small_character_set_gets_plain_characters(tmp_path):
    build_run.small_run(tmp_path)
    command = [sys.executable, "-m", "lrtune.report", str(tmp_path)]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=env)

    text = done.stdout.decode("ascii")
    assert "0.6810 +/- 0.0026 over 3 seeds" in text
    assert "  -----" in text
    assert done.stderr == b""
