"""What the user's code raised, in one line: its type, its own words, and the line it came from."""

from __future__ import annotations

import re
import sysconfig
import traceback
from pathlib import Path

from lrtune._util.printable import printable

_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_CALLED = re.compile(r"Exception encountered when calling [^\n]*\n+")
"""What Keras puts before a layer's own words; before its own again for each layer around it."""

_ARGUMENTS = re.compile(r"\n+Arguments received by .*", re.DOTALL)
_GRAPH = re.compile(r".*defined at \(most recent call last\):.*\n\n", re.DOTALL)
"""What TensorFlow puts before its own words: where each operation of the graph was made."""

_NODE = re.compile(r"\s*\[\[\{\{node .*", re.DOTALL)
_LONGEST = 300


def summary(error: BaseException) -> str:
    """An exception in one line: "ValueError: no such column (my_model.py, line 12)"."""
    name, words, own = type(error).__name__, own_words(str(error)), _own_line(error)
    return f"{name}{': ' if words else ''}{words}{f' ({own})' if own else ''}"


def whole(error: BaseException) -> str:
    """The same, and after a blank line the whole traceback."""
    return f"{summary(error)}\n\n{''.join(traceback.format_exception(error))}"


def summary_of(message: str | None) -> str:
    """The line of a recorded message that says what went wrong; "" for none.

    That is the first, but the last of a bare traceback, as lrtune recorded it before.
    """
    lines = [line.strip() for line in (message or "").splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def own_words(text: str) -> str:
    """What an exception says, without what Keras and TensorFlow say about where."""
    text = _GRAPH.sub("", _CALLED.sub("", _STYLES.sub("", text)))
    text = " ".join(_NODE.sub("", _ARGUMENTS.sub("", text)).split())
    text = printable(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3].rstrip()}..."


def _own_line(error: BaseException) -> str:
    """The last line of the traceback that is neither ours nor an installed package's."""
    ours = str(Path(__file__).parents[1])
    others = ("site-packages", "dist-packages", sysconfig.get_path("stdlib"), ours, "<")
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if not any(part in one.filename for part in others)]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""
