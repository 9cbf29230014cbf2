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


def trained(manifest: ConfirmManifest, seeds: int) -> str:
    """What a confirmation trained and measured on which data, two sentences.

    Args:
        manifest: of the confirmation.
        seeds: int >= 0, how many there are of an arm.
    """
    data = manifest.data
    return (
        f"Each arm was trained from scratch for {count(manifest.epochs, 'epoch')} on "
        f"{counted(data, 'train')} ({manifest.train_on}) with "
        f"{count(seeds, 'fresh seed')}. The {metric(manifest)} was measured "
        f"once, after the last epoch, on {counted(data, 'test', 'test')}."
    )


def metric(manifest: ConfirmManifest) -> str:
    """What was measured on the test data: "accuracy"."""
    return manifest.objective.removeprefix("val_")


def reach(data: DataRecord) -> str:
    """What a confirmation says nothing about where its scores of single samples are unknown."""
    return (
        f"It is not known how each of the test {data.kind} was scored, so all this is about "
        f"further seeds on these test {data.kind} only."
    )
