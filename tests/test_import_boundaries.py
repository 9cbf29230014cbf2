"""Which modules never import TensorFlow, and that a module imports only from those before it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lrtune

ROOT = Path(lrtune.__file__).parent
HEAVY = ("tensorflow", "keras", "keras_tuner")

# The way of the data: a module imports at its top only from those before it or from its own
# package. What stands on one line knows nothing of the others on it.
ORDER = (
    ("errors", "_version", "quiet", "printable", "memory"),
    ("npz",),
    ("schedules",),
    ("space",),
    ("data",),
    ("models", "adapter"),
    ("hypermodel",),
    ("oracles",),
    ("records",),
    ("given", "runner"),
    ("observer", "interrupts", "states", "resume"),
    ("loop", "tuner_arguments", "watching"),
    ("base_tuner",),
    ("tuners",),
    ("stats",),
    ("arms",),
    ("confirm_plan",),
    ("confirmation",),
    ("run",),
    ("plots",),
    ("cli",),
    ("report",),
    ("progress",),
    ("watch",),
    ("export",),
    ("search_options",),
    ("search", "confirm", "range_test"),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}

LIGHT = (
    "errors",
    "quiet",
    "printable",
    "memory",
    "npz",
    "cli",
    "schedules",
    "space",
    "records",
    "stats",
    "plots",
    "report",
    "progress",
    "export",
)
LIGHT_ALONE = (
    *(
        "arms",
        "confirm",
        "confirm_plan",
        "given",
        "interrupts",
        "observer",
        "run",
        "search",
        "states",
        "watch",
        "watching",
    ),
    *("runner", "runner.base", "runner.local", "runner.process"),
)
"""Of `runner`, what the driver needs; the worker trains."""


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def light_modules():
    """Those marked with a star in the design, as far as they exist."""
    return [
        name
        for name in MODULES
        if not name.endswith("__main__")
        and (name.partition(".")[0] in LIGHT or name in LIGHT_ALONE or not name)
    ]


def run(code):
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    return child.stdout.strip()


def test_what_needs_no_tensorflow_does_not_import_it():
    names = [f"lrtune.{name}".rstrip(".") for name in light_modules()]
    assert len(names) > 20
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


def test_every_public_name_can_be_had():
    assert [name for name in lrtune.__all__ if not hasattr(lrtune, name)] == []
    with pytest.raises(AttributeError) as error:
        lrtune.nothing  # noqa: B018 - the access is what raises
    assert str(error.value) == "module 'lrtune' has no attribute 'nothing'"


def imported_at_the_top(name):
    """The modules of lrtune that importing this one imports, by their names below `lrtune`."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    found = set()
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        pending += ast.iter_child_nodes(node)
    below = {one.removeprefix("lrtune.") for one in found if one.startswith("lrtune.")}
    return {one.split(".")[0] for one in below}


def test_every_module_has_its_place_in_the_order():
    assert {name.split(".")[0] for name in MODULES if name} <= set(RANK)


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_a_module_imports_only_from_those_before_it(name):
    package = name.split(".")[0]
    late = [
        other
        for other in imported_at_the_top(name)
        if other != package and RANK.get(other, -1) >= RANK[package]
    ]
    assert late == []


def test_the_package_itself_imports_nothing_but_its_version():
    assert imported_at_the_top("") == {"_version"}
