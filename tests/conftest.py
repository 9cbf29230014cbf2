"""Shared by all tests: a quiet TensorFlow, plots that need no display, the smallest images."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.faults import tally

if TYPE_CHECKING:
    from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("MPLBACKEND", "agg")
# pytest-xdist sets it for its workers, and a report would be broken at another width.
os.environ.pop("COLUMNS", None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for all tests; this one for some of them, where starting others takes longer.

    More than two hardly help: each imports TensorFlow, which takes 700 MB and 5 s, and the long
    level starts processes of its own. `-n 4` or `-n 0` decides otherwise.
    """
    whole = config.args == config.getini("testpaths")
    return 2 if whole and "not long" in config.option.markexpr else 0


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands over what a process of pytest-xdist has counted of the faults."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = tally.counts()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes it; a process that crashed has none."""
    if "faults" in getattr(node, "workeroutput", {}):
        tally.add(node.workeroutput["faults"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line a class of faults."""
    lines = tally.table()
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="module", autouse=True)
def freeze_what_is_imported() -> None:
    """Keeps the garbage collector from looking through TensorFlow.

    Keras collects garbage for each model, and statsmodels for each comparison. Looking through all
    that is imported takes .1 to .4 s each time: in four test files 30 of 64 CPU seconds, now 2.
    """
    gc.collect()
    gc.freeze()


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
