"""The data of a search: images and labels in three parts, with a name and a fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune._util import checks

if TYPE_CHECKING:
    from numpy.typing import NDArray

SYNTHETIC_SOURCE = "synthetic"


@dataclass(frozen=True, eq=False)
class RawImages:
    """Images and labels as they come from a source, before validation is split off.

    Args:
        x_train: uint8 [n, h, w, c], or float32 [n, h, w, c] from 0 to 1 inclusive.
        y_train: int64 [n], class indices from 0 to k - 1.
        x_test: like `x_train`, of the same h, w and c.
        y_test: like `y_train`.
        class_names: k names, in the order of the class indices.
        source: where they came from, to show to people: "cifar10 (npm)", "pets.npz".
    """

    x_train: NDArray[Any]
    y_train: NDArray[np.int64]
    x_test: NDArray[Any]
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    source: str


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a dataset.

    Args:
        x: float32 [n, h, w, c], pixels from 0 to 1 inclusive.
        y: int64 [n], class indices from 0 to k - 1.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits: a search fits on `train`, scores on `validation` and never touches `test`.

    Args:
        train: the images to fit on.
        validation: the images a trial is scored on; the same images for every search seed.
        test: the images held back for the final comparison.
        class_names: k names, in the order of the class indices.
        source: where the images came from: "cifar10 (cache)", "cifar10 (keras)",
            "cifar10 (npm)", "synthetic", "pets.npz" (a file) or "pets/" (a folder).
        fingerprint: 16 hexadecimal digits of SHA-256; equal on every machine for the same
            images, labels and split, whatever the source.
    """

    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    source: str
    fingerprint: str

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        _, height, width, channels = self.train.x.shape
        return height, width, channels

    @property
    def num_classes(self) -> int:
        """The number of classes, 2 or more."""
        return len(self.class_names)

    @property
    def sizes(self) -> dict[str, int]:
        """The number of images by part: train, validation, test."""
        return {
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }

    @property
    def synthetic(self) -> bool:
        """Whether lrtune drew the images, so that results say nothing about photographs."""
        return self.source == SYNTHETIC_SOURCE

    def subset(self, *, train: int | None = None, validation: int | None = None) -> Dataset:
        """Return a smaller dataset with the same mix of classes, for a quick run.

        It takes the first images of each class, so a subset is the same every time and a larger one
        contains a smaller one. The test part stays whole.

        Args:
            train: int from `num_classes` to the number of training images, or None for all.
            validation: the same for the validation images.

        Returns:
            A dataset with another fingerprint, or this dataset itself if nothing was cut.

        Raises:
            ArgumentError: a size outside its domain.
        """
        parts = (
            _first_per_class(self.train, train, "train", self.num_classes),
            _first_per_class(self.validation, validation, "validation", self.num_classes),
        )
        if parts == (self.train, self.validation):
            return self
        cut = f"{self.fingerprint} {len(parts[0])} {len(parts[1])}"
        return dataclasses.replace(
            self,
            train=parts[0],
            validation=parts[1],
            fingerprint=hashlib.sha256(cut.encode()).hexdigest()[:16],
        )


def _first_per_class(part: Split, wanted: int | None, name: str, num_classes: int) -> Split:
    if wanted is None or wanted == len(part):
        return part
    checks.integer(name, wanted, at_least=num_classes, at_most=len(part))
    position = np.empty(len(part))
    for label in np.unique(part.y):
        members = np.flatnonzero(part.y == label)
        # Rank over count: cutting at any height keeps the mix. The first image of each class is
        # at 0, so no class is lost.
        position[members] = np.arange(len(members)) / len(members)
    chosen = np.sort(np.argsort(position, kind="stable")[:wanted])
    return Split(part.x[chosen], part.y[chosen])


def fingerprint(raw: RawImages, validation: NDArray[np.int64]) -> str:
    """Return 16 hexadecimal digits that change with any pixel, label or move between the parts.

    The split is hashed as the indices of the validation images, not as its seed and fraction, so
    that two machines whose splits differ for any reason never seem to have the same data.

    Args:
        raw: the images.
        validation: int64 [m], the indices of the training images used for validation.
    """
    digest = hashlib.sha256()
    arrays = (raw.x_train, raw.y_train, raw.x_test, raw.y_test, validation)
    for array in arrays:
        kind = "u1" if array.dtype == np.uint8 else "<f4" if array.dtype.kind == "f" else "<i8"
        # Little-endian and contiguous; on most machines this copies nothing.
        plain = np.ascontiguousarray(array, dtype=kind)
        digest.update(f"{kind}{plain.shape}".encode())
        digest.update(plain.data)
    return digest.hexdigest()[:16]
