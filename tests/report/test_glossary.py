from __future__ import annotations

from pathlib import Path

import pytest

from lrtune.report.glossary import GLOSSARY, explained

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("word", GLOSSARY)
def test_readme_has_the_same_glossary(word):
    text = " ".join(README.read_text(encoding="utf-8").split())

    assert f"- **{word}**: {GLOSSARY[word]}" in text


def test_the_first_use_of_a_word_leads_to_its_meaning():
    assert explained("Two arms of an arm.") == (
        f'Two <a class="term" href="#term-arm" title="{GLOSSARY["arm"]}">arms</a> of an arm.'
    )


def test_only_whole_words_are_explained():
    assert explained("an armchair, constant-tuned") == "an armchair, constant-tuned"


def test_the_text_is_escaped_and_printable():
    assert explained("<b>seed\x1b</b>").startswith("&lt;b&gt;<a ")
    assert explained("<b>seed\x1b</b>").endswith(">seed</a>\\x1b&lt;/b&gt;")
