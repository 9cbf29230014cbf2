"""The base of all schedule families: frozen dataclasses of parameters, pure functions of time."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from lrtune._util import checks
from lrtune._util.printable import printable
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keras.optimizers.schedules import LearningRateSchedule
    from numpy.typing import NDArray
    from typing_extensions import Self

    from lrtune.schedules.ranges import Choice, Range


@dataclasses.dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate as a function of epoch time.

    Epoch time `t` is a float >= 0, in epochs: t = step / steps_per_epoch, 0 at the first weight
    update. A schedule therefore does not depend on the batch size or the data set.

    A family is a frozen dataclass with a `name`, its own parameters and a `formula`. If its rate
    can be held over each epoch, it also has a keyword-only field `per_step`, whose default follows
    from its definition.

    Attributes:
        lr0: float > 0 (1.2e-38 to 3.4e38, float32's range), the learning rate that all others are
            shares of. No rate of any family is above it; one that only falls begins with it.
    """

    name: ClassVar[str]
    """The family's name in the registry and in hyperparameters ("step", "step.drop")."""

    ranges: ClassVar[tuple[Range | Choice, ...]] = ()
    """What a search tries for each of the family's own parameters (all but `lr0`)."""

    domains: ClassVar[Mapping[str, Callable[[str, Any], Any]]] = {}
    """Which values the family's own parameters may have: functions of `lrtune._util.checks`."""

    stands_alone: ClassVar[bool] = True
    """False for a schedule that goes before another one, and so is no family of its own."""

    lr0: float

    def __post_init__(self) -> None:
        """Raises ArgumentError for the first parameter outside its domain."""
        domains = {"lr0": checks.learning_rate, **self.domains, "per_step": checks.boolean}
        for name in (field.name for field in dataclasses.fields(self) if field.name in domains):
            object.__setattr__(self, name, domains[name](name, getattr(self, name)))

    @property
    def per_step(self) -> bool:
        """True: a new rate at every step. False: the rate at floor(t), held over each epoch.

        A family overrides this with a field, unless its rate is constant within an epoch anyway.
        """
        return True

    @abstractmethod
    def formula(self, t: Any, xp: Any) -> Any:
        """The family's definition, before any holding; written once for NumPy and for Keras.

        Args:
            t: float64 array (NumPy's or the backend's) of finite epoch times >= 0.
            xp: `numpy` or `keras.ops`, for functions that both have (exp, floor, power, where,
                clip, full_like, ...); with Python's own conditions for anything but `t`.

        Returns:
            float64 array of finite learning rates, of the shape of `t`. Intermediate results may
            overflow to inf.
        """

    def momentum_factor(self, t: Any, xp: Any) -> Any:
        """What the optimizer's momentum is multiplied with at unchecked times `t`: 1.

        A family overrides it whose momentum moves with its rate.

        Returns:
            float64 array in [0, 1], of the shape of `t`.
        """
        return xp.full_like(t, 1.0)

    @property
    def moves_momentum(self) -> bool:
        """Whether `momentum_factor` is anything but 1."""
        return False

    @property
    def closed_loop(self) -> bool:
        """Whether the rate also depends on the losses of the epochs before: see `feedback`."""
        return False

    def feedback(self, losses: Sequence[float]) -> float:  # noqa: ARG002 - for families that use it
        """What the rate is multiplied with after epochs of these losses, from 0 to 1.

        Args:
            losses: validation losses (training losses without validation data), one an epoch.
        """
        return 1.0

    def in_keras(self) -> tuple[str, dict[str, str]] | None:
        """Keras' own schedule with the same rates, if it has one.

        Returns:
            Name in `keras.optimizers.schedules` and the source of every argument, in which
            `steps_per_epoch` is the number of weight updates an epoch.
        """
        return None

    @classmethod
    def from_search(cls, parameters: Mapping[str, Any]) -> Self:
        """The schedule with the parameters that a search has sampled.

        A family overrides it if its `ranges` are not its fields.

        Args:
            parameters: `lr0` and those of `ranges`.
        """
        return cls.from_config(parameters)

    def evaluate(self, t: Any, xp: Any) -> Any:
        """The rate at unchecked times `t`, held over each epoch if `per_step` is False.

        Rates below 1.2e-38 are 0, because TensorFlow flushes float32's subnormal numbers to 0 and
        NumPy does not.
        """
        rate = self.formula(t if self.per_step else xp.floor(t), xp)
        return xp.where(rate < checks.FLOAT32_TINY, 0.0, rate)

    @overload
    def __call__(self, t: float) -> float: ...

    @overload
    def __call__(self, t: NDArray[Any] | Sequence[Any]) -> NDArray[np.float64]: ...

    def __call__(self, t: float | NDArray[Any] | Sequence[Any]) -> float | NDArray[np.float64]:
        """The learning rate at epoch time `t`.

        Args:
            t: float >= 0, or an array of them of any shape; in epochs.

        Returns:
            float, or a float64 array of the shape of `t`: learning rates, finite and >= 0.
        """
        times = _times(t)
        # NOTE: scalars are computed as arrays, because NumPy's vector loops and its scalar
        # functions may differ in the last bit.
        with np.errstate(over="ignore", under="ignore"):
            rates = self.evaluate(times.reshape(-1), np).reshape(times.shape)
        return float(rates) if _is_scalar(t) else rates

    def table(self, epochs: int, steps_per_epoch: int) -> NDArray[np.float32]:
        """The learning rate of every step of a training.

        Args:
            epochs: int >= 1.
            steps_per_epoch: int >= 1, weight updates an epoch.

        Returns:
            float32 array [epochs * steps_per_epoch]; entry i is the rate of step i (from 0), at
            t = i / steps_per_epoch.
        """
        return self(_steps(epochs, steps_per_epoch)).astype(np.float32)

    def momentum_table(
        self, momentum: float, epochs: int, steps_per_epoch: int
    ) -> NDArray[np.float64]:
        """The momentum of every step of a training.

        Args:
            momentum: float in [0, 1), the optimizer's (Adam's beta_1).
            epochs: int >= 1.
            steps_per_epoch: int >= 1, weight updates an epoch.

        Returns:
            float64 array [epochs * steps_per_epoch]; `momentum` throughout, but for families whose
            momentum moves.
        """
        momentum = checks.below_one("momentum", momentum)
        t = _steps(epochs, steps_per_epoch)
        with np.errstate(over="ignore", under="ignore"):
            factor: NDArray[np.float64] = self.momentum_factor(t, np)
        return momentum * factor

    def to_keras(self, steps_per_epoch: int) -> LearningRateSchedule:
        """This schedule for a Keras optimizer: `SGD(schedule.to_keras(steps_per_epoch=157))`.

        Args:
            steps_per_epoch: int >= 1, weight updates an epoch.

        Returns:
            keras.optimizers.schedules.LearningRateSchedule, which saves with its model.
        """
        from lrtune.schedules.keras import KerasSchedule

        return KerasSchedule(self, steps_per_epoch)

    def get_config(self) -> dict[str, Any]:
        """The name and all parameters, as values JSON can hold; the inverse of `from_config`."""
        return {"name": self.name} | {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.init
        }

    def __str__(self) -> str:
        """In one line, parameters to three digits: "step(lr0=0.1, drop=0.5, epochs_drop=10)".

        Keyword-only parameters, like `per_step`, appear where they are not the family's default.
        """
        shown = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.init and not (field.kw_only and getattr(self, field.name) == field.default)
        }
        return f"{self.name}({parameters_text(shown)})"

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The schedule that a config describes.

        Args:
            config: as from `get_config`, {"name": family, parameter: value, ...}. The name is
                optional if this is called on a family rather than on `Schedule`.
        """
        from lrtune.schedules import registry

        parameters = dict(config)
        family: type[Any] = cls
        if "name" in parameters:
            family = registry.get(parameters.pop("name"))
        elif cls is Schedule:
            raise ArgumentError(
                "config must name its schedule family under the key 'name': one of "
                f"{', '.join(registry.names())}. Received: config={dict(config)!r}."
            )
        if not issubclass(family, cls):
            raise ArgumentError(
                f"config must be one of family {cls.name!r}. Received: name={family.name!r}."
            )
        signature = inspect.signature(family)
        try:
            signature.bind(**parameters)
        except TypeError as error:
            raise ArgumentError(
                f"config must hold the parameters of a schedule {family.name!r} "
                f"({', '.join(signature.parameters)}): {error}. Received: config={dict(config)!r}."
            ) from error
        schedule: Self = family(**parameters)
        return schedule


def parameters_text(parameters: Mapping[str, Any]) -> str:
    """Parameters in one line, floats to three significant digits: "drop=0.5, epochs_drop=10"."""
    return printable(", ".join(f"{name}={_short(value)}" for name, value in parameters.items()))


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})"
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"


def _steps(epochs: int, steps_per_epoch: int) -> NDArray[np.float64]:
    """The time of every step of a training."""
    epochs = checks.integer("epochs", epochs, at_least=1)
    steps_per_epoch = checks.integer("steps_per_epoch", steps_per_epoch, at_least=1)
    return np.arange(epochs * steps_per_epoch) / steps_per_epoch


def _is_scalar(t: Any) -> bool:
    return isinstance(t, (int, float, np.number))


def _times(t: Any) -> NDArray[np.float64]:
    """`t` as a contiguous float64 array of finite values >= 0."""
    try:
        given = np.asarray(t)
    except ValueError:  # lists of unequal lengths
        given = np.asarray(None)
    # NOTE: an int past int64 makes an object array, and is no epoch either.
    if given.dtype.kind not in "iuf":
        raise ArgumentError(
            f"t must be a number of epochs, or an array of such numbers. Received: t={t!r}."
        )
    times = np.array(given, dtype=np.float64, order="C")
    bad = ~(np.isfinite(times) & (times >= 0))
    if bad.any():
        found = repr(t) if _is_scalar(t) else f"{float(times[bad][0])} in an array"
        raise ArgumentError(f"t must be finite and >= 0, in epochs. Received: t={found}.")
    return times
