"""The trained models of a search, from the states that it kept, without anything of lrtune's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import keras_tuner

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.model.compiling import build_optimizer
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.model.named import searched_hypermodel
from lrtune.model.state import input_shape, one_hot, output_units, restore
from lrtune.records.ids import folder_of
from lrtune.records.reader import read_state
from lrtune.records.schema import STATE, TUNED_ARMS
from lrtune.schedules.keras import inner_optimizer
from lrtune.schedules.keras_private import compile_arguments, rate_of
from lrtune.stats.winner import best_trial, ranked_trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest, Outcome
    from lrtune.records.task import State


def best_model(
    records: RunRecords, hypermodel: Any = None, trial: str | None = None
) -> keras.Model:
    """The model of one trial; see `lrtune.run.Run.best_model`."""
    searched, outcome = _find(records, trial)
    state = _state(searched, outcome)
    if hypermodel is None:
        hypermodel = _searched(searched.manifest, state, outcome)
    elif searched.manifest.families and not isinstance(hypermodel, ScheduleHyperModel):
        raise ArgumentError(
            "hypermodel must be the ScheduleHyperModel of the search. "
            f"Received: hypermodel={hypermodel!r}."
        )
    elif not callable(getattr(hypermodel, "build", hypermodel)):
        raise ArgumentError(
            "hypermodel must be the keras_tuner.HyperModel of the search, or the function that "
            f"builds its model. Received: hypermodel={hypermodel!r}."
        )
    return _trained(searched, hypermodel, outcome, state)


def best_models(records: RunRecords, hypermodel: Any, count: int) -> list[keras.Model]:
    """The models of the best trials; see `LoopTuner.get_best_models`."""
    chosen = ranked_trials(records)[:count]
    states = [_state(records, outcome) for outcome in chosen]  # all, before any model is built
    return [
        _trained(records, hypermodel, outcome, state)
        for outcome, state in zip(chosen, states, strict=True)
    ]


def _find(records: RunRecords, trial: str | None) -> tuple[RunRecords, Outcome]:
    """The records that hold a trial, and its outcome."""
    if trial in TUNED_ARMS and records.baseline_search is not None:
        return records.baseline_search, _tuned(records.baseline_search, trial)
    if trial is not None:
        return records, _outcome(records, trial)
    best = best_trial(records)
    if best is None:
        raise RunFolderError(
            f"the run {str(records.folder)!r} has no best model: no trial completed "
            f"{records.manifest.max_epochs} epochs."
        )
    return records, best


def _tuned(searched: RunRecords, arm: str) -> Outcome:
    """The trial of the search for constant rates that an arm comes from."""
    place, ranked = TUNED_ARMS.index(arm), ranked_trials(searched)
    if place < len(ranked):
        return ranked[place]
    raise ArgumentError(
        f"trial must be one of the constant rates that completed {searched.manifest.max_epochs} "
        f"epochs: {', '.join(TUNED_ARMS[: len(ranked)]) or 'none'}. Received: trial={arm!r}."
    )


def _outcome(records: RunRecords, trial_id: str) -> Outcome:
    outcomes = {outcome.trial_id: outcome for outcome in records.outcomes}
    if trial_id not in outcomes:
        raise ArgumentError(
            "trial must be the id of a trial of the search that ended, or "
            f"{TUNED_ARMS[0]!r}. Received: trial={trial_id!r}."
        )
    return outcomes[trial_id]


def _state(records: RunRecords, outcome: Outcome) -> State:
    """The state that was kept of a trial.

    Raises:
        RunFolderError: there is none that can be read.
    """
    state = read_state(records.folder, outcome.trial_id)
    if state is not None:
        return state
    if outcome.status != "completed":
        raise RunFolderError(f"trial {outcome.trial_id} has no model: it {outcome.status}")
    path = records.folder / folder_of(outcome.trial_id) / STATE
    if path.exists():
        raise RunFolderError(f"the model of trial {outcome.trial_id} is damaged: {path}")
    raise RunFolderError(
        f"the model of trial {outcome.trial_id} was not kept: a search keeps those of its best "
        "trials, as many as keep_models says (1 by default). Give a new search a larger one; "
        "run.code(trial) is the code that trains the model again"
    )


def _searched(manifest: Manifest, state: State, outcome: Outcome) -> ScheduleHyperModel:
    """The hypermodel of `lrtune search`; the CNN for images and classes as in the state."""
    if manifest.data.argument is None:
        raise ArgumentError(
            "hypermodel must be given, as the search was run by a script: "
            "run.best_model(hypermodel)"
        )
    if manifest.model.argument is not None:
        return searched_hypermodel(manifest, None, None)
    try:
        return searched_hypermodel(manifest, input_shape(state), output_units(state))
    except ValueError as error:
        raise RunFolderError(
            f"the model of trial {outcome.trial_id} is not that of lrtune search: {error}"
        ) from error


def _trained(records: RunRecords, hypermodel: Any, outcome: Outcome, state: State) -> keras.Model:
    """The model as it was after the trial's last epoch.

    Raises:
        ArgumentError: the hypermodel builds another model than the trial's.
    """
    hp = keras_tuner.HyperParameters()
    hp.values = dict(outcome.values)
    build = getattr(hypermodel, "build", hypermodel)
    with _dtype_policy(records.manifest.model.dtype_policy):
        model = build(hp)
    restore(model, state)
    if isinstance(hypermodel, ScheduleHyperModel):
        rate = _last_rate(records, outcome)
        _compile_in_keras(hypermodel, model, rate, one_hot=one_hot(state))
    return model


@contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Within the block, Keras' global dtype policy is that of the search, "" for an unknown one."""
    policy = keras.config.dtype_policy()
    try:
        if name:
            keras.config.set_dtype_policy(name)
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _last_rate(records: RunRecords, outcome: Outcome) -> float:
    """The learning rate of the trial's last step."""
    rows = records.epochs(outcome.trial_id)
    rate = rows[-1].get("lr_last") if rows else None
    if isinstance(rate, float) and rate >= 0:
        return rate
    # The epochs are lost: the rate at the beginning of the last one.
    return float(outcome.recipe.schedule.table(outcome.epochs.last, 1)[-1])


def _compile_in_keras(
    hypermodel: ScheduleHyperModel, model: keras.Model, rate: float, *, one_hot: bool
) -> None:
    """Compiles a model anew, with a plain rate and nothing of lrtune's.

    The optimizer's state is kept. The new optimizer is made from the old one's configuration, which
    is what Keras does when it loads a saved model.
    """
    before = model.optimizer
    optimizer = _at_rate(before, rate)
    if hypermodel.compiled_by_user:
        # NOTE: not the model's own compile, which may take other arguments.
        keras.Model.compile(model, **{**compile_arguments(model), "optimizer": optimizer})
    else:
        hypermodel.compilation.in_keras(model, one_hot=one_hot).apply(model, optimizer)
    build_optimizer(model)
    after = model.optimizer
    own_rate = rate_of(inner_optimizer(after))  # a variable of this one, but not of the other
    kept = [one for one in after.variables if one is not own_rate]
    for variable, value in zip(kept, before.variables, strict=True):
        variable.assign(value)


def _at_rate(optimizer: Any, rate: float) -> Any:
    """An optimizer like this one with a plain learning rate, as a saved model would have it."""
    config = optimizer.get_config()
    inner = config.get("inner_optimizer")  # of a LossScaleOptimizer
    (config if inner is None else inner["config"])["learning_rate"] = rate
    return type(optimizer).from_config(config)
