"""What people copy, from README, the examples and the notebooks, uses public names only."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import lrtune

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PUBLIC = {"lrtune": lrtune.__all__, "lrtune.schedules": lrtune.schedules.__all__}


def code_of(path):
    """All Python of a file; magics and the prompts of interactive examples removed."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        return "\n".join("".join(cell["source"]) for cell in cells)
    if path.suffix == ".md":
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        typed = [
            re.sub(r"^(?!>>> ).*\n", "", one, flags=re.M) if ">>>" in one else one for one in blocks
        ]
        return "\n".join(typed).replace(">>> ", "")
    return text


def names_used(code):
    """(module, name) of everything below `lrtune` that the code imports or looks up."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "lrtune":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("lrtune.")]
            yield from (tuple(name.rsplit(".", 1)) for name in names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in PUBLIC:
            yield ast.unparse(node.value), node.attr


SOURCES = [
    README,
    *sorted((ROOT / "examples").glob("*.py")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_what_people_copy_uses_public_names_only(path):
    used = set(names_used(code_of(path)))
    assert used or path.name == "my_model.py"  # it needs Keras alone
    assert {one for one in used if one[1] not in PUBLIC.get(one[0], ())} == set()


def test_every_name_in_the_text_of_readme_is_public():
    named = set(re.findall(r"`(?:[\w ]+ = )?lrtune\.(\w+)", README.read_text(encoding="utf-8")))
    assert {"Hyperband", "start_tensorflow"} <= named
    assert named <= set(lrtune.__all__)


@pytest.mark.parametrize(
    "line",
    [
        "from lrtune.model.cnn import cats_vs_dogs_cnn",
        "import lrtune.schedules.keras",
        "from lrtune import data",
        "lrtune.model.start.start_tensorflow()",
    ],
)
def test_a_name_that_is_not_public_is_found(line):
    assert {name for module, name in names_used(line) if name not in PUBLIC.get(module, ())}
