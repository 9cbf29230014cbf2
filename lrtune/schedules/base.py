"""What every schedule family is: a frozen, parameter-only dataclass, a pure function of time."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from lrtune._util import checks
from lrtune._util.printable import printable
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras.optimizers.schedules import LearningRateSchedule
    from numpy.typing import NDArray
    from typing_extensions import Self

    from lrtune.schedules.ranges import Range


@dataclasses.dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate as a function of epoch time.

    Epoch time `t` is a float >= 0, in epochs: t = step / steps_per_epoch, 0 at the first weight
    update. A schedule therefore knows no batch size, and the same one serves any data set.

    A family is a frozen dataclass with a `name`, an `lr0`, its own parameters and a `formula`. A
    family whose rate may be held over each epoch has a keyword-only field `per_step` as well, with
    the default its definition asks for.
    """

    name: ClassVar[str]
    """The family's name in the registry and in hyperparameters ("step", "step.drop")."""

    ranges: ClassVar[tuple[Range, ...]] = ()
    """What a search tries for each of the family's own parameters (all but `lr0`)."""

    @property
    def per_step(self) -> bool:
        """True: a new rate at every step. False: the rate at floor(t), held over each epoch.

        A family overrides this with a field, unless holding makes no difference to it.
        """
        return True

    @abstractmethod
    def formula(self, t: Any, xp: Any) -> Any:
        """The family's definition, before any holding; written once for NumPy and for Keras.

        Args:
            t: float64 array (NumPy's or the backend's) of finite epoch times >= 0.
            xp: `numpy` or `keras.ops`; functions both have are called through it (exp, floor,
                power, where, full_like).

        Returns:
            float64 array of learning rates, of the shape of `t`. May overflow to inf on the way,
            but neither inf nor NaN may come out of it.
        """

    def evaluate(self, t: Any, xp: Any) -> Any:
        """The rate at unchecked times `t`, held over each epoch if the schedule says so.

        Rates below 1.2e-38 are 0: TensorFlow flushes float32's subnormal numbers to 0 and NumPy
        keeps them, so that the same schedule would otherwise have two values there.
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
        # NOTE: one contiguous path for scalars and arrays: NumPy's vector loops and its scalar
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
        epochs = checks.integer("epochs", epochs, at_least=1)
        steps_per_epoch = checks.integer("steps_per_epoch", steps_per_epoch, at_least=1)
        return self(np.arange(epochs * steps_per_epoch) / steps_per_epoch).astype(np.float32)

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
        """The name and all parameters, as values JSON can hold; `from_config` undoes it."""
        return {"name": self.name} | {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }

    def __str__(self) -> str:
        """In one line, parameters to three digits: "step(lr0=0.1, drop=0.5, epochs_drop=10)".

        `per_step` appears where it is not the family's own default.
        """
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        shown = {
            name: value
            for name, value in self.get_config().items()
            if name != "name" and (name, value) != ("per_step", defaults.get("per_step"))
        }
        return f"{self.name}({parameters_text(shown)})"

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The schedule that `get_config` described.

        Args:
            config: {"name": family, parameter: value, ...}. Called on a family rather than on
                `Schedule`, the name may be left out.
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
        _check_parameters(family, parameters)
        schedule: Self = family(**parameters)
        return schedule

    def _set(self, **values: Any) -> None:
        """Store checked parameters, in `__post_init__` of a frozen dataclass."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def parameters_text(parameters: Mapping[str, Any]) -> str:
    """Parameters in one line, floats to three significant digits: "drop=0.5, epochs_drop=10"."""
    return printable(
        ", ".join(
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in parameters.items()
        )
    )


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


def required(family: type[Schedule]) -> tuple[str, ...]:
    """The names of the parameters without which `family` cannot be built, `lr0` first."""
    missing = dataclasses.MISSING
    return tuple(
        field.name
        for field in dataclasses.fields(family)
        if field.init and field.default is missing and field.default_factory is missing
    )


def _check_parameters(family: type[Schedule], parameters: Mapping[str, Any]) -> None:
    known = [field.name for field in dataclasses.fields(family) if field.init]
    if unknown := [name for name in parameters if name not in known]:
        raise ArgumentError(
            f"The config of a schedule {family.name!r} may hold {', '.join(known)}. "
            f"Received also: {', '.join(map(str, unknown))}."
        )
    if missing := [name for name in required(family) if name not in parameters]:
        raise ArgumentError(
            f"The config of a schedule {family.name!r} must hold {', '.join(required(family))}. "
            f"Missing: {', '.join(missing)}."
        )
