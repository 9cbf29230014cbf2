"""The harness of this folder's tests, and the table at the end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.faults import tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.harness import Harness


@pytest.fixture(scope="session")
def tiny_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 60 + 20 images, 8x8, whose classes differ in brightness."""
    rng = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.arange(count) % 2
        x = rng.integers(0, 120, (count, 8, 8, 3)) + 100 * y[:, None, None, None]
        return x.astype(np.uint8), y.astype(np.uint8)

    (x_train, y_train), (x_test, y_test) = part(60), part(20)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line a class of faults."""
    lines = tally.table()
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
