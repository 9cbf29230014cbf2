from __future__ import annotations

import sys

import pytest

from lrtune._util.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("step(drop=0.5) ± [red] :smile: ü 猫", "step(drop=0.5) ± [red] :smile: ü 猫"),
        ("", ""),
        ("a\nb\tc\rd", "a b c d"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x07\x08\x00\x7f", "\\x07\\x08\\x00\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("\u2066\u2069\u200b\ufeff", "\\u2066\\u2069\\u200b\\ufeff"),
        ("\u2028\u2029\x85", "   "),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_control_characters_are_escaped(text, shown):
    assert printable(text) == shown


def test_every_character_becomes_printable():
    for start in range(0, sys.maxunicode + 1, 4096):
        text = "".join(map(chr, range(start, min(start + 4096, sys.maxunicode + 1))))
        shown = printable(text)
        assert shown.isprintable()
        shown.encode("utf-8")


def test_names_that_differ_invisibly_look_different():
    assert len({printable(f"step{char}") for char in ("", "\u200b", "\u2060", "\xad")}) == 4
