"""The page in a real browser: by mouse and keyboard, on a phone, in the dark, on paper."""

from __future__ import annotations

import re

import pytest

from tests.report.test_page import SHOWN

pytestmark = pytest.mark.long

WIDTHS = (360, 1400)
SCHEMES = ("light", "dark")


@pytest.mark.parametrize("name", ["3", "100", "hyperband", "3,000", "hostile"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_is_no_wider_than_its_window_and_shows_its_pictures(visit, name, width):
    page = visit(name, width).page

    assert page.evaluate("document.documentElement.scrollWidth") == width
    # An SVG that is refused or damaged has no width.
    broken = "[...document.images].filter((one) => !one.complete || !one.naturalWidth).length"
    assert page.evaluate(broken) == 0
    assert page.evaluate("document.images.length") >= 1


def test_words_in_pictures_can_be_read_on_a_phone(visit):
    page = visit("hyperband", 360).page

    widths = page.evaluate("[...document.querySelectorAll('.picture img')].map(one => one.width)")
    assert len(widths) > 5
    assert min(widths) >= 500  # as drawn or nearly: they scroll sideways


def test_of_3000_trials_fifty_are_shown_until_all_are_asked_for(visit):
    visited = visit("3,000")

    assert visited.page.get_by_text("3,000 trials", exact=True).is_visible()
    assert len(visited.names()) == 50
    visited.page.get_by_role("button", name="Show all 3,000").click()
    assert visited.page.locator("#trials tbody tr:visible").count() == 3000
    # Who pressed the button with the keyboard goes on from there.
    assert visited.page.evaluate("document.activeElement.textContent") == visited.names()[50]


def test_a_click_sorts_and_another_sorts_the_other_way(visit):
    visited = visit("100")
    ranked = visited.names()
    assert visited.state("rank") == "ascending"

    visited.sort("score").click()
    assert (visited.state("score"), visited.state("rank")) == ("descending", "none")
    assert visited.names() == ranked
    visited.sort("score").click()
    assert visited.state("score") == "ascending"
    assert visited.names()[0] != ranked[0]

    visited.sort("lr0").click()
    column = "#trials tbody tr:visible td:nth-of-type(6)"
    rates = [float(text) for text in visited.page.locator(column).all_inner_texts()]
    assert rates == sorted(rates)
    visited.sort("rank").click()
    assert visited.names() == ranked


def test_the_keyboard_sorts_filters_and_opens(visit):
    visited = visit("100")
    page = visited.page

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    visited.sort("trial").focus()
    page.keyboard.press("Enter")
    assert visited.names()[:2] == ["0000", "0001"]
    page.keyboard.press("Space")
    assert visited.names()[:2] == ["0099", "0098"]

    page.get_by_label("Family", exact=True).focus()
    page.keyboard.type("exp")
    found = visited.names()
    assert 0 < len(found) < 50
    assert page.locator("#shown").inner_text() == f"{len(found)} of 100 trials"
    families = page.locator("#trials tbody tr:visible td:nth-of-type(5)").all_inner_texts()
    assert {text.split()[0] for text in families} == {"exponential"}
    page.get_by_label("Status", exact=True).focus()
    page.keyboard.type("div")
    assert set(visited.names()) < set(found)

    page.locator("#trials tbody button:visible").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#trials tr.detail:visible").count() == 1


def test_a_word_of_the_glossary_is_explained_under_the_keyboard_and_leads_to_it(visit):
    page = visit("100").page
    word = page.locator("a.term", has_text="Confirmed").first
    shown = "(one) => getComputedStyle(one, '::after').content"

    assert word.evaluate(shown) == "none"
    page.locator("nav a").last.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Confirmed"
    meaning = word.get_attribute("title")
    assert word.evaluate(shown) == f'"{meaning}"'
    page.keyboard.press("Enter")
    assert page.url.endswith("#term-confirmed")
    assert page.locator("#term-confirmed dd").inner_text() == meaning


def test_a_trial_opens_to_its_curves_which_follow_its_row(visit):
    visited = visit("100")
    page = visited.page
    button = page.get_by_role("button", name="0071", exact=True)
    button.click()

    assert button.get_attribute("aria-expanded") == "true"
    detail = page.locator(f"#{button.get_attribute('aria-controls')}")
    charts = detail.get_by_role("img")
    labels = [charts.nth(n).get_attribute("aria-label") for n in range(charts.count())]
    assert [label.partition(":")[0] for label in labels] == [
        "val_accuracy of trial 0071", "learning rate of trial 0071",
    ]  # fmt: skip
    assert all(re.search(r": \S+ in epoch 1, \S+ in epoch 27\.$", label) for label in labels)

    visited.sort("trial").click()
    page.get_by_role("button", name="Show all 100").click()
    before = "(one) => one.previousElementSibling.cells[1].textContent"
    assert detail.evaluate(before) == "0071"
    button.click()
    assert not detail.is_visible()
    button.click()
    assert detail.is_visible()
    page.get_by_label("Status", exact=True).select_option("diverged")
    assert not detail.is_visible()


def test_scores_are_sorted_within_their_budget_alone(visit):
    visited = visit("hyperband")
    visited.sort("score").click()
    visited.page.get_by_role("button", name="Show all").click()

    cells = visited.page.locator("#trials tbody tr:visible").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    done = [row for row in cells if row[9] == "completed"]
    epochs = [int(row[8]) for row in done]
    assert epochs == sorted(epochs, reverse=True)
    for budget in set(epochs):
        scores = [float(row[2]) for row in done if int(row[8]) == budget]
        assert scores == sorted(scores, reverse=True)


def test_the_code_is_copied(visit):
    page = visit("100").page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the code").click()

    page.get_by_text("Copied", exact=True).wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import keras\n\nsteps_per_epoch = 157")


def test_without_javascript_the_table_is_there_and_no_control(visit):
    visited = visit("100", script=False)

    assert len(visited.names()) == 100
    assert visited.page.locator("button:visible, select:visible").count() == 0


def test_what_a_run_says_is_shown_as_text(visit):
    page = visit("hostile").page
    page.locator("#trials tbody button").nth(2).click()

    assert page.locator("#trials tr.detail p").first.inner_text() == SHOWN
    assert page.locator("script").count() == 2
    assert page.locator("#family option").nth(1).text_content() == SHOWN
    for row in (0, 1):
        page.locator("#trials tbody tr:not(.detail) button").nth(row).click()
    assert page.locator("#trials tr.detail:visible").count() == 3


def test_paper_has_no_controls_and_all_that_is_shown(visit, tmp_path):
    visited = visit("100", scheme="dark")
    page = visited.page
    page.get_by_role("button", name="0071", exact=True).click()
    page.emulate_media(media="print")

    assert page.locator(".control:visible, nav:visible").count() == 0
    assert page.locator("tr.detail svg:visible").count() == 2
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    avoids = "(row) => getComputedStyle(row).breakInside"
    assert page.locator("#trials tbody tr").first.evaluate(avoids) == "avoid"
    # Else Chromium does not repeat the headings on the table's other pages.
    shown = "(one) => getComputedStyle(one).display"
    assert visited.sort("rank").evaluate(shown) == "contents"
    content = page.pdf(format="A4")
    assert content.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 20


@pytest.mark.parametrize("name", ["3", "100", "3,000"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_no_accessibility_problem(visit, axe, name, width, scheme):
    page = visit(name, width, scheme).page
    page.locator("#trials tbody button").first.click()
    page.evaluate(axe)
    found = page.evaluate("axe.run().then((result) => result.violations)")

    assert [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found] == []
