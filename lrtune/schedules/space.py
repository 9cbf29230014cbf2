"""The search space: the hyperparameters that a schedule search tries.

They are `schedule` (the family), `lr0`, the optimizer's settings (`momentum`) and
`family.parameter` for a family's own parameters (`step.drop`), which exist only in the trials of
that family. A family "warmup+cosine" is cosine decay after a warmup; it has the parameters of both,
`warmup.epochs` and `cosine.end`. `Recipe.from_values` reads the values back.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import TYPE_CHECKING, Any

from lrtune._util import checks
from lrtune.errors import ArgumentError
from lrtune.schedules import Choice, Range, Schedule, get, names, register
from lrtune.schedules.batch_sizes import BATCH_SIZE, batch_sizes_of, searched_size
from lrtune.schedules.optimizers import DOMAINS, OPTIMIZERS, OptimizerKind
from lrtune.schedules.warmup import PREFIX, Warmup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

READING = ("constant", "time", "step", "exponential")
"""The four schedules of the reading, which are searched by default."""

MODERN = (
    "constant", "linear", "cosine", "one_cycle", "warmup_stable_decay",
    "warmup+constant", "warmup+linear", "warmup+cosine",
)  # fmt: skip
"""What most people train with today; one-cycle and warmup-stable-decay have their own warmup."""

PRESETS = ("reading", "modern", "all")
"""Names for several families at once."""

# Momentum m multiplies the steady-state step by 1 / (1 - m), so larger rates are stable without it.
_HIGHEST_WITHOUT_MOMENTUM = 0.5


def families_of(asked: str | Sequence[str]) -> tuple[str, ...]:
    """The families that a person asked for, each once, presets resolved.

    Args:
        asked: names of families ("step", "warmup+cosine") and of presets ("modern"), in a sequence
            or in one text, separated by commas.

    Raises:
        ArgumentError: none, or one that is unknown.
    """
    found: Any = asked.split(",") if isinstance(asked, str) else asked
    presets = {"reading": READING, "modern": MODERN, "all": names()}
    resolved: list[str] = []
    for name in found if isinstance(found, Iterable) else ():
        plain = name.strip() if isinstance(name, str) else get(name).name  # which refuses it
        resolved += presets.get(plain, (plain,)) if plain else ()
    for name in resolved:
        get_family(name)
    if not resolved:
        raise ArgumentError(
            "families must name at least one schedule family or one of the presets "
            f"{', '.join(PRESETS)}. Received: families={asked!r}."
        )
    return tuple(dict.fromkeys(resolved))


def get_family(name: str) -> type[Schedule]:
    """The class of a family, without the warmup that its name may begin with."""
    return get(name.removeprefix(PREFIX) if isinstance(name, str) else name)


def own_ranges(name: str) -> dict[str, Range | Choice]:
    """What a search tries for a family's own parameters, by the hyperparameter's name."""
    family = get_family(name)
    parts = (Warmup, family) if name.startswith(PREFIX) else (family,)
    return {f"{one.name}.{own.parameter}": own for one in parts for own in one.ranges}


def sampling_of(name: str) -> str:
    """The scale on which a search samples a hyperparameter: "linear", "log" or "reverse_log"."""
    if name == "lr0":
        return "log"
    settings = (own for kind in OPTIMIZERS.values() for own in (*kind.searched, *kind.on_request))
    family, _, parameter = name.partition(".")
    try:
        ranges = (*settings, *(get(family).ranges if parameter else ()))
    except ArgumentError:  # a family that is not registered in this process
        return "linear"
    found = (own for own in ranges if own.parameter == (parameter or name))
    return next((own.sampling for own in found if isinstance(own, Range)), "linear")


@dataclass(frozen=True)
class Space:
    """All hyperparameters of a schedule search.

    Attributes:
        families: names of schedule families, at least one, each once; the first is the default.
        epochs: int >= 1, the horizon: ranges of parameters that count epochs scale with it.
        optimizer: which settings are searched, and how large the rate is.
        ranges: hyperparameter -> (low, high), inclusive, or the choices; in place of the usual.
        fixed: hyperparameter -> the one value to train with.
        batch_sizes: to search among, each an int >= 1, the first is the default; empty for a batch
            size that is not searched.

    Raises:
        ArgumentError: an unknown family or hyperparameter, or a value outside its domain.
    """

    families: tuple[str, ...]
    epochs: int
    optimizer: OptimizerKind = OPTIMIZERS["sgd"]
    ranges: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    batch_sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "families", families_of(self.families))
        object.__setattr__(self, "epochs", checks.integer("epochs", self.epochs, at_least=1))
        object.__setattr__(self, "batch_sizes", batch_sizes_of(self.batch_sizes or None))
        for family in self.families:
            _refuse_unsearchable(family)
        _refuse_no_mapping(ranges=self.ranges, fixed=self.fixed)
        known = self._usual()
        for what, given in (("ranges", self.ranges), ("fixed", self.fixed)):
            for name in given:
                if name not in known:
                    raise ArgumentError(_unknown(what, name, list(known)))
        if both := self.ranges.keys() & self.fixed.keys():
            raise ArgumentError(
                f"fixed and ranges must not name the same hyperparameter. Received: {both.pop()!r} "
                "in both."
            )
        object.__setattr__(
            self,
            "fixed",
            {name: self._checked("fixed", name, one) for name, one in self.fixed.items()},
        )
        ranges = {name: self._limits(name, known[name])[:-1] for name in self.ranges}
        choices = {name for name in ranges if isinstance(known[name], Choice)}
        ranges = {name: one[0] if name in choices else one for name, one in ranges.items()}
        object.__setattr__(self, "ranges", ranges)

    def __getstate__(self) -> dict[str, Any]:
        # With the classes: a family that a script defines is not registered in a worker process.
        return {**vars(self), "_classes": [get_family(name) for name in self.families]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for family in state.pop("_classes"):
            register(family)
        vars(self).update(state)

    def declare(self, hp: Any) -> None:
        """Declares the hyperparameters.

        Args:
            hp: keras_tuner.HyperParameters, which is changed.
        """
        hp.Choice("schedule", list(self.families))
        known = self._usual()
        for name in self._of_every_trial():
            self._declare_one(hp, name, known[name])
        before = len(hp.inactive_scopes)
        for name, own in known.items():
            if "." not in name:
                continue
            having = [one for one in self.families if name in own_ranges(one)]
            with hp.conditional_scope("schedule", having):
                if own.only_if is None:
                    self._declare_one(hp, name, own)
                    continue
                other, value = own.only_if
                with hp.conditional_scope(f"{name.split('.')[0]}.{other}", [value]):
                    self._declare_one(hp, name, own)
        # NOTE: a tuner takes the parameters of an inactive scope for unknown and builds models
        # until each scope was active: n (n - 1) / 2 builds for n families with parameters (Keras
        # Tuner 1.4.8 lists a scope again with every build). All of ours are declared by now.
        del hp.inactive_scopes[before:]

    def default(self, family: str) -> dict[str, Any]:
        """The values of a trial of this family where nothing else is asked for, all of them."""
        values: dict[str, Any] = {"schedule": family}
        usual, own = self._usual(), own_ranges(family)
        for name in (*self._of_every_trial(), *own):
            if name not in own or exists(name, own[name], values):
                values[name] = self._limits(name, usual[name])[-1]
        return values

    def with_families(self, families: str | Sequence[str]) -> Space:
        """This space with other families, and without ranges and values that they do not have."""
        other = replace(self, families=families_of(families), ranges={}, fixed={})
        known = other._usual()
        ranges, fixed = (
            {name: one for name, one in given.items() if name in known}
            for given in (self.ranges, self.fixed)
        )
        return replace(other, ranges=ranges, fixed=fixed)

    @property
    def settings(self) -> tuple[str, ...]:
        """The optimizer's settings that every trial has."""
        return tuple(own.parameter for own in self._settings())

    def reserves(self, name: str) -> bool:
        """Whether a hyperparameter's name is lrtune's, so that a user's model cannot have it."""
        return name == "schedule" or name in DOMAINS or name in self._usual()

    def check_value(self, argument: str, name: str, value: Any) -> Any:
        """A value for a hyperparameter of this space.

        Args:
            argument: what gave it, for messages.
            name: of the hyperparameter.
            value: to be checked; ranges do not matter, the parameter's domain does.

        Raises:
            ArgumentError: the hyperparameter is unknown, or the value is outside its domain.
        """
        if name not in self._usual():
            raise ArgumentError(_unknown(argument, name, list(self._usual())))
        return self._checked(argument, name, value)

    def parse(self, text: str) -> dict[str, Any]:
        """Hyperparameter values from one line: "step lr0=0.1 drop=0.5 momentum=0.9".

        A family's parameters may be called by their own names. What is left out has its usual
        value; names that are not of this space are returned as they are, with numbers parsed.

        Raises:
            ArgumentError: the family or a value is missing or wrong.
        """
        family, *pairs = text.split() or [""]
        if family not in self.families:
            raise ArgumentError(
                f"a schedule to try must begin with a family of the search "
                f"({', '.join(self.families)}). Received: {text!r}."
            )
        own = own_ranges(family)
        values = self.default(family)
        for pair in pairs:
            name, equals, value = pair.partition("=")
            if not (name and equals and value):
                raise ArgumentError(
                    f"a schedule to try must be a family and NAME=VALUE pairs. Received: {text!r}."
                )
            full = f"{family.removeprefix(PREFIX)}.{name}"
            values[full if full in own else name] = parse_value(value)
        return values

    def _settings(self) -> tuple[Range, ...]:
        asked = self.ranges.keys() | self.fixed.keys()
        more = [own for own in self.optimizer.on_request if own.parameter in asked]
        return (*self.optimizer.searched, *more)

    def _of_every_trial(self) -> tuple[str, ...]:
        """The hyperparameters besides `schedule` that the trials of all families have."""
        return ("lr0", *self.settings, *([BATCH_SIZE] if self.batch_sizes else []))

    def _usual(self) -> dict[str, Range | Choice]:
        """Every hyperparameter but `schedule`, with what is tried where the user says nothing."""
        kind = self.optimizer
        low, high = kind.lr0
        if kind.name == "sgd" and self.fixed.get("momentum") == 0:
            high = _HIGHEST_WITHOUT_MOMENTUM
        usual: dict[str, Range | Choice] = {
            "lr0": Range("lr0", lambda _: low, lambda _: high, lambda _: kind.first_rate, "log")
        }
        usual |= {own.parameter: own for own in (*kind.searched, *kind.on_request)}
        if self.batch_sizes:
            usual[BATCH_SIZE] = Choice(BATCH_SIZE, self.batch_sizes)
        for family in self.families:
            usual |= own_ranges(family)
        return usual

    def _declare_one(self, hp: Any, name: str, own: Range | Choice) -> None:
        *limits, default = self._limits(name, own)
        if isinstance(own, Choice):
            # Oracles take numbers that are next to each other in the list for neighbours.
            values = sorted(limits[0]) if name == BATCH_SIZE else list(limits[0])
            if len(values) > 1:
                hp.Choice(name, values, default=default)
            else:
                hp.Fixed(name, default)
        elif limits[0] == limits[1]:
            hp.Fixed(name, default)
        elif own.kind == "int":
            low, high = map(int, limits)
            hp.Int(name, low, high, sampling=own.sampling, default=int(default))
        else:
            hp.Float(name, *limits, sampling=own.sampling, default=default)

    def _limits(self, name: str, own: Range | Choice) -> tuple[Any, ...]:
        """(low, high, default), or (choices, default), with what the user asked for."""
        if isinstance(own, Choice):
            if name in self.fixed:
                return (self.fixed[name],), self.fixed[name]
            given = self.ranges.get(name, own.values)
            if not isinstance(given, list | tuple) or not given:
                raise ArgumentError(
                    f"ranges[{name!r}] must be a tuple of values. Received: {given!r}."
                )
            choices = tuple(dict.fromkeys(self._checked("ranges", name, one) for one in given))
            return choices, choices[0]
        if name in self.fixed:
            return (self.fixed[name],) * 3
        if name not in self.ranges:
            return own.bounds(self.epochs)
        given = self.ranges[name]
        if not isinstance(given, list | tuple) or len(given) != 2:
            raise ArgumentError(
                f"ranges[{name!r}] must be (low, high). Received: {self.ranges[name]!r}."
            )
        low, high = (self._checked("ranges", name, one) for one in given)
        if low > high or (own.sampling != "linear" and low <= 0):
            least = "low <= high" if low > high else "low > 0, as it is sampled on a log scale"
            raise ArgumentError(
                f"ranges[{name!r}] must be (low, high) with {least}. Received: {given!r}."
            )
        usual = own.bounds(self.epochs)[-1]
        return low, high, min(max(usual, low), high)

    def _checked(self, argument: str, name: str, value: Any) -> Any:
        """The value, if it is in the hyperparameter's domain; an int for whole numbers."""
        called = f"{argument}[{name!r}]"
        own = self._usual()[name]
        if name == "lr0":
            return checks.learning_rate(called, value)
        if name in DOMAINS:
            return DOMAINS[name](called, value)
        if name == BATCH_SIZE:
            return searched_size(called, value, self.batch_sizes)
        if isinstance(own, Range) and own.kind == "int":
            return checks.integer(called, value, at_least=1)
        family, _, parameter = name.partition(".")
        domain: Callable[[str, Any], Any] = get(family).domains.get(parameter, checks.finite)
        checked = domain(called, value)
        if name == "warmup.epochs" and checked >= self.epochs:
            raise ArgumentError(
                f"{called} must be fewer epochs than the horizon, {self.epochs}. "
                f"Received: {called}={value!r}."
            )
        return checked


def parse_value(text: str) -> float | int | str:
    """A number if the text is one, else the text itself."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(text) if text.lstrip("+-").isdigit() else number


def exists(name: str, own: Range | Choice, values: Mapping[str, Any]) -> bool:
    """Whether a family's parameter exists beside the others' values, all by hyperparameter."""
    if own.only_if is None:
        return True
    other, value = own.only_if
    return bool(values.get(f"{name.partition('.')[0]}.{other}") == value)


def _unknown(argument: str, name: Any, known: list[str]) -> str:
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"{argument} must name hyperparameters of this search: {', '.join(known)}. "
        f"Received: {name!r}.{hint}"
    )


def _refuse_no_mapping(**arguments: Any) -> None:
    for argument, given in arguments.items():
        if not isinstance(given, Mapping):
            raise ArgumentError(
                f"{argument} must map hyperparameters to what to try for them. "
                f"Received: {argument}={given!r}."
            )


def _refuse_unsearchable(name: str) -> None:
    family = get_family(name)
    if not family.stands_alone:
        raise ArgumentError(
            f"families must name schedules, and {name!r} is made of another one: write 'cosine' "
            f"or '{PREFIX}cosine'. Received: {name!r}."
        )
    if "from_search" in vars(family):
        return
    ranged = {"lr0"} | {own.parameter for own in family.ranges}
    needed = [one.name for one in signature(family).parameters.values() if one.default is one.empty]
    if without := [own for own in needed if own not in ranged]:
        raise ArgumentError(
            f"The schedule family {name!r} cannot be searched: its class must declare a Range for "
            f"each parameter in `ranges`. Missing: {', '.join(without)}."
        )
