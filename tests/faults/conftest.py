"""The harness of this folder's tests."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.harness import Harness


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory, tiny_images: Path) -> Iterator[Harness]:
    """Starts searches from a fork server."""
    if not hasattr(os, "fork") or sys.platform == "darwin":
        pytest.skip("the fork server needs Linux")
    from tests.faults.harness import Harness

    one = Harness(tmp_path_factory.mktemp("faults"), tiny_images)
    try:
        yield one
    finally:
        one.close()
