"""A run's trials as TensorBoard's runs: scalars for each epoch, and HParams.

A trial is a run named like its folder in the run folder ("trial_0007", "baseline/ARM/seed-1"). Its
scalars are those of the epochs it trained itself, counted from 1, so that a promoted Hyperband
trial starts where the trial that it continues ends. Its hyperparameters are a session of the
HParams tab, together with `lrtune/kind` and `lrtune/epochs` (its budget). A completed trial also
has the scalar `score`, which ranks it. The seeds of an arm are one session group, whose metrics
TensorBoard averages.

NOTE: tensorboard's own EventFileWriter imports TensorFlow wherever it is installed (3 s). The part
of it that writes records and their checksums does not.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, summary_v2
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.summary.writer.record_writer import RecordWriter
from typing_extensions import Self

from lrtune.export.times import seconds_of
from lrtune.export.trials import kind_of, recorded
from lrtune.records.ids import folder_of, parse_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lrtune.export.space import Value
    from lrtune.export.trials import Recorded
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome

EVENT_FILES = "events.out.tfevents.*.lrtune"
"""The names of our event files: TensorBoard looks for the beginning, we look for the ending too."""


def write_tensorboard(records: RunRecords, folder: Path) -> str:
    """Writes the event files of all trials into a folder.

    Returns:
        What was written, in words.
    """
    trials = recorded(records)
    for trial in trials:
        write_events(trial, folder)
    return f"{len(trials):,} runs"


def write_events(trial: Recorded, folder: Path) -> None:
    """Writes one trial's event file below a folder, replacing an earlier one."""
    rows = trial.epochs()
    seconds = [seconds_of(row.get("seconds", 0.0)) for row in rows]
    start, end = trial.times or (0.0, sum(seconds))
    budget = trial.outcome.epochs.planned if trial.outcome is not None else None
    with TrialEvents(folder, trial.trial_id, start) as events:
        events.begin(trial.values, budget, rows[0]["epoch"] if rows else 1)
        left = sum(seconds)
        for row, lasted in zip(rows, seconds, strict=True):
            left -= lasted
            events.epoch(row, end - left)
        if trial.outcome is not None:
            events.end(trial.outcome, end)


class TrialEvents:
    """The event file of one trial; it replaces those that we wrote for the trial before.

    Args:
        folder: the folder of all trials.
        trial_id: names the trial's own folder below it.
        now: when the trial began, in seconds since 1970.
    """

    def __init__(self, folder: Path, trial_id: str, now: float) -> None:
        self._id, self._began = trial_id, now
        path = folder / folder_of(trial_id)
        path.mkdir(parents=True, exist_ok=True)
        before = list(path.glob(EVENT_FILES))
        # TensorBoard takes the file whose name sorts last for the newest.
        name = EVENT_FILES.replace("*", f"{time.time():020.6f}")
        self._file = (path / name).open("wb")
        self._writer = RecordWriter(self._file)
        for file in before:
            file.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, values: Mapping[str, Value], budget: int | None, first_epoch: int) -> None:
        """Writes the hyperparameters."""
        self._write(self._began, file_version="brain.Event:2")
        # Makes a running TensorBoard drop what it has read for this epoch and later ones.
        start = SessionLog(status=SessionLog.START)
        self._write(self._began, step=first_epoch, session_log=start)
        shown = {**values, "lrtune/kind": kind_of(self._id), "lrtune/epochs": budget}
        found = parse_id(self._id)
        session = summary_v2.hparams_pb(
            {name: value for name, value in shown.items() if value is not None},
            trial_id=f"{found.kind}/{found.arm}" if found.arm else self._id,
            start_time_secs=self._began,
        )
        self._write(self._began, summary=session)

    def epoch(self, row: Mapping[str, Any], now: float) -> None:
        """Writes the learning rate and the metrics of one epoch."""
        scalars = {name: row[name] for name in row if name not in ("epoch", "seconds")}
        self._scalars(scalars, int(row["epoch"]), now)

    def end(self, outcome: Outcome, now: float) -> None:
        """Writes the score and how the trial ended."""
        completed = outcome.status == "completed"
        if completed:
            self._scalars({"score": outcome.score}, outcome.epochs.last, now)
        status = api_pb2.STATUS_SUCCESS if completed else api_pb2.STATUS_FAILURE
        ended = SessionEndInfo(status=status, end_time_secs=now)
        value = Summary.Value(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(HParamsPluginData(session_end_info=ended)),
            tensor=metadata.NULL_TENSOR,
        )
        self._write(now, summary=Summary(value=[value]))

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        with contextlib.suppress(OSError):  # a full disk was reported when writing
            self._file.close()

    def _scalars(self, scalars: Mapping[str, Any], step: int, now: float) -> None:
        values = [Summary.Value(tag=name, simple_value=float(scalars[name])) for name in scalars]
        self._write(now, step=step, summary=Summary(value=values))

    def _write(self, now: float, **content: Any) -> None:
        self._writer.write(Event(wall_time=now, **content).SerializeToString())
        self._file.flush()
