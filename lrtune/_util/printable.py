"""Text from a file or a folder that somebody else made, safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text on one line, without a character that steers a terminal or forges a line.

    Blanks of any kind, line ends and tabs among them, become plain blanks. Any other character that
    is not printable is written as Python would write it (`\x1b`, `\u202e`): escape sequences (C0,
    DEL, C1), marks that turn the direction of writing round (U+202A to U+202E, U+2066 to U+2069),
    invisible ones, and halves of a surrogate pair, which cannot be encoded. So two names that
    differ look different, too.

    NOTE: rich.control.strip_control_codes takes out bell, backspace, vertical tab, form feed and
    carriage return alone; ESC passes it.

    Args:
        text: anything, any length.

    Returns:
        Text for which `str.isprintable` is true.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _shown(char) for char in text)


def _shown(char: str) -> str:
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
