"""Which rooms there are, that a room imports only from those above it, and who starts TensorFlow.

The list of rooms is the one that CONTRIBUTING.md shows.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lrtune

ROOT = Path(lrtune.__file__).parent
CONTRIBUTING = ROOT.parent / "CONTRIBUTING.md"
HEAVY = ("tensorflow", "keras", "keras_tuner")
STAR = "★"

# Where CONTRIBUTING.md allows a way down: `Run.best_model` builds a model, and imports what does.
WAYS_DOWN = {("run", "model")}

# The Keras form of a schedule: imported when `Schedule.to_keras` is called, and only then.
KERAS_FORM = ("schedules.keras", "schedules.keras_private")


def rooms_of_contributing():
    """Room -> whether it never imports TensorFlow, from top to bottom."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    block = re.search(r"```text\nlrtune/\n(.*?)```", text, re.DOTALL)[1]
    lines = [re.match(rf"  (\w+) +({STAR}| ) ", line) for line in block.splitlines()]
    return {line[1]: line[2] == STAR for line in lines if line}


ROOMS = rooms_of_contributing()
RANK = {room: rank for rank, room in enumerate(ROOMS)}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def room_of(module):
    # `python -m lrtune.search` is an entry point, which stands below all rooms, wherever it lies.
    return "__main__" if module.endswith("__main__") else module.split(".")[0]


def imports(module, *, for_types=True):
    """All names that a module imports anywhere: late and for the type checker, too."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    if not for_types:
        blocks = [node for node in tree.body if isinstance(node, ast.If)]
        for block in blocks:
            if ast.unparse(block.test) == "TYPE_CHECKING":
                tree.body.remove(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            # `from lrtune import x` is an import of lrtune.x.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if node.module == "lrtune" else [node.module]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def rooms_imported(module):
    below = (name.split(".")[1] for name in imports(module) if name.startswith("lrtune."))
    return {room for room in below if room != room_of(module)}


def test_the_rooms_are_those_of_contributing():
    assert list(ROOMS)
    assert {room_of(name) for name in MODULES if name} == set(ROOMS)


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_a_module_imports_only_from_the_rooms_above_its_own(module):
    room = room_of(module)
    down = {one for one in rooms_imported(module) if RANK[one] >= RANK[room]}
    assert {(room, one) for one in down} <= WAYS_DOWN


def test_the_package_itself_loads_names_late_from_rooms_that_exist():
    assert rooms_imported("") <= set(ROOMS)


def light_modules():
    return [name for name in MODULES if ROOMS.get(room_of(name)) and name not in KERAS_FORM]


@pytest.mark.parametrize("module", light_modules())
def test_a_starred_room_names_tensorflow_nowhere_not_even_late(module):
    named = {name.split(".")[0] for name in imports(module, for_types=False)}
    assert named.isdisjoint(HEAVY)


def run(code):
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    return child.stdout.strip()


def test_no_module_of_a_starred_room_loads_tensorflow():
    names = [f"lrtune.{name}" for name in light_modules()]
    assert len(names) > 80
    offender = run(
        f"import importlib, sys\n"
        f"for name in {names}:\n"
        f"    importlib.import_module(name)\n"
        f"    found = [heavy for heavy in {HEAVY} if heavy in sys.modules]\n"
        f"    if found:\n"
        f"        sys.exit(print(name, 'imports', *found))\n"
    )
    assert offender == ""


def test_the_package_loads_its_schedules_without_tensorflow():
    found = run(
        "import sys, lrtune\n"
        "schedule = lrtune.schedules.StepDecay(lr0=.1, drop=.5, epochs_drop=10)\n"
        "dir(lrtune)\n"
        f"print(schedule(10.0), *[heavy for heavy in {HEAVY} if heavy in sys.modules])\n"
    )
    assert found == "0.05"


@pytest.mark.parametrize("command", ["search", "range-test", "confirm", "report", "export"])
def test_help_loads_no_tensorflow(command):
    found = run(
        "import sys\n"
        "from lrtune.__main__ import main\n"
        "try:\n"
        f"    main({command!r}, ['--help'])\n"
        "except SystemExit:\n"
        f"    print('loaded:', *[heavy for heavy in {HEAVY} if heavy in sys.modules])\n"
    )
    assert found.endswith("loaded:")


def test_every_public_name_can_be_had():
    assert [name for name in lrtune.__all__ if not hasattr(lrtune, name)] == []
    with pytest.raises(AttributeError) as error:
        lrtune.nothing  # noqa: B018 - the access is what raises
    assert str(error.value) == "module 'lrtune' has no attribute 'nothing'"
