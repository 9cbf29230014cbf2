"""A run's trials as TensorBoard's runs: scalars an epoch, and HParams.

A trial is a run named as its folder in the run folder ("trial_0007", "baseline/ARM/seed-1"). Its
scalars are its own epochs, counted from 1, so that a promoted Hyperband trial goes on where the one
it continues ends; its hyperparameters and two further ones, `lrtune/kind` and `lrtune/epochs` (its
budget), are a session of the HParams tab. The scalar `score` is what ranks it, where it has one.
The seeds of an arm are one session group, whose metrics TensorBoard averages.

NOTE: tensorboard.summary's own writer imports TensorFlow wherever it is installed (3 s); the
records and their checksums are written by the part of it that does not.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from lrtune.export.times import seconds_of
from lrtune.export.trials import recorded
from lrtune.records.ids import folder_of, parse_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lrtune.export.space import Value
    from lrtune.export.trials import Recorded
    from lrtune.records.reader import RunRecords

_BEGINNING, _ENDING = "events.out.tfevents.", ".lrtune"
"""What TensorBoard finds an event file by, and we our own."""


def write_tensorboard(records: RunRecords, folder: Path) -> str:
    """Writes the event files of all trials into a folder; needs tensorboard.

    Returns:
        What was written, in words.
    """
    trials = recorded(records)
    for trial in trials:
        write_events(trial, folder)
    return f"{len(trials):,} runs"


def write_events(trial: Recorded, folder: Path) -> None:
    """Writes one trial's event file below a folder, in place of one that is there."""
    rows = trial.epochs()
    seconds = [seconds_of(row.get("seconds", 0.0)) for row in rows]
    start, end = trial.times or (0.0, sum(seconds))
    budget = trial.outcome.epochs.planned if trial.outcome is not None else None
    with TrialEvents(folder, trial.trial_id, start) as events:
        events.begin(trial.kind, trial.values, budget, rows[0]["epoch"] if rows else 1)
        left = sum(seconds)
        for row, lasted in zip(rows, seconds, strict=True):
            left -= lasted
            events.epoch(row, end - left)
        if trial.outcome is not None:
            events.end(trial.outcome.status, trial.outcome.score, trial.outcome.epochs.last, end)


def is_event_file(path: Path) -> bool:
    """Whether it has the name of an event file that lrtune wrote."""
    return path.name.startswith(_BEGINNING) and path.name.endswith(_ENDING)


class TrialEvents:
    """The event file of one trial, in place of any that we wrote for it before.

    Args:
        folder: that of all trials.
        trial_id: names the folder of this one.
        now: when the trial began, in seconds since 1970.
    """

    def __init__(self, folder: Path, trial_id: str, now: float) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._id, self._began = trial_id, now
        path = folder / folder_of(trial_id)
        path.mkdir(parents=True, exist_ok=True)
        before = [file for file in path.iterdir() if is_event_file(file)]
        # TensorBoard reads a run's files in the order of their names, the later for newer.
        name = f"{_BEGINNING}{time.time():020.6f}{_ENDING}"
        self._file = (path / name).open("wb")
        self._writer = RecordWriter(self._file)
        for file in before:
            file.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(
        self, kind: str, values: Mapping[str, Value], budget: int | None, first_epoch: int
    ) -> None:
        """Writes the hyperparameters."""
        from tensorboard.compat.proto import event_pb2
        from tensorboard.plugins.hparams import summary_v2

        self._write(self._began, file_version="brain.Event:2")
        # Tells a TensorBoard that is running to forget what it has read from here on.
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(self._began, step=first_epoch, session_log=start)
        known: dict[str, Value] = {**values, "lrtune/kind": kind, "lrtune/epochs": budget}
        group = _group(self._id)
        session = summary_v2.hparams_pb(
            {name: value for name, value in known.items() if value is not None},
            trial_id=group,
            start_time_secs=self._began,
        )
        self._write(self._began, summary=session)
        self._file.flush()

    def epoch(self, row: Mapping[str, Any], now: float) -> None:
        """Writes the learning rate and the metrics of one epoch."""
        scalars = {name: row[name] for name in row if name not in ("epoch", "seconds")}
        self._scalars(scalars, int(row["epoch"]), now)
        self._file.flush()

    def end(self, status: str, score: float | None, last_epoch: int, now: float) -> None:
        """Writes the score and how the trial ended."""
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        if score is not None and status == "completed":
            self._scalars({"score": score}, last_epoch, now)
        ok = status == "completed"
        info = plugin_data_pb2.SessionEndInfo(
            status=api_pb2.STATUS_SUCCESS if ok else api_pb2.STATUS_FAILURE, end_time_secs=now
        )
        data = plugin_data_pb2.HParamsPluginData(session_end_info=info)
        self._summary(
            [
                {
                    "tag": metadata.SESSION_END_INFO_TAG,
                    "metadata": metadata.create_summary_metadata(data),
                    "tensor": metadata.NULL_TENSOR,
                }
            ],
            now,
        )

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        with contextlib.suppress(OSError):  # the disk is full: writing has said so already
            self._file.close()

    def _scalars(self, scalars: Mapping[str, Any], step: int, now: float) -> None:
        values = [
            {"tag": name, "simple_value": math.nan if value is None else float(value)}
            for name, value in scalars.items()
        ]
        self._summary(values, now, step=step)

    def _summary(self, values: list[dict[str, Any]], now: float, step: int = 0) -> None:
        from tensorboard.compat.proto import summary_pb2

        written = [summary_pb2.Summary.Value(**value) for value in values]
        self._write(now, step=step, summary=summary_pb2.Summary(value=written))

    def _write(self, now: float, **content: Any) -> None:
        from tensorboard.compat.proto import event_pb2

        event = event_pb2.Event(wall_time=now, **content)
        self._writer.write(event.SerializeToString())


def _group(trial_id: str) -> str:
    """What the seeds of an arm have in common; a search's trial is a group of its own."""
    found = parse_id(trial_id)
    return f"{found.kind}/{found.arm}" if found.arm else trial_id
