"""What a run was trained and measured on, in words: images, or samples of any other kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune.report.words import count

if TYPE_CHECKING:
    from lrtune.records.schema import ConfirmManifest, DataRecord


def counted(data: DataRecord, part: str, adjective: str = "") -> str:
    """How many there are in a part of the data: "2,000 test images"; "test images" if unknown.

    Args:
        data: as recorded.
        part: "train", "validation" or "test".
        adjective: what to call the part; empty for nothing.
    """
    noun = f"{adjective} {data.kind}".lstrip()
    size = data.sizes.get(part)
    return noun if size is None else count(size, noun.removesuffix("s"))


def trained(manifest: ConfirmManifest) -> str:
    """What a confirmation trained and measured on which data, two sentences."""
    data = manifest.data
    return (
        f"Each arm was trained from scratch for {count(manifest.epochs, 'epoch')} on "
        f"{counted(data, 'train')} ({manifest.train_on}) with "
        f"{count(len(set(manifest.seeds)), 'fresh seed')}. The {metric(manifest)} was measured "
        f"once, after the last epoch, on {counted(data, 'test', 'test')}."
    )


def metric(manifest: ConfirmManifest) -> str:
    """What was measured on the test data: "accuracy"."""
    return manifest.objective.removeprefix("val_")


def reach(data: DataRecord) -> str:
    """What a confirmation's intervals and p-values say nothing about."""
    return (
        f"Intervals and p-values describe how results vary over seeds on these test {data.kind} "
        f"only. Other {data.kind} may favour other arms, and more seeds cannot show that: of arms "
        "that are equally good on all images, 10 % (not 5 %) differ with p <= .05 on 2,000 fixed "
        "images (simulated with 8 seeds)."
    )
