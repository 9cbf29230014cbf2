"""How a source is refused: one line that names it, says what would be right and what was found."""

from __future__ import annotations

from lrtune._util.memory import free_bytes, gibibytes
from lrtune._util.printable import printable
from lrtune.errors import DataError

FLOAT_BYTES = 4
"""Training reads float32 pixels, a copy of the stored ones."""


def require(condition: object, rule: str, received: object) -> None:
    """Check a rule that a source must keep.

    Args:
        condition: whether the source keeps it.
        rule: names the source and says what would be right: "pets.npz: x_train must be uint8".
        received: what was found instead.

    Raises:
        DataError: the condition is false.
    """
    if not condition:
        raise DataError(f"{rule}. Received: {received}")


def check_memory(needed: int, where: str) -> None:
    """Check that images fit into memory, before any of them is read.

    Args:
        needed: int >= 0, bytes of all arrays together, float32 pixels included.
        where: the source, for the error message.

    Raises:
        DataError: more is needed than is free.
    """
    free = free_bytes()
    if needed > free:
        raise DataError(
            f"{where}: its images would take {gibibytes(needed)} of memory, and {gibibytes(free)} "
            "are free. Use fewer or smaller images"
        )


def reason(error: BaseException) -> str:
    """Return the message of an error on one line, or its type if it has no message."""
    return printable(" ".join(str(error).split())) or type(error).__name__
