"""The hypermodel: any Keras model, trained under a sampled learning-rate schedule.

It works in Keras Tuner's own tuners and in lrtune's. The latter also keep momentum and the step
count in a promotion, which Keras Tuner drops.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import keras_tuner
from typing_extensions import Self, override

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.model.batch_size import with_batch_size
from lrtune.model.cnn import cats_vs_dogs_cnn
from lrtune.model.compiling import Compilation, build_optimizer, kind_of, optimizer_of, settings_of
from lrtune.model.feedback import Feedback
from lrtune.model.optimizers import name_of, optimizer_maker
from lrtune.model.settings import Settings, tables
from lrtune.schedules.batch_sizes import batch_sizes_of
from lrtune.schedules.keras import UnplacedSchedule, inner_optimizer, place
from lrtune.schedules.recipe import Recipe
from lrtune.schedules.space import READING, Space, families_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class ScheduleHyperModel(keras_tuner.HyperModel):  # type: ignore[misc] # Keras Tuner has no types
    """Adds an optimizer and a sampled learning-rate schedule to a model.

    The hyperparameters are `schedule` (the family), `lr0`, the optimizer's settings (`momentum`)
    and, in the trials of their family only, the schedule's own (`step.drop`; see
    `lrtune.schedules.space`), besides whatever `build_model` samples.

    Args:
        build_model: function of a `keras_tuner.HyperParameters`, or without parameters, that
            returns a `keras.Model`. A compiled one keeps its loss, metrics and optimizer; only the
            rate is lrtune's, and the rate that it came with is part of the baseline.
        epochs: int >= 1, the horizon: the epochs that a schedule is laid out over. A short trial of
            `lrtune.Hyperband` goes through the whole schedule in its own epochs; in Keras Tuner's,
            or with `horizon="truncated"`, it trains the first epochs of the schedule.
        families: names of the schedule families to choose from, at least one: "step",
            "warmup+cosine" (with a warmup), or a preset: "reading", "modern", "all".
        optimizer: "sgd" (the default), "adam", "adamw", "rmsprop" or "lion"; or a function of a
            learning rate that returns a Keras optimizer, `keras.optimizers.Nadam` for example,
            whose settings are then not searched.
        optimizer_options: more arguments for the optimizer that `optimizer` names, such as
            {"nesterov": True, "clipnorm": 1.0}.
        ranges: hyperparameter -> (low, high) to search in place of the usual range, or a tuple of
            choices for one that has names: {"lr0": (1e-4, 1.0), "step.drop": (0.3, 0.7)}.
        fixed: hyperparameter -> value, for what is not to be searched: {"momentum": 0.9}. With SGD
            and a momentum fixed at 0, `lr0` reaches .5. `weight_decay` is part of the space only if
            it is named here or in `ranges`.
        batch_size: ints >= 1 to search the batch size among, [32, 64, 128] for example; the first
            is that of the constant rates .1 and .01. It is then the hyperparameter `batch_size`,
            and for arrays only. None to leave it to `fit`.
        loss: as `keras.Model.compile` takes it; the default is cross-entropy, for one-hot labels or
            class indices, and no loss for a model with a `train_step` of its own.
        metrics: as `keras.Model.compile` takes them; the default is the accuracy where the loss is
            a cross-entropy.
        loss_weights, weighted_metrics: as `keras.Model.compile` takes them.
        steps_per_epoch: int >= 1, weight updates an epoch. `fit` finds it by itself; it is needed
            if you call `model.fit` on what `build` returns.

    Raises:
        ArgumentError: an argument is outside its domain, or (from `build`) `build_model` does not
            return a model, or a compiled one although an optimizer, a loss or metrics were given.
    """

    def __init__(
        self,
        build_model: Callable[..., Any],
        *,
        epochs: int,
        families: str | Sequence[str] = READING,
        optimizer: str | Callable[[Any], Any] | None = None,
        optimizer_options: Mapping[str, Any] | None = None,
        ranges: Mapping[str, Sequence[Any]] | None = None,
        fixed: Mapping[str, Any] | None = None,
        batch_size: Sequence[int] | None = None,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        steps_per_epoch: int | None = None,
        name: str | None = None,
        tunable: bool = True,
    ) -> None:
        super().__init__(name=name, tunable=tunable)
        if not callable(build_model):
            raise ArgumentError(
                "build_model must be a function that returns a keras.Model, and may take hp. "
                f"Received: {build_model!r}."
            )
        self.make_optimizer = optimizer_maker(optimizer or "sgd", optimizer_options)
        kind = self.make_optimizer.kind
        sizes = batch_sizes_of(batch_size)
        self.space = Space(families_of(families), epochs, kind, ranges or {}, fixed or {}, sizes)
        for name in self.make_optimizer.options.keys() & set(self.space.settings):
            raise ArgumentError(
                f"optimizer_options must not hold {name!r}, which ranges or fixed name as well. "
                f"Received: optimizer_options={optimizer_options!r}."
            )
        if steps_per_epoch is not None:
            steps_per_epoch = checks.integer("steps_per_epoch", steps_per_epoch, at_least=1)
            if sizes:
                raise ArgumentError(
                    "steps_per_epoch must be left out where batch_size is searched, as each batch "
                    f"size has its own. Received: steps_per_epoch={steps_per_epoch!r}, "
                    f"batch_size={batch_size!r}."
                )
        self.build_model = build_model
        self.steps_per_epoch = steps_per_epoch
        self.compilation = Compilation(loss, metrics, loss_weights, weighted_metrics)
        self.compiled_by_user: bool | None = None  # known when the first model is built
        asked = {
            "optimizer": optimizer,
            "optimizer_options": optimizer_options,
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics,
        }
        self._asked = tuple(name for name, value in asked.items() if value is not None)
        self._optimizer: tuple[str, dict[str, Any]] = name_of(self.make_optimizer)

    @override
    def build(self, hp: Any) -> keras.Model:
        """The model of `build_model`, compiled with the optimizer and schedule that `hp` holds.

        Without `steps_per_epoch` the schedule is placed by `fit`. A plain `model.fit` then fails
        with a message that says so, instead of training at a constant rate.
        """
        model = self._build_model(hp)
        recipe = Recipe.from_values(hp.values)
        recipe.check(*self.space.settings)
        learning_rate = (
            UnplacedSchedule(recipe.schedule)
            if self.steps_per_epoch is None
            else recipe.schedule.to_keras(self.steps_per_epoch)
        )
        self.compile(model, self.optimizer_for(model, learning_rate, recipe.settings))
        return model

    def _build_model(self, hp: Any) -> keras.Model:
        # The first model of a tuner, from which it learns the space: what is there after
        # build_model is the user's.
        first = "schedule" not in hp
        model = self.build_model(hp) if _takes_hp(self.build_model) else self.build_model()
        if not isinstance(model, keras.Model):
            raise ArgumentError(
                "build_model must return a keras.Model. "
                f"Received: {model!r} of type {type(model).__name__}."
            )
        self._adopt(model)
        for own in hp.space if first else ():
            # Keras Tuner would silently return our hyperparameter for theirs of the same name.
            if self.space.reserves(own.name):
                raise ArgumentError(
                    f"build_model must give its hyperparameter {own.name!r} another name: this one "
                    "is lrtune's."
                )
        self.space.declare(hp)
        return model

    def _adopt(self, model: keras.Model) -> None:
        """Learns from the first model whether the user's function compiles its models."""
        if self.compiled_by_user is None and model.compiled:
            if self._asked:
                raise ArgumentError(
                    "build_model must return an uncompiled keras.Model if "
                    f"{', '.join(f'{name}=' for name in self._asked)} is given to the hypermodel: "
                    "a compiled one keeps its own. Leave out one of the two."
                )
            optimizer = optimizer_of(model)
            kind = kind_of(optimizer)
            self.space = replace(self.space, optimizer=kind)
            self._optimizer = kind.name, settings_of(optimizer)
        if self.compiled_by_user not in (None, model.compiled):
            raise ArgumentError(
                "build_model must always return compiled models or never. Received: both."
            )
        self.compiled_by_user = model.compiled

    @property
    def epochs(self) -> int:
        """The horizon in epochs."""
        return self.space.epochs

    @property
    def families(self) -> tuple[str, ...]:
        """The schedule families that are searched."""
        return self.space.families

    def with_families(self, families: Sequence[str]) -> Self:
        """This hypermodel, searching other schedule families."""
        other = type(self).__new__(type(self))
        # Keras Tuner binds `build` to the object that its own __init__ is called for.
        keras_tuner.HyperModel.__init__(other, name=self.name, tunable=self.tunable)
        theirs = vars(other).keys()
        other.__dict__.update({k: v for k, v in vars(self).items() if k not in theirs})
        other.space = self.space.with_families(families)
        return other

    def optimizer_for(
        self, model: keras.Model, learning_rate: Any, settings: Mapping[str, Any]
    ) -> Any:
        """The optimizer to train a model with: a new one, or the user's with another rate.

        Args:
            model: keras.Model that `build_model` returned, built or not.
            learning_rate: keras LearningRateSchedule.
            settings: of the optimizer, as far as they are searched.
        """
        if not self.compiled_by_user:
            return self.make_optimizer(learning_rate, settings)
        place(model, learning_rate)
        return optimizer_of(model)

    def compile(self, model: keras.Model, optimizer: Any) -> None:
        """Compiles a model with this hypermodel's loss and metrics, unless the user has.

        Args:
            model: keras.Model, built or not.
            optimizer: as `optimizer_for` returned it.
        """
        if not self.compiled_by_user:
            self.compilation.apply(model, optimizer)
        if model.built:
            # Keras saves and loads the momentum and step count of a built optimizer with the
            # model's weights, but leaves out those of an unbuilt one.
            build_optimizer(model)

    @property
    def optimizer(self) -> tuple[str, dict[str, Any]]:
        """The optimizer as a run records it: its name and its options."""
        return self._optimizer

    @override
    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """Trains with the schedule, placed by the absolute epoch.

        A training with `initial_epoch` 3 starts with the rates of the fourth epoch, whatever the
        optimizer's step count was.

        Args:
            hp: the trial's hyperparameters.
            model: what `build` returned.
            *args: as `keras.Model.fit` takes them.
            **kwargs: as `keras.Model.fit` takes them; `epochs` is the horizon unless given, and
                `batch_size` the trial's own where it is searched.

        Returns:
            `keras.callbacks.History`.
        """
        kwargs = with_batch_size(self, hp.values, args, kwargs)
        kwargs.setdefault("epochs", self.epochs)
        steps = self.steps_per_epoch or steps_per_epoch(*args, **kwargs)
        recipe = Recipe.from_values(hp.values)
        schedule = recipe.schedule
        callbacks = list(kwargs.get("callbacks") or ())
        if schedule.closed_loop and not any(isinstance(one, Feedback) for one in callbacks):
            kwargs["callbacks"] = [*callbacks, Feedback(schedule)]
        place(model, schedule.to_keras(steps), kwargs.get("initial_epoch", 0) * steps)
        if schedule.moves_momentum:
            epochs = max(self.epochs, kwargs["epochs"])
            Settings(inner_optimizer(model.optimizer), tables(recipe, epochs, steps))
        return model.fit(*args, **kwargs)


def _takes_hp(function: Callable[..., Any]) -> bool:
    """Whether the user's function has a parameter."""
    try:
        return bool(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # compiled code may have no signature
        return True


class CatsVsDogsHyperModel(ScheduleHyperModel):
    """`ScheduleHyperModel` with the reading's CNN.

    Args:
        epochs: int >= 1, the horizon; 50 in the reading.
        families: names of the schedule families to choose from.
        input_shape: height, width, channels of the images.
        num_classes: int >= 2.
        **kwargs: as `ScheduleHyperModel` takes them.
    """

    def __init__(
        self,
        epochs: int = 50,
        families: str | Sequence[str] = READING,
        *,
        input_shape: tuple[int, int, int] = (32, 32, 3),
        num_classes: int = 2,
        **kwargs: Any,
    ) -> None:
        # Unlike a lambda, a partial of a module-level function can be pickled.
        build = partial(_build_cnn, input_shape=input_shape, num_classes=num_classes)
        super().__init__(build, epochs=epochs, families=families, **kwargs)


def _build_cnn(_hp: Any, **sizes: Any) -> keras.Model:
    """The CNN as a `build_model`, which samples nothing."""
    return cats_vs_dogs_cnn(**sizes)


def steps_per_epoch(
    x: Any = None,
    y: Any = None,  # noqa: ARG001 - so that fit's positional arguments can be handed on
    batch_size: int | None = None,
    *,
    steps_per_epoch: int | None = None,
    validation_split: float = 0.0,
    **_: Any,
) -> int:
    """Weight updates an epoch of the `keras.Model.fit` call with these arguments.

    Returns:
        int >= 1.

    Raises:
        ArgumentError: the data do not say how many steps an epoch has.
    """
    if steps_per_epoch is not None:
        return int(steps_per_epoch)
    if hasattr(x, "cardinality"):  # tf.data.Dataset; -1 infinite, -2 unknown
        steps = int(x.cardinality())
        if steps > 0:
            return steps
    elif isinstance(x, keras.utils.PyDataset):
        if x.num_batches is not None:
            return int(x.num_batches)
    else:
        arrays = keras.tree.flatten(x)
        if arrays and hasattr(arrays[0], "shape"):
            samples = int(arrays[0].shape[0])
            if validation_split:  # Keras keeps the first part for training, rounded down
                samples = int(samples * (1.0 - validation_split))
            return max(1, -(-samples // (batch_size or 32)))
    raise ArgumentError(
        "steps_per_epoch must be given to fit (or to the hypermodel): the training data, "
        f"{type(x).__name__}, do not say how many batches an epoch has."
    )
