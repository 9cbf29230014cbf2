from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def at_a_terminal(monkeypatch):
    for name in ("CI", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
