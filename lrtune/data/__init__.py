"""Loads images: CIFAR-10's cats and dogs, synthetic ones, an `.npz` file or a folder."""

from __future__ import annotations

from lrtune.data.dataset import Dataset, Split
from lrtune.data.load import load

__all__ = ["Dataset", "Split", "load"]
