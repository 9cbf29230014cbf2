"""README says what is true: its commands are there, its Python runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import lrtune

README = Path(__file__).parents[1] / "README.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_first_commands_are_the_search_and_the_tests():
    first = blocks("sh")[0].splitlines()
    install = "python -m pip install -e '.[dev]' && "
    assert first == [
        f"{install}python -m lrtune.search --algo hyperband",
        f"{install}python -m pytest",
    ]


def test_the_interactive_lines_print_what_they_say():
    (shown,) = [block for block in blocks("python") if block.startswith(">>>")]
    example = doctest.DocTestParser().get_doctest(shown, {"keras": keras}, "README", None, None)
    assert doctest.DocTestRunner().run(example) == (0, 4)


def test_every_file_it_links_to_exists():
    links = re.findall(r"\]\(([^)]+)\)", README.read_text())
    files = [link for link in links if "://" not in link]
    assert files
    assert [link for link in files if not (README.parent / link).exists()] == []


@pytest.mark.long
def test_the_example_of_your_own_model_runs(tmp_path, monkeypatch):
    (example,) = [block for block in blocks("python") if "tuner.search(x, y" in block]
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, y = rng.random((80, 32, 32, 3), dtype="float32"), np.arange(80) % 2
    names = {"keras": keras, "lrtune": lrtune}
    for part in ("", "_val", "_test"):
        names |= {f"x{part}": x, f"y{part}": y}
    code = example.replace("27", "2").replace('"0007"', '"0000"')
    exec(compile(code, str(README), "exec"), names)  # noqa: S102 - README's own code
    run = lrtune.load_run("runs/own")
    assert run.best_trial_id
    assert run.comparison()["n"].min() >= 4  # pairs, before which the test does not give up
