"""The table of the situations names tests that exist, and every test of this folder once."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests import situations

HERE = Path(__file__).parent
ROWS = re.findall(r"^\| (.+?) \| (\S+?)::(\w+)(?:\[(.+)\])? \|$", situations.__doc__, re.MULTILINE)


def names_in(path):
    """Functions of a module, and keys of the dictionaries that it parametrizes tests with."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, ""
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            yield from ((node.targets[0].id, ast.literal_eval(key)) for key in node.value.keys)


def test_each_situation_has_one_test_and_each_test_one_situation():
    assert len(ROWS) == situations.__doc__.count("::")
    assert len({situation for situation, *_ in ROWS}) == len(ROWS) >= 25
    listed = {(HERE / path).resolve(): set() for _, path, _, _ in ROWS}
    for _, path, name, case in ROWS:
        assert (name, case) not in listed[(HERE / path).resolve()]
        listed[(HERE / path).resolve()].add((name, case))
    for path, tests in listed.items():
        found = set(names_in(path))
        assert tests <= found
        if path.parent == HERE:
            assert {one for one in found if one[0].startswith("test_")} == tests
