"""The page and the files about clusters: what they tell people to type exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lrtune.cli import confirm, search
from tests.cli.command import options_of

FOLDER = Path(__file__).parents[2] / "examples" / "cluster"
COMMANDS = {"search": search.command, "confirm": confirm.command}


def typed():
    """(file, command, its options) of everything that begins with `lrtune`."""
    for path in sorted(FOLDER.iterdir()):
        for command, rest in re.findall(r"\blrtune (search|confirm)\b(.*)", path.read_text()):
            yield path.name, command, re.findall(r"--[a-z-]+", rest.split("#")[0])


def test_every_option_in_a_command_for_a_cluster_exists():
    found = list(typed())
    assert len(found) >= 7
    for name, command, options in found:
        unknown = set(options) - set(options_of(COMMANDS[command]))
        assert not unknown, (name, command, unknown)


def test_the_script_for_slurm_is_valid_shell():
    ended = subprocess.run(
        ["/bin/bash", "-n", FOLDER / "slurm.sh"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", ["cluster.yaml", "kuberay.yaml"])
def test_the_configurations_give_every_node_lrtune(name):
    yaml = pytest.importorskip("yaml")
    text = (FOLDER / name).read_text()
    assert isinstance(yaml.safe_load(text), dict)
    assert "lrtune" in text
