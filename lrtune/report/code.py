"""The code that trains with a run's schedule: in plain Keras, with lrtune, or as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import textwrap
from typing import TYPE_CHECKING, Literal

from lrtune import schedules
from lrtune._util import checks
from lrtune.errors import ArgumentError, LrtuneError
from lrtune.report.keras_class import keras_class, keras_warmup
from lrtune.schedules import Schedule
from lrtune.schedules.batch_sizes import BATCH_SIZE
from lrtune.schedules.constant import CONSTANT
from lrtune.schedules.derived import Derived
from lrtune.schedules.optimizers import MOMENTUM, OPTIMIZERS
from lrtune.schedules.warmup import Warmup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lrtune.records.schema import Manifest
    from lrtune.report.recommendation import Recommendation
    from lrtune.schedules.recipe import Recipe

Style = Literal["keras", "lrtune", "json"]
STYLES = ("keras", "lrtune", "json")


def code_for(recipe: Recipe, manifest: Manifest, style: Style = "keras") -> str:
    """Python (or JSON) that trains with a recipe.

    Args:
        recipe: schedule, optimizer's settings and the user's own hyperparameters.
        manifest: of the search, for the optimizer and the number of steps.
        style: "keras" needs no lrtune: Keras' own schedule class where there is one with the same
            rates, else a short class; "lrtune" is shorter; "json" is all values.

    Raises:
        ArgumentError: an unknown style, or a recipe that no model can be trained with.
    """
    checks.one_of("style", style, STYLES)
    schedule = recipe.schedule
    if style == "json":
        optimizer = {"name": manifest.optimizer, **manifest.optimizer_options, **recipe.settings}
        values = {"schedule": schedule.get_config(), "optimizer": optimizer}
        return json.dumps({**values, "hyperparameters": recipe.values}, indent=2)
    batch = manifest.batch_size_of(recipe)
    write = _in_keras if style == "keras" else _with_lrtune
    definition, made, rate = write(schedule)
    code = definition + made + rate
    imports = ["import keras", *(["import lrtune"] if "lrtune." in code else [])]
    for module in ("sys", "math"):
        if f"{module}." in code:
            imports.insert(0, f"import {module}")
    if "pairwise(" in code:
        imports.insert(0, "from itertools import pairwise")
    lines = ["", definition] if definition else []
    if "steps_per_epoch" in made + rate:
        lines.append(_steps_line(manifest, batch, _steps(manifest, batch)))
    if made:
        lines.append(f"schedule = {made}")
    lines += [_optimizer(recipe, manifest, rate)]
    lines += list(_remarks(recipe, manifest, schedule, style))
    return "\n".join((*imports, "", *lines))


def usage(choice: Recommendation, folder: Path) -> tuple[str, ...]:
    """Lines of Python that read the recommended choice from the run folder and train with it.

    Args:
        choice: of the run.
        folder: the run folder.
    """
    recipe, manifest = choice.recipe, choice.manifest
    batch = manifest.batch_size_of(recipe)
    steps = _steps(manifest, batch)
    number = "steps_per_epoch" if steps is None else f"steps_per_epoch={steps}"
    lines = ["import keras", "import lrtune"]
    if steps is None and recipe.family != CONSTANT:
        lines.append(_steps_line(manifest, batch, steps))
    lines.append(f"choice = lrtune.load_run({str(folder)!r}).recommendation()")
    if recipe.family == CONSTANT:
        rate, made = "rate", "choice.schedule.lr0"
    else:
        rate, made = "schedule", f"choice.schedule.to_keras({number})"
    lines.append(f"{rate} = {made}")
    kind = OPTIMIZERS.get(manifest.optimizer)
    if kind is None:
        lines.append(f"optimizer = ...  # {manifest.optimizer}, with the learning rate {rate}")
    else:
        only = list(recipe.settings) == ["momentum"]
        settings = "momentum=choice.momentum" if only else "**choice.settings"
        given = (f"{name}={value!r}" for name, value in manifest.optimizer_options.items())
        arguments = ", ".join([rate, *([settings] if recipe.settings else []), *given])
        lines.append(f"optimizer = keras.optimizers.{kind.keras_name}({arguments})")
    lines += _usage_remarks(recipe, manifest, steps)
    return tuple(lines)


def _usage_remarks(recipe: Recipe, manifest: Manifest, steps: int | None) -> Iterator[str]:
    """What the optimizer's line does not say, as `_remarks` does for the longer code."""
    try:
        schedule = recipe.schedule
    except LrtuneError:  # of a family that is not known here
        return
    if schedule.moves_momentum and any(name in recipe.settings for name in MOMENTUM):
        number = "steps_per_epoch" if steps is None else steps
        yield (
            "lrtune.move_momentum(optimizer, choice.schedule, choice.momentum, "
            f"epochs={manifest.max_epochs}, steps_per_epoch={number})"
        )
    if schedule.closed_loop:
        yield "callbacks = [lrtune.Feedback(choice.schedule)]  # for model.fit"
    if own := recipe.own_text:
        yield f"# with {own}, see choice.hyperparameters"


def _steps(manifest: Manifest, batch: int | None) -> int | None:
    """Weight updates an epoch; None where the run does not say."""
    given = manifest.fit.get("steps_per_epoch")
    if isinstance(given, int) and given > 0:
        return given
    samples = manifest.data.sizes.get("train")
    if isinstance(samples, int) and isinstance(batch, int) and samples > 0 and batch > 0:
        return math.ceil(samples / batch)
    return None


def _steps_line(manifest: Manifest, batch: int | None, steps: int | None) -> str:
    if steps is None:
        return "steps_per_epoch = ...  # training samples / batch size"
    if "steps_per_epoch" in manifest.fit:
        return f"steps_per_epoch = {steps}  # as in the search"
    samples = manifest.data.sizes["train"]
    return f"steps_per_epoch = {steps}  # {samples:,} {manifest.data.kind} in batches of {batch:,}"


def _with_lrtune(schedule: Schedule) -> tuple[str, str, str]:
    """Definitions, the schedule's source and that of the rate; the first two may be empty."""
    if schedule.name == "constant":
        return "", "", repr(schedule.lr0)
    return "", _lrtune_source(schedule), "schedule.to_keras(steps_per_epoch)"


def _lrtune_source(schedule: Schedule) -> str:
    """Source that makes a schedule with lrtune, an argument a line."""
    fields = (
        (one.name, getattr(schedule, one.name)) for one in dataclasses.fields(schedule) if one.init
    )
    given = (
        f"{name}={_lrtune_source(value) if isinstance(value, Schedule) else repr(value)},\n"
        for name, value in fields
    )
    arguments = textwrap.indent("".join(given), "    ")
    family = type(schedule).__name__
    made = family if hasattr(schedules, family) else f"get({schedule.name!r})"  # the user's own
    return f"lrtune.schedules.{made}(\n{arguments})"


def _in_keras(schedule: Schedule) -> tuple[str, str, str]:
    """As `_with_lrtune`, without lrtune."""
    if schedule.closed_loop and isinstance(schedule, Derived):
        raise ArgumentError(
            "style must be 'lrtune' or 'json' for this schedule: Keras' ReduceLROnPlateau cannot "
            f"change a rate that moves by itself. Received: style='keras' for {schedule}."
        )
    if schedule.name == "constant" or schedule.closed_loop:
        return "", "", repr(schedule.lr0)
    if (own := schedule.in_keras()) is not None:
        return "", _keras_own(*own), "schedule"
    if isinstance(schedule, Warmup):
        then = schedule.then.in_keras()
        # The rates of Keras' others jump, and the steps since a warmup need not be whole.
        if then is not None and then[0] == "PolynomialDecay":
            source, made = keras_warmup(_keras_own(*then), schedule.epochs, schedule.start)
            return source, made, "schedule"
    return keras_class(schedule), "", f"{type(schedule).__name__}(steps_per_epoch)"


def _keras_own(name: str, arguments: dict[str, str]) -> str:
    """Source that makes one of Keras' own schedules; arguments as from `Schedule.in_keras`."""
    body = "".join(f"    {key}={value},\n" for key, value in arguments.items())
    return f"keras.optimizers.schedules.{name}(\n{body})"


def _optimizer(recipe: Recipe, manifest: Manifest, rate: str) -> str:
    kind = OPTIMIZERS.get(manifest.optimizer)
    if kind is None:
        return f"optimizer = ...  # {manifest.optimizer}, with the learning rate {rate}"
    given = {**manifest.optimizer_options, **recipe.settings}
    more = "".join(f"    {name}={value!r},\n" for name, value in given.items())
    return f"optimizer = keras.optimizers.{kind.keras_name}(\n    learning_rate={rate},\n{more})"


def _remarks(recipe: Recipe, manifest: Manifest, schedule: Schedule, style: Style) -> Iterator[str]:
    """What a line of code for the optimizer does not say."""
    name = next((name for name in MOMENTUM if name in recipe.settings), None)
    if schedule.moves_momentum and name:
        value = recipe.settings[name]
        if style == "lrtune":
            yield (
                f"lrtune.move_momentum(\n    optimizer, schedule, {value!r}, "
                f"epochs={manifest.max_epochs}, steps_per_epoch=steps_per_epoch\n)"
            )
        else:
            low = float(schedule.momentum_table(value, manifest.max_epochs, 100).min())
            yield (
                f"# In the search {name} moved, from {value:.3g} to {low:.3g} where the rate is "
                "highest, and back;\n# Keras keeps it constant. In the style lrtune (`lrtune show "
                "--as lrtune`) the code moves it."
            )
    if schedule.closed_loop and style == "lrtune":
        yield "callbacks = [lrtune.Feedback(schedule)]  # for model.fit"
    elif schedule.closed_loop:
        config = schedule.get_config()
        given = ", ".join(f"{one}={config[one]!r}" for one in ("factor", "patience", "min_delta"))
        yield (
            f"callbacks = [  # for model.fit\n    keras.callbacks.ReduceLROnPlateau({given}),\n]"
        )
    own = recipe.own_values
    if manifest.batch_sizes:
        size = own.pop(BATCH_SIZE, None)
        yield f"# model.fit(..., batch_size={size!r}, epochs={manifest.max_epochs})"
    if own:
        values = ", ".join(f"{key}={value!r}" for key, value in own.items())
        yield f"# The model's own hyperparameters: {values}"
