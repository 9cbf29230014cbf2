"""Text from a file or a folder that somebody else made, safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text on one line, without characters that control a terminal or fake a line.

    White space of any kind, including line ends and tabs, becomes blanks. Any other character that
    is not printable is escaped as in Python (`\x1b`, `\u202e`): control characters (C0, DEL, C1),
    marks that change the direction of writing (U+202A to U+202E, U+2066 to U+2069), invisible
    characters, and lone surrogates, which cannot be encoded. Names that differ also look different.

    NOTE: rich.control.strip_control_codes removes only bell, backspace, vertical tab, form feed and
    carriage return, but not ESC.

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
