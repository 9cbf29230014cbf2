"""Pages of typical runs in a real Chromium, driven by Playwright; skipped where either lacks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lrtune.records.reader import read_run
from lrtune.report.page import write_page
from tests.report.test_page import hostile_run
from tests.runs import make_run

RUNS = {
    "3": lambda folder: make_run.random_run(folder, 3),
    "100": lambda folder: make_run.confirm(make_run.random_run(folder, 100, tuned=True)),
    "hyperband": lambda folder: make_run.hyperband_run(folder, tuned=True),
    "3,000": lambda folder: make_run.random_run(folder, 3000, tuned=True),
    "hostile": hostile_run,
}


@pytest.fixture(scope="session")
def chromium():
    """A browser, for all tests one."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs Playwright: pip install playwright"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        # Chromium's sandbox does not start as root, as which containers run.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Name of a run -> its page's address; each written once."""
    folder = tmp_path_factory.mktemp("pages")
    pages = {}

    def write(name):
        if name not in pages:
            path = folder / f"{name}.html"
            write_page(read_run(RUNS[name](folder / f"run {name}")), path)
            pages[name] = path.as_uri()
        return pages[name]

    return write


class Visit:
    """A page that is open, and what it said and asked for."""

    def __init__(self, page):
        self.page, self.said, self.asked = page, [], []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def names(self):
        """Ids of the trials in the rows that are to be seen."""
        return self.page.locator("#trials tbody tr:not(.detail):visible th").all_inner_texts()

    def sort(self, name):
        """The button in a column's heading."""
        return self.page.locator("#trials thead").get_by_role("button", name=name, exact=True)

    def state(self, name):
        return self.page.locator("#trials thead th", has_text=name).get_attribute("aria-sort")


@pytest.fixture
def visit(chromium, written):
    """Opens the page of a run; afterwards it must have been silent, and asked nobody anything."""
    visits = []

    def open_page(name, width=1400, scheme="light", *, script=True):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme,
            java_script_enabled=script,
        )  # fmt: skip
        visited = Visit(context.new_page())
        visits.append((visited, context, written(name)))
        visited.page.goto(written(name))
        return visited

    yield open_page
    for visited, context, address in visits:
        context.close()
        assert visited.said == []
        assert {url for url in visited.asked if not url.startswith("data:")} == {address}


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, as `npm pack axe-core` brings it."""
    path = os.environ.get("LRTUNE_AXE")
    if not path:
        pytest.skip("needs axe-core: LRTUNE_AXE=path of its axe.min.js (npm pack axe-core)")
    return Path(path).read_text(encoding="utf-8")
