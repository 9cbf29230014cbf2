"""The constant rates in words: what they scored, whether they were tuned, and at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.records.ids import BASELINE_SEARCH
from lrtune.records.schema import TUNED, TUNED_ARMS
from lrtune.report.constants import is_tuned
from lrtune.report.grid import Section
from lrtune.report.majority import majority
from lrtune.report.words import brief, count, mean_and_std
from lrtune.schedules.recipe import Recipe

if TYPE_CHECKING:
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest
    from lrtune.report.build import Report
    from lrtune.stats.baseline import Arm
    from lrtune.stats.cost import Cost


def baseline_section(report: Report) -> Section:
    """Every arm of the baseline with its scores, and whether the constant rate was tuned."""
    records, measured = report.records, report.baseline
    if not records.baseline:
        nothing = "None: this run has no constant learning rate to compare with."
        return Section("Baseline", about=(nothing,))
    arms = {arm.name: arm for arm in measured.arms} if measured else {}
    pairs = tuple(
        (name, _arm_text(name, arms.get(name), len(outcomes), report.places, records.manifest))
        for name, outcomes in records.baseline.items()
    )
    scores = [score for arm in arms.values() for score in arm.scores]
    manifest = records.manifest
    same = majority(scores, manifest.data, manifest.objective, report.places)
    notes = [_tuning(records, report.cost), *([f"{same}."] if same else [])]
    return Section("Baseline", pairs=pairs, notes=tuple(notes))


def _tuning(records: RunRecords, cost: Cost) -> str:
    """Whether the constant rate was tuned and with which budget, a sentence."""
    manifest = records.manifest
    if not manifest.baseline_budget:
        return "The constant rate was not tuned: its learning rates and momenta were fixed."
    budget, nested, spent = share_text(manifest), records.baseline_search, cost.baseline_search
    if nested is None:
        search = records.folder / BASELINE_SEARCH
        state = "cannot be read" if search.is_dir() else "has not started yet"
        return f"The constant rate is to be tuned with {budget}; that search {state}."
    epochs = f"{count(spent.epochs, 'epoch')} in {count(spent.trials, 'trial')}"
    if TUNED not in records.baseline:
        if nested.manifest.finished:
            return f"The constant rate was tuned with {budget} ({epochs}), but no rate trains."
        return f"The constant rate is being tuned with {budget}: {epochs} so far."
    tuned = [arm for arm in TUNED_ARMS if arm in records.baseline]
    which = f"{TUNED} was" if len(tuned) == 1 else f"The best {len(tuned)}, {TUNED} first, were"
    return (
        f"{which} found with {budget}: {epochs}, compared with {cost.search.epochs:,} epochs "
        "of the search for schedules."
    )


def share_text(manifest: Manifest) -> str:
    """The budget of the search for the best constant rate: "0.5 times the search's epochs"."""
    return f"{manifest.baseline_budget:.3g} times the search's epochs"


def _found(recipe: Recipe) -> str:
    """The rate, the optimizer's settings and the user's own values of the tuned constant rate."""
    settings = {name: one for name, one in recipe.settings.items() if isinstance(one, int | float)}
    own = [recipe.own_text] if recipe.own_values else []
    numbers = {"lr0": recipe.lr0, **settings}
    return ", ".join([*(f"{name}={brief(one)}" for name, one in numbers.items()), *own])


def _arm_text(name: str, arm: Arm | None, ended: int, places: int, manifest: Manifest) -> str:
    # The names of the fixed arms contain their rates; those of the tuned ones do not.
    recipe = Recipe.from_values(manifest.baseline_arms.get(name, {}))
    rate = f", {recipe.own_text}" if recipe.own_values else ""
    if is_tuned(name) and name in manifest.baseline_arms:
        rate = f", {_found(recipe)}"
    if arm is None:
        text = f"no score: {count(ended, 'seed')} failed" if ended else "not trained yet"
        return text + rate
    # In a race, the next seed is only for the best arms, so none is missing.
    planned = arm.n if manifest.baseline_places else len(manifest.baseline_seeds)
    missing = max(planned - arm.n - arm.failed, 0)
    others = ((arm.diverged, "diverged"), (arm.failed, "failed"), (missing, "not trained yet"))
    text = mean_and_std(arm, places)
    return text + rate + "".join(f", {number} {what}" for number, what in others if number)
