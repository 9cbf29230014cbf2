"""Shared by the tests of the data sources: small images, a private cache, no network."""

from __future__ import annotations

import numpy as np
import pytest

from lrtune.data.dataset import RawImages


@pytest.fixture
def notices() -> list[str]:
    """Collects the notices of a loader: pass `notices.append`."""
    return []


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder for this test only, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LRTUNE_CACHE", str(folder))
    return folder


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """The content of a good `.npz` file: 20 training and 6 test images of two classes."""
    rng = np.random.default_rng(7)
    return {
        "x_train": rng.integers(0, 256, (20, 4, 5, 3), dtype=np.uint8),
        "y_train": np.tile([0, 1], 10),
        "x_test": rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8),
        "y_test": np.tile([1, 0], 3),
    }


@pytest.fixture
def raw(arrays) -> RawImages:
    return RawImages(**arrays, class_names=("cat", "dog"), source="pets.npz")
