"""A Ray cluster of this machine for the tests of what runs on one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """A Ray that the program has started: runners use it and leave it running.

    It has room for four workers, as those of a runner keep their cores until it is closed.
    """
    import ray

    before = signal.getsignal(signal.SIGTERM)
    ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    signal.signal(signal.SIGTERM, before)  # Ray has put its own there
    yield
    ray.shutdown()
