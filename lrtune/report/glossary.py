"""The words that a report uses in a meaning of their own, for the page and for README."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lrtune.report.words import NO_BREAK, unbroken

if TYPE_CHECKING:
    from markupsafe import Markup

GLOSSARY = {
    "arm": "One way of training that is compared with others over the same seeds: a schedule or a "
    "constant rate, with all its settings.",
    "baseline": "The constant learning rates that every schedule is compared with.",
    "budget": "The number of epochs that a trial is meant to train. Only trials with the full "
    "budget are ranked.",
    "confirmed": "Shown to beat the baseline when trained again with fresh seeds and scored on the "
    "test data.",
    "horizon": "The number of epochs that a schedule is laid out over.",
    "noise": "How much the score of the same training varies from seed to seed.",
    "rescaled": "Said of a short trial that goes through its whole schedule in fewer epochs, where "
    "others train only the first epochs of it.",
    "rung": "A stage of Hyperband: trials that train for the same number of epochs. The best of "
    "them go on to the next rung.",
    "seed": "The number that sets the initial weights, the order of the data and dropout. Another "
    "seed gives another score.",
}
"""Word -> what it means, in a sentence or two."""

_WORDS = re.compile(rf"\b({'|'.join(GLOSSARY)})(s?)\b", re.IGNORECASE)


def explained(text: str) -> Markup:
    """Text as HTML, with the first use of each of these words linked to the page's glossary.

    The meaning is also the link's title, which a browser shows under the pointer; page.css shows
    it under a link that has the keyboard's focus.

    Args:
        text: anything; it is escaped.
    """
    from markupsafe import Markup, escape

    seen: set[str] = set()

    def link(found: re.Match[str]) -> str:
        word = found[1].lower()
        if word in seen:
            return found[0]
        seen.add(word)
        return str(
            Markup('<a class="term" href="#term-{}" title="{}">{}</a>').format(
                word, GLOSSARY[word], found[0]
            )
        )

    escaped = str(escape(unbroken(text))).replace(NO_BREAK, "&nbsp;")
    return Markup(_WORDS.sub(link, escaped))  # noqa: S704 - escaped above
