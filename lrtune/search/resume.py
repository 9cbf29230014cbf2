"""Continues a search: puts Keras Tuner's oracle back to where the recorded trials leave it.

`oracle.json` is never read. What a search has found is in the trials' outcomes, each written whole
when its trial ended; all that an oracle knows follows from them, as long as what it draws at random
follows from the search's seed and the trial's number alone (`oracles.seed_proposal`). So a search
that was killed at any moment, or whose `oracle.json` was damaged, goes on as if nothing had been.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import keras_tuner
from keras_tuner.engine import trial as kt_trial

from lrtune.errors import RunFolderError
from lrtune.records.parse import UNREADABLE, read_bytes
from lrtune.records.reader import read_proposal, trial_ids
from lrtune.records.schema import MANIFEST, TRIAL_FILE
from lrtune.search.oracle import metrics_of, seed_proposal, tell, trial_seed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Outcome
    from lrtune.records.writer import RunWriter


def restore(oracle: Any, records: RunRecords, seed: int) -> list[Any]:
    """Tells an oracle all that a run folder holds, in place of what it was told before.

    Args:
        oracle: `keras_tuner.Oracle` with its space declared.
        records: the run.
        seed: the search's seed.

    Returns:
        The trials that have to be run again from their rung's start, for they have no outcome.
    """
    _forget(oracle)
    outcomes = {outcome.trial_id: outcome for outcome in records.outcomes}
    proposed = {
        trial_id: read_proposal(records.folder, trial_id)
        for trial_id in trial_ids(records.folder)
        if trial_id not in outcomes
    }
    known = sorted(
        [*outcomes, *(one for one, values in proposed.items() if values is not None)], key=int
    )
    unfinished = []
    for trial_id in _without_gaps(known):
        try:
            if trial_id in outcomes:
                _add_finished(oracle, outcomes[trial_id], records.epochs(trial_id))
                continue
            values = _propose(oracle, trial_id, seed, proposed.get(trial_id))
            trial = _add(oracle, trial_id, values)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise RunFolderError(
                f"run folder {records.folder}: trial {trial_id} is none of this search "
                f"({type(error).__name__}: {error}); remove its folder to have it run again"
            ) from error
        oracle.ongoing_trials[trial_id] = trial
        unfinished.append(trial)
    return unfinished


def mend(oracle: Any, writer: RunWriter) -> None:
    """Writes Keras Tuner's files of an oracle that was restored, where they do not say the same."""
    for trial in oracle.trials.values():
        state = trial.get_state()
        path = writer.trial_folder(trial.trial_id) / TRIAL_FILE
        try:
            whole = json.loads(read_bytes(path)) == json.loads(json.dumps(state))
        except UNREADABLE:
            whole = False
        if not whole:
            writer.trial(trial.trial_id, state)
    writer.oracle(oracle.get_state())


def refuse_foreign_trials(records: RunRecords, seed: int) -> None:
    """Raises RunFolderError where trials were not begun by a search of this seed.

    All that can be checked where `run.json` is lost.

    Args:
        records: of the folder.
        seed: the search's.
    """
    if not records.outcomes:
        raise RunFolderError(
            f"run folder {records.folder} holds a search, but no {MANIFEST} that can be read and "
            "no trial of lrtune's that ended; choose another --run-dir, or pass --overwrite to "
            "erase it"
        )
    for outcome in records.outcomes:
        if outcome.parent is None and outcome.seed != trial_seed(seed, outcome.trial_id):
            raise RunFolderError(
                f"run folder {records.folder} holds trials of another seed than {seed}, and no "
                f"{MANIFEST} that can be read; choose another --run-dir, or pass --overwrite to "
                "erase it"
            )


def _forget(oracle: Any) -> None:
    for name in ("trials", "ongoing_trials", "_run_times", "_id_to_hash", "_tried_so_far"):
        getattr(oracle, name).clear()
    for name in ("start_order", "end_order", "_retry_queue"):
        getattr(oracle, name).clear()
    if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
        oracle._current_iteration = 0
        oracle._current_bracket = oracle._get_num_brackets() - 1
        oracle._brackets = []
        oracle._start_new_bracket()


def _without_gaps(known: Sequence[str]) -> list[str]:
    """The ids and those between them whose folders are lost: a new trial must not take these."""
    ids = {int(trial_id): trial_id for trial_id in known}
    width = len(known[-1]) if known else 0
    return [ids.get(number, f"{number:0{width}d}") for number in range(max(ids, default=-1) + 1)]


def _propose(
    oracle: Any, trial_id: str, seed: int, values: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """The values a trial had, or, where its file is lost, what the oracle now gives it."""
    if values is None:
        seed_proposal(oracle, seed, int(trial_id))
        return oracle.populate_space(trial_id).get("values") or {}
    _note_in_brackets(oracle, trial_id, values)
    return values


def _add_finished(oracle: Any, outcome: Outcome, epochs: Sequence[Mapping[str, Any]]) -> None:
    _note_in_brackets(oracle, outcome.trial_id, outcome.values)
    trial = _add(oracle, outcome.trial_id, outcome.values)
    tell(oracle, trial, outcome, metrics_of(epochs[-1]) if epochs else {})


def _add(oracle: Any, trial_id: str, values: Mapping[str, Any]) -> Any:
    hp = oracle.get_space()
    hp.values = dict(values)
    trial = kt_trial.Trial(hp, trial_id, kt_trial.TrialStatus.RUNNING)
    oracle._record_values(trial)
    oracle.trials[trial_id] = trial
    oracle.start_order.append(trial_id)
    return trial


def _note_in_brackets(oracle: Any, trial_id: str, values: Mapping[str, Any]) -> None:
    """Puts a trial where Hyperband had it; a promoted one stands in its parent's bracket.

    Not in the one its values name: Keras Tuner 1.4.8 writes there which bracket was the newest.
    """
    if not isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
        return
    parent = values.get("tuner/trial_id")
    if parent is None:
        bracket = oracle._brackets[-1]
        full = len(bracket["rounds"][0]) >= oracle._get_size(bracket["bracket_num"], 0)
        if full:
            oracle._increment_bracket_num()
            oracle._start_new_bracket()
        oracle._brackets[-1]["rounds"][0].append({"past_id": None, "id": trial_id})
        return
    number = values["tuner/round"]
    for bracket in oracle._brackets:
        if number < len(bracket["rounds"]) and any(
            one["id"] == parent for one in bracket["rounds"][number - 1]
        ):
            bracket["rounds"][number].append({"past_id": parent, "id": trial_id})
