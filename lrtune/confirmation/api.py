"""`lrtune.confirm`: is the best schedule of a search really better than a constant rate?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lrtune.confirmation.arms import choose_arms
from lrtune.confirmation.material import WHOLE, check_searched, given_material, loaded_material
from lrtune.confirmation.plan import (
    Design,
    check_seeds,
    continued,
    make_manifest,
    refuse_other_confirmation,
)
from lrtune.errors import ArgumentError
from lrtune.model.gpus import prepare_gpus
from lrtune.records.reader import read_run
from lrtune.run import load_run
from lrtune.runner.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrtune.confirmation.arms import Arms
    from lrtune.confirmation.material import Material
    from lrtune.display.observer import Observer
    from lrtune.records.reader import RunRecords
    from lrtune.records.schema import ConfirmManifest
    from lrtune.run import Run
    from lrtune.runner.ray import RayRunner


def confirm(
    run: str | os.PathLike[str] | Run,
    *fit_args: Any,
    validation_data: Any = None,
    test_data: Any = None,
    hypermodel: Any = None,
    data: str | None = None,
    top: int = 3,
    arms: Sequence[str] = (),
    design: str = "sequential",
    max_seeds: int | None = None,
    min_seeds: int | None = None,
    seeds: int | Sequence[int] | None = None,
    train_on: str = WHOLE,
    workers: int | None = None,
    trial_timeout: float = 3600.0,
    max_retries: int = 2,
    in_process: bool | None = None,
    workers_per_gpu: int = 1,
    runner: RayRunner | None = None,
    overwrite: bool = False,
    observer: Observer | None = None,
    verbose: int | str = "auto",
    **fit_kwargs: Any,
) -> Run:
    """Train the best of a search and the constant rate again, with fresh paired seeds, and test.

    The best trials are candidates. They race on the validation data, with fresh seeds; the best of
    them is then trained against the constant rate on the test data, seed by seed, until the answer
    is known: it is better, or that cannot be shown. One may stop at any time, and go on later.

    To confirm a search that a script ran, pass the script's data, as for `tuner.search`. The images
    of a search that `lrtune search` ran are loaded again.

    Args:
        run: the run folder, or what `load_run` returned.
        *fit_args: what to train on, as `keras.Model.fit` takes it: arrays, a `tf.data.Dataset`, a
            PyDataset, ...
        validation_data: as `keras.Model.fit` takes it, to choose among the candidates. Without it,
            the best trial of the search is tested. Arrays are trained on too, after the choice.
        test_data: what to test on, as `validation_data`; measured once per training, after its last
            epoch. Needed with `fit_args`.
        hypermodel: the search's `keras_tuner.HyperModel`; None for the cats-vs-dogs CNN.
        data: a data source instead of `fit_args`, as `--data` takes it; None for the search's own.
        top: int >= 1, how many candidates: the best trial of each family first.
        arms: ids of trials to confirm instead; a single one is tested without a choice.
        design: "sequential", or "fixed" to train all candidates, the reference and the plain
            constant rates with the same number of seeds, and to test each against the reference.
        max_seeds: int >= 1, the most pairs of a sequential test; None for 20.
        min_seeds: int >= 1, the pairs before which it does not give up; None for 4. Raise it to go
            on after an answer of "not shown".
        seeds: of the fixed design: int >= 6, how many, or the seeds themselves; None for 8. One
            seed means the same initial weights, image order and dropout for every arm.
        train_on: "train+validation" or "train": what to train on for the test.
        workers: as lrtune's tuners take it.
        trial_timeout: likewise.
        max_retries: likewise.
        in_process: likewise.
        workers_per_gpu: likewise.
        runner: likewise.
        overwrite: whether to erase an existing confirmation; otherwise it is resumed.
        observer: is notified of every event, and replaces the display.
        verbose: 0 for silence; otherwise a live display in a terminal, or elsewhere one line per
            finished training, and at the end `report.html` in the run folder.
        **fit_kwargs: as `keras.Model.fit` takes them: `class_weight`, `sample_weight`, ...

    Returns:
        The run with its confirmation: see `Run.comparison`.

    Raises:
        ArgumentError, RunFolderError, DataError: the run cannot be confirmed; the message says why.
    """
    options = RunOptions(workers, trial_timeout, max_retries, in_process, workers_per_gpu, runner)
    folder = run if isinstance(run, str | os.PathLike) else run.records.folder
    records = read_run(folder)
    layout = Design(design, seeds, max_seeds, min_seeds)
    choice = choose(records, layout, top, arms)
    if fit_args or fit_kwargs or test_data is not None or validation_data is not None:
        material = given_material(
            records.manifest, fit_args, test_data, fit_kwargs, validation_data, train_on
        )
    else:
        material = loaded_material(records.manifest, data, train_on)
    manifest = plan(records, layout, choice, material, overwrite=overwrite)
    prepare_gpus(workers=not options.trains_here)
    model = hypermodel or searched_hypermodel(records, material)
    check_searched(records.manifest, model, material)
    if overwrite or not is_finished(records, manifest):
        from lrtune.confirmation.train import Confirmation
        from lrtune.display.script import watching

        with watching(observer, verbose, records.folder, manifest) as seen:
            session = Confirmation(records.folder, manifest, model, material, options, seen)
            session.run(overwrite=overwrite)
    return load_run(folder)


def choose(records: RunRecords, design: Design, top: int, arms: Sequence[str]) -> Arms:
    """The arms; arguments as `confirm` takes them. Called before data are loaded.

    Raises:
        ArgumentError, RunFolderError: the run cannot be confirmed; the message says why.
    """
    if design.is_fixed and design.seeds is not None:
        check_seeds(design.seeds, records.manifest.seed)
    return choose_arms(records, top, arms, constants=design.is_fixed)


def plan(
    records: RunRecords, design: Design, arms: Arms, material: Material, *, overwrite: bool
) -> ConfirmManifest:
    """What a confirmation will train.

    Raises:
        RunFolderError: the run folder has a different confirmation, and `overwrite` is False.
    """
    found = records.confirmation.manifest if records.confirmation is not None else None
    asked = make_manifest(
        records,
        arms,
        design,
        material.train_on,
        material.record,
        chooses=material.choice is not None,
        attempt=0 if found is None else found.attempt + overwrite,
    )
    if found is None or overwrite:
        return asked
    refuse_other_confirmation(records.folder, found, asked)
    return continued(found, asked)


def is_finished(records: RunRecords, manifest: ConfirmManifest) -> bool:
    """Whether the run folder holds this confirmation, finished and intact.

    Args:
        records: of the run.
        manifest: as `plan` returns it: with more seeds than before, there is more to do.
    """
    found = records.confirmation.manifest if records.confirmation is not None else None
    if found is None or found.finished is None or records.notices:
        return False
    return (found.seeds, found.min_seeds) == (manifest.seeds, manifest.min_seeds)


def searched_hypermodel(records: RunRecords, material: Material) -> Any:
    """The hypermodel of a search that `lrtune search` ran.

    Raises:
        ArgumentError: a script ran it, with a hypermodel of its own.
    """
    manifest = records.manifest
    if manifest.data.argument is None:
        raise ArgumentError(
            "hypermodel must be given, as the search was run by a script: "
            "lrtune.confirm(run, x, y, test_data=(x_test, y_test), hypermodel=hypermodel)"
        )
    from lrtune.model import named

    if manifest.model.argument is not None:
        return named.searched_hypermodel(manifest, None, None)
    x, y = material.fit_args[:2]
    return named.searched_hypermodel(manifest, x.shape[1:], int(y.max()) + 1)
