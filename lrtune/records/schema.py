"""What a run folder holds: the typed records that the writer writes and the reader reads.

    RUN/run.json                                 Manifest
    RUN/trial_ID/epochs.jsonl                    one JSON object a line and an epoch
    RUN/trial_ID/outcome.json                    Outcome
    RUN/baseline/ARM/seed-N/{epochs.jsonl,outcome.json}   the same, one folder an arm and seed
    RUN/baseline/search/                         the search for the best constant rate: a run folder
    RUN/confirm/confirm.json                     ConfirmManifest
    RUN/confirm/ARM/seed-N/{epochs.jsonl,outcome.json}    as the baseline's

`oracle.json`, `tuner0.json` and `trial_ID/trial.json` beside them are Keras Tuner's own; the
training states `state.npz` are NumPy arrays; a hidden `.lock` is held while a search writes. JSON
has no NaN and no infinity: a number that is not finite is written as null and read as NaN.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from lrtune.errors import RunFolderError

SCHEMA = 1
"""Version of this layout; a reader refuses a newer one and says so."""

MANIFEST = "run.json"
EPOCHS = "epochs.jsonl"
OUTCOME = "outcome.json"
STATE = "state.npz"
"""A trial's training state: weights, optimizer variables, step count, random states."""

ORACLE = "oracle.json"
TRIAL_FILE = "trial.json"
BASELINE = "baseline"
BASELINE_SEARCH = "search"
"""The folder in `BASELINE` that holds a run of its own; no arm has this name."""

TUNED = "constant-tuned"
"""The arm of the constant rate that the search for the baseline found."""

CONFIRM = "confirm"
CONFIRM_MANIFEST = "confirm.json"
PAGE = "report.html"

TRIAL = "trial_"
"""A trial's folder is this and its id: Keras Tuner's own convention."""

_SEARCHED = re.compile(r"[0-9]{1,18}", re.ASCII)
_ARM = re.compile(r"(baseline|confirm)/\w[\w.+-]*/seed-[0-9]{1,18}", re.ASCII)

Status = Literal["completed", "diverged", "failed"]
STATUSES: tuple[Status, ...] = ("completed", "diverged", "failed")


@dataclass(frozen=True)
class DataRecord:
    """Which images a run was made on.

    Attributes:
        source: where they came from, in words ("cifar10 (cache)", "synthetic", a file's name).
        fingerprint: hash of images, labels and split: equal for equal data on any machine.
        sizes: number of images in "train", "validation" and "test" (0 where there is none).
        synthetic: True where the images were drawn by lrtune, not photographed.
        argument: what `--data` was, so that the same images can be loaded again; None for data
            given to `search` by a script.
    """

    source: str
    fingerprint: str
    sizes: Mapping[str, int]
    synthetic: bool = False
    argument: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What was asked of a search: all that a trial does not say itself.

    Attributes:
        algo: "hyperband", "bayesian" or "random".
        objective: name of the metric searched for, as Keras logs it ("val_accuracy").
        direction: "max" or "min", what is better for the objective.
        score: "last" or "best": which epoch's objective is a trial's score.
        max_epochs: the horizon in epochs; also the full budget of a trial.
        factor: Hyperband's reduction factor, else None.
        max_trials: number of trials asked for, None for Hyperband.
        seed: the search's seed; trials' seeds derive from it.
        batch_size: images a training step, None where the user's own pipeline decides.
        families: schedule families in the space, in their order.
        space: the hyperparameters' configurations as Keras Tuner writes them, in their order.
        baseline_budget: epochs of the search for the best constant rate as a share of the main
            search's; 0 where there is none.
        baseline_arms: arm name -> hyperparameter values, always trained at the full budget; the
            tuned one is among them once it is known.
        baseline_seeds: the seeds every arm was trained with.
        data: which images.
        versions: package name -> version.
        created: start of the run, ISO 8601 with offset.
        finished: when the search had no more trials to run, likewise; None while it goes on.
    """

    algo: str
    objective: str
    direction: str
    score: str
    max_epochs: int
    factor: int | None
    max_trials: int | None
    seed: int
    batch_size: int | None
    families: tuple[str, ...]
    space: tuple[Mapping[str, Any], ...]
    baseline_budget: float
    baseline_arms: Mapping[str, Mapping[str, Any]]
    baseline_seeds: tuple[int, ...]
    data: DataRecord
    versions: Mapping[str, str]
    created: str
    finished: str | None = None
    schema: int = SCHEMA


@dataclass(frozen=True)
class ConfirmManifest:
    """What a confirmation compares: arms trained anew, every one with the same fresh seeds.

    Attributes:
        arms: arm name -> hyperparameter values.
        trials: arm name -> id of the search's trial it comes from; no entry for an arm of the
            baseline.
        search_scores: arm name -> its score in the search (of an arm of the baseline: the mean
            over its seeds); no entry where there is none.
        baseline: name of the arm that the others are compared with.
        seeds: of every arm: initial weights, image order and dropout follow from a seed alone.
        train_on: "train+validation" or "train".
        objective: the metric, measured once on the test images, after the last epoch; named as
            Keras logs it ("val_accuracy").
        direction: "max" or "min".
        epochs: the horizon, which every arm is trained for.
        batch_size: images a training step, None where the user's own pipeline decides.
        data: which images; sizes are those of "train" (all that is trained on) and "test".
        versions, created, finished, schema: as in `Manifest`.
    """

    arms: Mapping[str, Mapping[str, Any]]
    trials: Mapping[str, str]
    search_scores: Mapping[str, float]
    baseline: str
    seeds: tuple[int, ...]
    train_on: str
    objective: str
    direction: str
    epochs: int
    batch_size: int | None
    data: DataRecord
    versions: Mapping[str, str]
    created: str
    finished: str | None = None
    schema: int = SCHEMA


@dataclass(frozen=True)
class Span:
    """Epochs of one trial, absolute and counted from 1, both ends included.

    Attributes:
        first: the first epoch this trial trained (parent's last + 1 for a promoted trial).
        last: the last epoch it finished; first - 1 where it finished none.
        planned: the last epoch it was meant to reach: its budget.
    """

    first: int
    last: int
    planned: int


@dataclass(frozen=True)
class Outcome:
    """How one trial ended.

    Attributes:
        trial_id: Keras Tuner's id, or "baseline/ARM/seed-N", or "confirm/ARM/seed-N".
        status: "completed", "diverged" (the loss left all bounds; the score is the untrained
            model's) or "failed" (an error; no score).
        values: hyperparameter values, Keras Tuner's own `tuner/...` among them.
        epochs: which epochs it trained.
        seed: seed of initial weights, image order and dropout.
        seconds: wall time of the trial, building included.
        score: the objective that ranks it; None for a failed trial.
        parent: id of the trial it continued, None for one that began at epoch 1.
        message: why it diverged or failed, None otherwise.
    """

    trial_id: str
    status: Status
    values: Mapping[str, Any]
    epochs: Span
    seed: int
    seconds: float
    score: float | None = None
    parent: str | None = None
    message: str | None = None
    schema: int = field(default=SCHEMA)


def now() -> str:
    """The time as it is recorded: ISO 8601 with offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def is_trial_id(text: str) -> bool:
    """Whether lrtune gives such an id to a trial, so that it can be a folder's name."""
    return bool(_SEARCHED.fullmatch(text) or _ARM.fullmatch(text))


def folder_name(trial_id: str) -> str:
    """The folder, inside the run folder, of a trial ("0007") or of an arm ("baseline/A/seed-1").

    Raises:
        RunFolderError: no id that lrtune gives; ids are read from files, and a `..` in one must not
            lead out of the run folder.
    """
    if _SEARCHED.fullmatch(trial_id):
        return f"{TRIAL}{trial_id}"
    if _ARM.fullmatch(trial_id):
        return trial_id
    raise RunFolderError(
        "a trial's id must be a number, or baseline/ARM/seed-N or confirm/ARM/seed-N with an arm "
        f"of letters, digits and ._+-. Received: {trial_id!r}"
    )


def to_json(record: Any) -> Any:
    """A record as plain JSON types, fields in their order, not-finite numbers as None."""
    return plain(asdict(record))


def manifest_from_json(raw: Mapping[str, Any]) -> Manifest:
    """Inverse of `to_json`; keys it does not know are left out. Raises KeyError, TypeError."""
    known = {f.name: raw[f.name] for f in fields(Manifest)}
    known["families"] = tuple(known["families"])
    known["space"] = tuple(known["space"])
    known["baseline_seeds"] = tuple(known["baseline_seeds"])
    data = known["data"]
    known["data"] = DataRecord(**{f.name: data[f.name] for f in fields(DataRecord)})
    return Manifest(**known)


def confirm_manifest_from_json(raw: Mapping[str, Any]) -> ConfirmManifest:
    """Inverse of `to_json`; keys it does not know are left out. Raises KeyError, TypeError."""
    known = {f.name: raw[f.name] for f in fields(ConfirmManifest)}
    known["seeds"] = tuple(known["seeds"])
    data = known["data"]
    known["data"] = DataRecord(**{f.name: data[f.name] for f in fields(DataRecord)})
    return ConfirmManifest(**known)


def outcome_from_json(raw: Mapping[str, Any]) -> Outcome:
    """Inverse of `to_json`; keys it does not know are left out. Raises KeyError, TypeError."""
    known = {f.name: raw[f.name] for f in fields(Outcome)}
    span = known["epochs"]
    known["epochs"] = Span(**{f.name: span[f.name] for f in fields(Span)})
    return Outcome(**known)


def plain(value: Any) -> Any:
    """A value as JSON knows it: NumPy scalars as Python's, NaN and infinities as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item"):  # a NumPy scalar
        return plain(value.item())
    return value
