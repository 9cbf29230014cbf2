"""What a run says to train with, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lrtune._util.printable import printable
from lrtune.report.words import brief
from lrtune.schedules.constant import CONSTANT

if TYPE_CHECKING:
    from lrtune.records.schema import Manifest
    from lrtune.schedules import Schedule
    from lrtune.schedules.recipe import Recipe


@dataclass(frozen=True)
class Recommendation:
    """The choice that a run supports: `lrtune.load_run(path).recommendation()`.

    Attributes:
        name: of the trial ("0087") or the arm ("constant-tuned").
        recipe: its schedule, the optimizer's settings and the model's own hyperparameters.
        shown: whether it was shown to beat the constant rate. False for the constant rate itself,
            and in a run without one.
        text: what to use and how sure that is, in a sentence or two.
        manifest: of the search; after a confirmation, with the sizes of its data.
    """

    name: str
    recipe: Recipe
    shown: bool
    text: str
    manifest: Manifest = field(repr=False)

    @property
    def schedule(self) -> Schedule:
        """The schedule, a constant one if that is the choice.

        Raises:
            ArgumentError: its family is not known here.
        """
        return self.recipe.schedule

    @property
    def settings(self) -> dict[str, Any]:
        """The optimizer's settings: {"momentum": 0.9}."""
        return dict(self.recipe.settings)

    @property
    def momentum(self) -> float:
        """The momentum (Adam's and Lion's `beta_1`), >= 0 and < 1; NaN if there is none."""
        return self.recipe.momentum

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The model's own hyperparameters, and the batch size where it was searched."""
        return self.recipe.own_values

    def code(self, style: Literal["keras", "lrtune", "json"] = "keras") -> str:
        """The code that trains with it: as `Run.code`, which explains the styles."""
        from lrtune.report.code import code_for

        return code_for(self.recipe, self.manifest, style)

    def __str__(self) -> str:
        """What to use and how sure that is."""
        return self.text


@dataclass(frozen=True)
class Answer:
    """What a report begins with.

    Attributes:
        use: what to use, a sentence; or why nothing is recommended.
        why: how sure that is, a sentence or two; empty if there is nothing to add.
        caveats: what else there is to know, in plain sentences; often empty.
        choice: what to use; None where the run supports no choice.
    """

    use: str
    why: str = ""
    caveats: str = ""
    choice: Recommendation | None = None

    @property
    def text(self) -> str:
        """What to use and how sure that is."""
        return f"{self.use} {self.why}".strip()

    def choosing(self, name: str, recipe: Recipe, manifest: Manifest, *, shown: bool) -> Answer:
        """The same answer with its choice; the arguments are as in `Recommendation`."""
        choice = Recommendation(name, recipe, shown, printable(self.text), manifest)
        return replace(self, choice=choice)


def in_words(recipe: Recipe) -> str:
    """A recipe for a sentence: "a constant rate of 0.1 with momentum 0.9, width=48"."""
    constant = recipe.family == CONSTANT and recipe.lr0 == recipe.lr0
    what = f"a constant rate of {brief(recipe.lr0)}" if constant else recipe.schedule_text
    numbers = {name: one for name, one in recipe.settings.items() if isinstance(one, int | float)}
    settings = " and ".join(f"{name} {brief(one)}" for name, one in numbers.items())
    own = f", {recipe.own_text}" if recipe.own_values else ""
    return f"{what}{f' with {settings}' if settings else ''}{own}"
