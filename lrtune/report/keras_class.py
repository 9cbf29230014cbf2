"""A schedule as a short Keras class, made from the source of its family's formula."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any, cast

from lrtune.errors import ArgumentError
from lrtune.schedules import Schedule, shapes
from lrtune.schedules.derived import Derived

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_NEEDED = {
    "before", "feedback", "from_search", "get_config", "in_keras",
    "momentum_factor", "per_update",
}  # fmt: skip
"""Methods of a family that its rates do not need."""


def keras_class(schedule: Schedule) -> str:
    """Source of a subclass of Keras' LearningRateSchedule with this schedule's rates.

    It is called as the family's class and takes `steps_per_epoch`. It needs `keras`, and `math` and
    `pairwise` where it names them.

    Raises:
        ArgumentError: the source of a family of the user's own cannot be read.
    """
    parts = schedule.parts if isinstance(schedule, Derived) else (schedule,)
    try:
        classes = [_class(one) for one in parts]
    except (OSError, TypeError) as error:
        raise ArgumentError(
            f"the source of the schedule family {schedule.name!r} cannot be read. Use the code "
            "with lrtune instead"
        ) from error
    parts_used = _shapes("\n".join(classes))
    return "\n\n\n".join((*parts_used, *classes)) + "\n\n"


def keras_warmup(then: str, epochs: float, start: float) -> tuple[str, str]:
    """A short class that puts a linear warmup before one of Keras' own schedules.

    Args:
        then: source of that schedule. Its rate must not jump: the steps that it is asked for are
            not whole where the warmup's are not.
        epochs: float > 0, how long the rate rises, in epochs.
        start: float in [0, 1], the first rate as a share of the schedule's.

    Returns:
        Source of the class, and of the schedule made with it.
    """
    arguments = f"then={then},\nsteps={epochs!r} * steps_per_epoch,\nstart={start!r},\n"
    return _WARMUP, f"Warmup(\n{textwrap.indent(arguments, '    ')})"


_WARMUP = '''class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises in a line to the first rate of another schedule, which then begins."""

    def __init__(self, then, steps, start):
        self.then, self.steps, self.start = then, steps, start

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        risen = keras.ops.minimum(step / self.steps, 1.0)
        rate = self.then(keras.ops.maximum(step - self.steps, 0.0))
        return rate * (self.start + (1.0 - self.start) * risen)

    def get_config(self):
        return {"then": self.then, "steps": self.steps, "start": self.start}

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))

'''


def _shapes(source: str) -> list[str]:
    """Source of what some source needs of `lrtune.schedules.shapes`, constants first."""
    constants: list[str] = []
    functions: list[str] = []
    for name, value in reversed(vars(shapes).items()):  # what a function calls stands before it
        if inspect.isfunction(value) and f"{name}(" in source:
            functions.insert(0, _bare(value))
            source += functions[0]
    for name, value in vars(shapes).items():
        if name.isupper() and name in source:
            constants.append(f"{name} = {value!r}")
    return constants + functions


def _class(schedule: Schedule) -> str:
    fields = {k: v for k, v in schedule.get_config().items() if k not in ("name", "per_step")}
    if isinstance(schedule, Derived):
        fields["then"] = f"{type(schedule.then).__name__}(steps_per_epoch)"
    own = (f"self.{k} = {v if k == 'then' else repr(v)}" for k, v in fields.items())
    time = "t" if schedule.per_step else "xp.floor(t)"
    source = f'''
class {type(schedule).__name__}(keras.optimizers.schedules.LearningRateSchedule):
    """{schedule}; t is the time in epochs."""

    def __init__(self, steps_per_epoch):
        self.steps_per_epoch = steps_per_epoch
        {textwrap.indent(chr(10).join(own), " " * 8).lstrip()}

    def __call__(self, step):
        t = keras.ops.cast(step, "float64") / self.steps_per_epoch
        return keras.ops.cast(self.evaluate(t, keras.ops), "float32")

    def get_config(self):
        return {{"steps_per_epoch": self.steps_per_epoch}}

    def evaluate(self, t, xp):
        return self.formula({time}, xp)
'''.strip()
    methods = (textwrap.indent(_bare(one), "    ") for one in _methods(type(schedule)))
    return "\n\n".join((source, *methods))


def _methods(family: type[Schedule]) -> Iterator[Any]:
    """The functions of a family that its rates need, those that it overrides left out."""
    found: dict[str, Any] = {}
    for kind in family.__mro__:
        if issubclass(kind, Schedule) and kind is not Schedule:
            found = {**vars(kind), **found}
    for name, function in found.items():
        abstract = getattr(function, "__isabstractmethod__", False)
        unneeded = abstract or name.startswith("__") or name in _NOT_NEEDED
        if inspect.isfunction(function) and not unneeded:
            yield function


def _bare(function: Any) -> str:
    """A function's source without annotations, decorators, docstring and comments."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    node = cast("ast.FunctionDef", tree.body[0])
    node.decorator_list, node.returns = [], None
    for argument in node.args.args:
        argument.annotation = None
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:]
    return ast.unparse(tree)
