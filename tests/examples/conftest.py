"""Images for examples and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 240 + 40 images of the real size, whose classes differ in brightness."""
    rng = np.random.default_rng(0)
    parts = {}
    for part, count in (("train", 240), ("test", 40)):
        y = np.arange(count) % 2
        x = rng.integers(0, 120, (count, 32, 32, 3)) + 100 * y[:, None, None, None]
        parts |= {f"x_{part}": x.astype(np.uint8), f"y_{part}": y.astype(np.uint8)}
    path = tmp_path_factory.mktemp("data") / "pets.npz"
    np.savez(path, **parts)
    return path
