"""Whether a comparison is of schedules alone or of whole recipes, in words.

Schedules and constant rates are searched over the same values of the user's own hyperparameters
and the same batch sizes, and each may end with others. The difference between two arms is then
theirs too, and the report must say so.

NOTE: why a confirmation does not train the constant rate with each schedule's own values instead.
That rate was tuned for other values: with another batch size or width a different rate is best, so
the schedule would beat a constant rate that nobody tuned. And more arms make the same seeds show
less: with three more, Holm's correction takes 9 seeds for any verdict instead of 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.schedules.base import parameters_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.schedules.recipe import Recipe


def whole_recipes(arms: Mapping[str, Recipe], against: str, constant: Recipe) -> str:
    """A sentence with the own values of arms that differ from those of the constant rate.

    Args:
        arms: by what each is called.
        against: what the constant rate is called.
        constant: its recipe.

    Returns:
        The sentence; empty if all arms have the constant rate's own values.
    """
    differing = {
        called: names for called, recipe in arms.items() if (names := _differing(recipe, constant))
    }
    if not differing:
        return ""
    named = [name for names in differing.values() for name in names]
    parts = [f"{called} has {_values(arms[called], names)}" for called, names in differing.items()]
    own = _values(constant, list(dict.fromkeys(named)))
    return (
        "The comparison is of whole recipes, not of schedules alone: "
        f"{', '.join(parts)}, {against} {own}."
    )


def _differing(one: Recipe, other: Recipe) -> list[str]:
    """The user's own hyperparameters that the two do not have in common, in their order."""
    mine, theirs = one.own_values, other.own_values
    return [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]


def _values(recipe: Recipe, names: list[str]) -> str:
    """The values of these: "width=48, no depth"."""
    own = recipe.own_values
    texts = (parameters_text({one: own[one]}) if one in own else f"no {one}" for one in names)
    return ", ".join(texts)
