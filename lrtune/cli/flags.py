"""Flags that are repeated with NAME=VALUE, and messages in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lrtune.errors import ArgumentError

FLAGS = {"ranges": "--range", "fixed": "--fix", "tries": "--try"}
"""Options that are repeated, whose flags are in the singular."""


def pairs(flag: str, given: list[str] | None) -> Iterator[tuple[str, str]]:
    """The names and values of NAME=VALUE."""
    for one in given or ():
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            raise ArgumentError(f"{flag} must be NAME=VALUE. Received: {one}")
        yield name, value


def in_flags(message: str) -> str:
    """A message about the arguments of `Space` in the words of the command line."""
    message = re.sub(r"Received: \w+\['[^']*'\]=", "Received: ", message)
    message = re.sub(r"\b(ranges|fixed|tries)\['([^']*)'\]", r"\1 \2", message)
    message = re.sub(r"\b(ranges|fixed|tries)\b", lambda found: FLAGS[found[1]], message)
    return re.sub("^families", "--families", message)
