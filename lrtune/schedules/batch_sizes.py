"""The batch size as a hyperparameter: what may be searched, and what a person types for it."""

from __future__ import annotations

from typing import Any

from lrtune._util import checks
from lrtune.errors import ArgumentError

BATCH_SIZE = "batch_size"
"""The hyperparameter's name, which a model's own may have only where it is not searched."""


def batch_sizes_of(asked: Any) -> tuple[int, ...]:
    """The batch sizes to search.

    Args:
        asked: a list or tuple of ints >= 1, at least one; None for a batch size that is not
            searched.

    Returns:
        Each size once, in the order given; empty for None.

    Raises:
        ArgumentError: anything else.
    """
    if asked is None:
        return ()
    if not isinstance(asked, list | tuple) or not asked:
        raise ArgumentError(
            "batch_size must be a list of ints >= 1 to search among, at least one; a batch size "
            "that is not searched is an argument of search, as of fit. Received: "
            f"batch_size={asked!r}."
        )
    sizes = (checks.integer(f"batch_size[{at}]", one, at_least=1) for at, one in enumerate(asked))
    return tuple(dict.fromkeys(sizes))


def parse_batch_sizes(flag: str, text: str | int) -> tuple[int, ...]:
    """The batch sizes in one line: "64" or, to search them, "32,64,128".

    Args:
        flag: what gave the text, for messages.
        text: ints >= 1, separated by commas, at least one.

    Raises:
        ArgumentError: anything else.
    """
    try:
        found = [int(part) for part in str(text).split(",")]
    except ValueError:
        raise ArgumentError(
            f"{flag} must be an integer >= 1, or several, separated by commas, to search them. "
            f"Received: {text}"
        ) from None
    return tuple(dict.fromkeys(checks.integer(flag, one, at_least=1) for one in found))


def searched_size(argument: str, value: Any, sizes: tuple[int, ...]) -> int:
    """A batch size that is one of those that are searched: an oracle knows no others.

    Raises:
        ArgumentError: it is not one of them.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value in sizes:
        return value
    raise ArgumentError(
        f"{argument} must be one of the batch sizes that are searched "
        f"({', '.join(map(str, sizes))}). Received: {argument}={value!r}."
    )
