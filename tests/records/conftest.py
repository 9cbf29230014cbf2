from __future__ import annotations

import pytest

from tests.runs import build_run


@pytest.fixture
def run(tmp_path):
    return build_run.small_run(tmp_path / "run")
