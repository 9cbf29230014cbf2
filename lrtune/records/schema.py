"""The typed records of a run folder, which the writer writes and the reader reads back.

    RUN/run.json                                 Manifest
    RUN/trial_ID/epochs.jsonl                    one JSON object a line and an epoch
    RUN/trial_ID/outcome.json                    Outcome
    RUN/baseline/ARM/seed-N/{epochs.jsonl,outcome.json}   the same, one folder an arm and seed
    RUN/baseline/search/                         the search for the best constant rate: a run folder
    RUN/confirm/confirm.json                     ConfirmManifest
    RUN/choice/ARM/seed-N/{epochs.jsonl,outcome.json}     as the baseline's, of the candidates
    RUN/confirm/ARM/seed-N/{epochs.jsonl,outcome.json}    as the baseline's
    RUN/confirm/ARM/seed-N/samples.json          PackedSamples, see `lrtune.records.samples`

`oracle.json`, `tuner0.json` and `trial_ID/trial.json` beside them are Keras Tuner's own; the
training states `state.npz` are NumPy arrays; a hidden `.lock` is held while a search writes. JSON
has no NaN and no infinity: a number that is not finite is written as null and read as NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from lrtune.schedules.batch_sizes import BATCH_SIZE
from lrtune.schedules.recipe import Recipe

HORIZONS = ("truncated", "rescaled")
"""How a short training stands for one of all epochs; see `Manifest.horizon`."""

SCHEMA = 1
"""Version of this layout; a reader refuses a newer one and says so."""

MANIFEST = "run.json"
EPOCHS = "epochs.jsonl"
OUTCOME = "outcome.json"
STATE = "state.npz"
"""A trial's training state: weights, optimizer variables, step count, random states."""

ORACLE = "oracle.json"
TUNER = "tuner0.json"
"""Keras Tuner's mark that a folder holds a search that it can load; always an empty object."""

TRIAL_FILE = "trial.json"
TUNED = "constant-tuned"
"""The arm of the best constant rate that the search for the baseline found."""

TUNED_ARMS = (TUNED, f"{TUNED}-2", f"{TUNED}-3")
"""The arms of the best rates that it found, the best one first."""

CONFIRM_MANIFEST = "confirm.json"
PAGE = "report.html"

PositiveInt = Annotated[int, Meta(ge=1)]
NonNegativeFloat = Annotated[float, Meta(ge=0)]
Status = Literal["completed", "diverged", "failed", "lost"]
STATUSES: tuple[Status, ...] = ("completed", "diverged", "failed", "lost")


@dataclass(frozen=True)
class DataRecord:
    """Which data a run was made on.

    Attributes:
        source: where they came from, in words ("cifar10 (cache)", "synthetic", a file's name).
        fingerprint: hash of data, labels and split: equal for equal data on any machine.
        sizes: number of samples in "train", "validation" and "test" (0 for none).
        synthetic: whether lrtune drew the images itself.
        argument: the value of `--data`, to load the same images again; None for data that a script
            passed to `search`.
        largest_class: 0 to 1, the share of the largest class among the data that scores are
            measured on (validation; of a confirmation, test); None if unknown.
        kind: what a sample is called; runs that do not say are of images.
    """

    source: str
    fingerprint: str
    sizes: Mapping[str, int]
    synthetic: bool = False
    argument: str | None = None
    largest_class: Annotated[float, Meta(ge=0, le=1)] | None = None
    kind: Literal["images", "samples"] = "images"


@dataclass(frozen=True)
class ModelRecord:
    """The model of a search, as far as it can be told apart from others.

    Attributes:
        argument: the value of `--model`, to build the same model again; None for one that a script
            passed, and for the cats-vs-dogs CNN.
        source: digest of the code of the function that builds it; "" if unknown, as below.
        architecture: digest of the model with the default hyperparameters.
        layers: its layers, a line each, with a digest of the layer's settings after "#".
        frozen: digest of the weights that are not trained.
        compiled: loss, metrics and their weights, as far as they were given.
        compiled_by_user: whether that function compiles it, so that its optimizer is its own.
        dtype_policy: Keras' global dtype policy, "mixed_float16" for example.
    """

    argument: str | None = None
    source: str = ""
    architecture: str = ""
    layers: tuple[str, ...] = ()
    frozen: str = ""
    compiled: Mapping[str, Any] = field(default_factory=dict)
    compiled_by_user: bool = False
    dtype_policy: str = ""


@dataclass(frozen=True)
class Rung:
    """Planned trainings that all run over the same epochs.

    Attributes:
        part: "search", "baseline/search" (the search for the best constant rate) or "baseline".
        trainings: int >= 0, their maximum number.
        first: epochs that the trials before them have trained.
        last: epochs trained in total at their end.
    """

    part: Literal["search", "baseline/search", "baseline"]
    trainings: int
    first: int
    last: int


def total(plan: tuple[Rung, ...]) -> tuple[int, int]:
    """How many trainings and epochs a plan has in all."""
    epochs = sum(rung.trainings * (rung.last - rung.first) for rung in plan)
    return sum(rung.trainings for rung in plan), epochs


@dataclass(frozen=True)
class Manifest:
    """What a search was asked to do: everything that its trials do not record themselves.

    Attributes:
        algo: "hyperband", "bayesian", "shape" or "random".
        objective: name of the metric searched for, as Keras logs it ("val_accuracy").
        direction: "max" or "min", what is better for the objective.
        score: "last", "tail" or "best": what a trial's score is (see `lrtune.stats.score`).
        horizon: "truncated" or "rescaled": whether trials of earlier rungs are trained with the
            first epochs of their schedules, or with the whole of them in less time.
        min_epochs: int >= 1, that Hyperband's first rung has at least.
        max_epochs: the horizon in epochs; also the full budget of a trial.
        factor: Hyperband's reduction factor, else None.
        max_trials: number of trials asked for, None for Hyperband.
        seed: the search's seed; trials' seeds derive from it.
        batch_size: images a training step, None if the user's own pipeline decides or it is
            searched.
        families: schedule families in the space, in their order.
        optimizer: its name, "sgd", or that of the user's function.
        optimizer_options: further arguments of the optimizer that is named, or those that are not
            its defaults of the one that the user compiles the model with.
        ranges, fixed: hyperparameter -> what the user asked for in place of the usual range.
        tries: hyperparameter values that the user asked to begin with.
        batch_sizes: the batch sizes that are searched, as the hyperparameter `batch_size`; empty if
            it is not.
        space: the hyperparameters' configurations as Keras Tuner writes them, in their order.
        baseline_budget: epochs of the search for the best constant rate as a share of the main
            search's; 0 for none.
        baseline_arms: arm name -> hyperparameter values, always trained at the full budget; the
            tuned ones are among them once they are known.
        baseline_seeds: the seeds that arms are trained with, in their order.
        baseline_places: how many arms are trained with each of these seeds, the ones that did best
            with the seeds before; empty if every arm is trained with every seed, as lrtune did
            before 0.1.
        data: which images.
        model: which model.
        fit: what `fit` got besides the data and the batch size: class weights, callbacks ...
        versions: package name -> version.
        created: start of the run, ISO 8601 with offset.
        finished: end of the search, in the same form; None while it is running.
        plan: the maximum number of trainings; empty in runs of lrtune before 0.1.
        share: how much of the algorithm's own number of trials is asked for: below 1 in a search
            with a time limit and in the search for the best constant rate (1 there in runs of
            lrtune before 0.1).
        cut_off: of the search for the best constant rate: whether a time limit ended it before its
            last trial. A resumed search leaves it so, as the baseline's rates are its best ones.
    """

    algo: str
    objective: str
    direction: Literal["max", "min"]
    score: str
    max_epochs: PositiveInt
    factor: int | None
    max_trials: int | None
    seed: int
    batch_size: int | None
    families: tuple[str, ...]
    space: tuple[Mapping[str, Any], ...]
    baseline_budget: NonNegativeFloat
    baseline_arms: Mapping[str, Mapping[str, Any]]
    baseline_seeds: tuple[int, ...]
    data: DataRecord
    versions: Mapping[str, str]
    created: str
    finished: str | None = None
    plan: tuple[Rung, ...] = ()
    optimizer: str = "sgd"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    tries: tuple[Mapping[str, Any], ...] = ()
    batch_sizes: tuple[PositiveInt, ...] = ()
    model: ModelRecord = field(default_factory=ModelRecord)
    fit: Mapping[str, Any] = field(default_factory=dict)
    baseline_places: tuple[PositiveInt, ...] = ()
    share: Annotated[float, Meta(gt=0)] = 1.0
    cut_off: bool = False
    horizon: str = "truncated"
    min_epochs: PositiveInt = 1
    schema: int = SCHEMA

    @property
    def planned(self) -> tuple[int, int] | None:
        """How many trainings and epochs the run takes at most; None without a plan."""
        return total(self.plan) if self.plan else None

    def batch_size_of(self, recipe: Recipe) -> int | None:
        """Images a training step of a trial or an arm; None if unknown."""
        if not self.batch_sizes:
            return self.batch_size
        size = recipe.own.get(BATCH_SIZE)
        return size if size in self.batch_sizes else None


@dataclass(frozen=True)
class ConfirmManifest:
    """What a confirmation compares: arms trained again, all with the same fresh seeds.

    In the sequential design the arms but the baseline are candidates. The best of them on the
    validation data is chosen, and it alone is tested against the baseline, seed by seed, until the
    answer is known (`lrtune.stats.sequential`). In the fixed design all arms train with all seeds.

    Attributes:
        arms: arm name -> hyperparameter values.
        trials: arm name -> id of its trial in the search; no entry for an arm of the baseline.
        search_scores: arm name -> its score in the search (for an arm of the baseline the mean over
            its seeds); no entry if there is none.
        baseline: name of the arm that the others are compared with.
        seeds: of every arm: initial weights, image order and dropout follow from a seed alone. In
            the sequential design, the most that may be needed.
        train_on: "train+validation" or "train".
        objective: the metric, measured once on the test images, after the last epoch; named as
            Keras logs it ("val_accuracy").
        direction: "max" or "min".
        epochs: the horizon, which every arm is trained for.
        batch_size: images a training step, None if the user's own pipeline decides or each arm has
            its own among its values.
        data: which images; the sizes are of "train" (all training images) and "test".
        versions, created, finished, schema: as in `Manifest`.
        design: "fixed" or "sequential".
        tested: in the sequential design, the arm that is tested; None until it is chosen.
        choice_seeds, choice_places: of the race of the candidates, as the baseline's in `Manifest`;
            empty if there is nothing to choose.
        scale: of a paired difference, before the first pair; 0 in the fixed design.
        min_seeds: in the sequential design, the pairs before which the test does not give up.
        attempt: int >= 0, how many confirmations of the search were erased before this one, which
            has other seeds than they had.
    """

    score: ClassVar = "last"
    arms: Mapping[str, Mapping[str, Any]]
    trials: Mapping[str, str]
    search_scores: Mapping[str, float]
    baseline: str
    seeds: tuple[int, ...]
    train_on: str
    objective: str
    direction: Literal["max", "min"]
    epochs: PositiveInt
    batch_size: int | None
    data: DataRecord
    versions: Mapping[str, str]
    created: str
    finished: str | None = None
    design: Literal["fixed", "sequential"] = "fixed"
    tested: str | None = None
    choice_seeds: tuple[int, ...] = ()
    choice_places: tuple[PositiveInt, ...] = ()
    scale: NonNegativeFloat = 0.0
    min_seeds: PositiveInt = 1
    attempt: Annotated[int, Meta(ge=0)] = 0
    schema: int = SCHEMA

    @property
    def candidates(self) -> dict[str, Mapping[str, Any]]:
        """The arms that the tested one is chosen from, without the baseline."""
        return {arm: values for arm, values in self.arms.items() if arm != self.baseline}

    @property
    def compared(self) -> dict[str, Mapping[str, Any]]:
        """The arms that are tested on the test data, and the baseline."""
        if self.design == "fixed":
            return dict(self.arms)
        names = [self.baseline] if self.tested is None else [self.tested, self.baseline]
        return {arm: self.arms[arm] for arm in names}

    @property
    def planned(self) -> tuple[int, int]:
        """How many trainings and epochs the confirmation takes, at most."""
        seeds = len(set(self.seeds))
        if self.design == "fixed":
            trainings = len(self.arms) * seeds
        else:
            field = len(self.candidates)
            trainings = sum(min(places, field) for places in self.choice_places) + 2 * seeds
        return trainings, trainings * self.epochs


@dataclass(frozen=True)
class Span:
    """Epochs of one trial, absolute and counted from 1, both ends included.

    Attributes:
        first: the first epoch this trial trained (parent's last + 1 for a promoted trial).
        last: the last epoch it finished; first - 1 if it finished none.
        planned: its budget, the last epoch it should reach.
    """

    first: int
    last: int
    planned: int


@dataclass(frozen=True)
class Outcome:
    """How one trial ended.

    Attributes:
        trial_id: see `lrtune.records.ids`.
        status: "completed", "diverged" (the loss grew out of bounds; the score is the untrained
            model's), "failed" (an error; no score) or "lost" (its worker processes died or hung,
            which says nothing about the model: it is trained again when the search is resumed).
        values: hyperparameter values, Keras Tuner's own `tuner/...` among them.
        epochs: which epochs it trained.
        seed: seed of initial weights, image order and dropout.
        seconds: wall time of the trial, building included.
        score: the objective that ranks it; None for a failed or lost trial.
        parent: id of the trial it continued, None for a trial from epoch 1.
        message: why it diverged, failed or was lost, None otherwise.
        untrained: the objective of its model before the first step; None if it was not measured,
            as in a confirmation.
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
    untrained: float | None = None
    schema: int = field(default=SCHEMA)

    @cached_property
    def recipe(self) -> Recipe:
        """The schedule and optimizer in its values."""
        return Recipe.from_values(self.values)


def now() -> str:
    """The current time in the form of the records: ISO 8601 with offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def to_json(record: Any) -> Any:
    """A record as plain JSON types, fields in their order, not-finite numbers as None."""
    return plain(asdict(record))


def plain(value: Any) -> Any:
    """A value in JSON's types: NumPy scalars become Python's, NaN and infinities None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item"):  # a NumPy scalar
        return plain(value.item())
    return value
