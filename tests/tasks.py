"""Tasks as tests write them: hyperparameter values by name in place of a recipe."""

from __future__ import annotations

from lrtune.records.task import TrialTask
from lrtune.schedules.recipe import Recipe
from lrtune.search.oracle import steering_of


def task_of(trial_id, values, seed, first, last, state=None):
    """A task with these hyperparameter values, Keras Tuner's own entries among them."""
    recipe = Recipe.from_values(values)
    return TrialTask(trial_id, recipe, seed, first, last, state, steering_of(values))
