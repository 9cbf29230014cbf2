"""What a confirmation will train, and on which images; known before TensorFlow starts."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.data_record import describe_given
from lrtune.records.identity import installed
from lrtune.records.schema import ConfirmManifest, DataRecord, now
from lrtune.stats.power import fewest_seeds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lrtune.confirmation.arms import Arms
    from lrtune.data import Dataset
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import Manifest

WHOLE, TRAIN = "train+validation", "train"
"""What may be trained on."""


@dataclasses.dataclass(frozen=True)
class Images:
    """What a confirmation trains and tests on.

    Attributes:
        x, y: all that is trained on.
        x_test, y_test: looked at once a training.
        record: what to record of them.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    record: DataRecord


def confirm_seeds(seed: int, count: int) -> tuple[int, ...]:
    """The seeds of a confirmation: no others than these, and none that its search has used.

    Args:
        seed: int >= 0, the search's.
        count: int >= 1; a longer row begins with the shorter one.

    Returns:
        ints from 0 to 2**32 - 1.
    """
    drawn = (np.random.SeedSequence([seed, index, 3]).generate_state(1) for index in range(count))
    return tuple(int(one[0]) for one in drawn)


def make_manifest(
    manifest: Manifest, arms: Arms, seeds: Sequence[int], train_on: str, images: Images
) -> ConfirmManifest:
    """What a confirmation of a search compares."""
    return ConfirmManifest(
        arms=arms.values,
        trials=arms.trials,
        search_scores=arms.search_scores,
        baseline=arms.baseline,
        seeds=tuple(seeds),
        train_on=train_on,
        objective=_on_test_images(manifest.objective),
        direction=manifest.direction,
        epochs=manifest.max_epochs,
        batch_size=manifest.batch_size,
        data=images.record,
        versions=installed(),
        created=now(),
    )


def images_of(manifest: Manifest, data: Any, train_on: str) -> Images:
    """The images of a confirmation.

    Args:
        manifest: of the search.
        data: None, to load what the search was given; a data source in its place (the name or path
            that `--data` takes); or four arrays: x and y to train on, x and y to test on.
        train_on: "train+validation" or "train"; of no matter for four arrays.

    Raises:
        ArgumentError: an argument outside its domain, or none where the search's data cannot be
            loaded again.
        RunFolderError: the images are not the search's.
        DataError: they cannot be loaded.
    """
    if train_on not in (WHOLE, TRAIN):
        raise ArgumentError(f"train_on must be {WHOLE} or {TRAIN}. Received: {train_on}")
    if isinstance(data, tuple | list):
        return _given(data)
    source = data if data is not None else manifest.data.argument
    if source is None:
        raise ArgumentError(
            "data must be given, for the search got its arrays from a script: "
            "lrtune.confirm(run, hypermodel=..., data=(x, y, x_test, y_test))"
        )
    from lrtune.data import load

    dataset = load(source)
    sizes = manifest.data.sizes
    if dataset.fingerprint != manifest.data.fingerprint and {"train", "validation"} <= sizes.keys():
        dataset = _cut(dataset, sizes["train"], sizes["validation"])
    if dataset.fingerprint != manifest.data.fingerprint:
        raise RunFolderError(
            f"the images of {dataset.source} are not those of the search: fingerprint "
            f"{manifest.data.fingerprint} there, {dataset.fingerprint} here; name the search's "
            "with --data"
        )
    return _of_dataset(dataset, manifest, train_on)


def _cut(dataset: Dataset, train: int, validation: int) -> Dataset:
    """The dataset as `--quick` cut it."""
    if train > len(dataset.train) or validation > len(dataset.validation):
        return dataset
    return dataset.subset(train=train, validation=validation)


def _of_dataset(dataset: Dataset, manifest: Manifest, train_on: str) -> Images:
    if not len(dataset.test):
        raise ArgumentError(f"{dataset.source} has no test images to compare the arms on")
    x, y = dataset.train.x, dataset.train.y
    if train_on == WHOLE:
        x = np.concatenate([x, dataset.validation.x])
        y = np.concatenate([y, dataset.validation.y])
    sizes = {"train": len(x), "test": len(dataset.test)}
    record = dataclasses.replace(manifest.data, source=dataset.source, sizes=sizes)
    return Images(x, y, dataset.test.x, dataset.test.y, record)


def _given(data: Sequence[Any]) -> Images:
    if len(data) != 4:
        raise ArgumentError(
            "data must be four arrays: x, y, x_test, y_test. Received: a "
            f"{type(data).__name__} of {len(data)}"
        )
    x, y, x_test, y_test = data
    if not len(x_test):
        raise ArgumentError("data has no test images to compare the arms on")
    given = describe_given((x, y), {"validation_data": (x_test, y_test)})
    sizes = {"train": len(x), "test": len(x_test)}
    return Images(x, y, x_test, y_test, DataRecord("given to confirm()", given.fingerprint, sizes))


def refuse_other_confirmation(folder: Path, found: ConfirmManifest, asked: ConfirmManifest) -> None:
    """Raises RunFolderError with the first difference, and both values, if there is one."""
    pairs: dict[str, tuple[object, object]] = {
        "dataset fingerprint": (found.data.fingerprint, asked.data.fingerprint),
        "images to train on": (found.train_on, asked.train_on),
        "arms": (", ".join(found.arms), ", ".join(asked.arms)),
        "number of seeds": (len(found.seeds), len(asked.seeds)),
        "seeds": (found.seeds, asked.seeds),
        "hyperparameters of the arms": (_plain(found.arms), _plain(asked.arms)),
    }
    for what, (there, here) in pairs.items():
        if there != here:
            raise RunFolderError(
                f"run folder {folder} holds a confirmation with other {what}: {there} there, "
                f"{here} here; give the same to continue it, or pass --overwrite to begin anew. "
                "Adding seeds or arms after a look at the result would make its p-values too small"
            )


def _plain(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: dict(values) for name, values in arms.items()}


def _on_test_images(objective: str) -> str:
    """The objective as Keras names it for what is given as validation data: the test images."""
    return objective if objective.startswith("val_") else f"val_{objective}"


def check_seeds(seeds: int | Sequence[int], search_seed: int) -> tuple[int, ...]:
    """The seeds themselves.

    Args:
        seeds: how many, or which.
        search_seed: the search's.

    Raises:
        ArgumentError: fewer than 6, twice the same one, or no seed.
    """
    fewest = fewest_seeds(1)
    chosen = confirm_seeds(search_seed, seeds) if isinstance(seeds, int) else tuple(seeds)
    if len(chosen) < fewest:
        raise ArgumentError(
            f"seeds must be at least {fewest}: with fewer no two-sided sign-flip test can reach "
            f".05, for the least p-value of n pairs is 2 / 2**n. Received: {len(chosen)}"
        )
    twice = [seed for seed, count in Counter(chosen).items() if count > 1]
    if twice:
        raise ArgumentError(f"seeds must differ from one another. Received twice: {twice[0]}")
    for seed in chosen:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise ArgumentError(f"a seed must be an int from 0 to 2**32 - 1. Received: {seed!r}")
    return chosen


def cost_in_words(records: RunRecords, manifest: ConfirmManifest, workers: int | None) -> str:
    """What a confirmation takes, at the pace of the search's baseline, and what it cannot show.

    Args:
        records: of the search.
        manifest: of the confirmation; what an earlier try has trained is not counted again.
        workers: as for a search; None is taken for a worker a physical core.
    """
    arms, seeds = len(manifest.arms), len(manifest.seeds)
    done = records.confirmation.outcomes.values() if records.confirmation else ()
    left = arms * seeds - sum(map(len, done))
    epochs = left * manifest.epochs
    text = (
        f"{arms} arms x {seeds} seeds x {manifest.epochs} epochs, trained on "
        f"{manifest.data.sizes['train']:,} images ({manifest.train_on}): {epochs:,} epochs to train"
    )
    seconds = [
        epoch["seconds"]
        for arm in records.baseline.values()
        for outcome in arm
        for epoch in records.epochs(outcome.trial_id)
        if math.isfinite(epoch.get("seconds", math.nan))
    ]
    images = records.manifest.data.sizes.get("train")
    if seconds and images:
        import loky

        count = workers or int(loky.cpu_count(only_physical_cores=True))
        more = manifest.data.sizes["train"] / images
        minutes = epochs * statistics.median(seconds) * more / count / 60
        text += f", about {max(1, round(minutes))} min at the search's pace"
    fewest = fewest_seeds(arms - 1) if arms > 1 else 0
    if seeds < fewest:
        text += (
            f".\nNOTE: with {seeds} seeds and {arms - 1} comparisons no verdict is possible, "
            f"whatever the difference: that takes {fewest} seeds"
        )
    return text + "."
