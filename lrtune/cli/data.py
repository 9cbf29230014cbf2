"""The data that `--data` names, loaded; and TensorFlow, started as a search needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune._util.references import check_reference, is_reference

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.search.given import Given


def runs_own_code(model: str | None, data: str) -> bool:
    """Whether `--model` or `--data` names a function of the user's; nothing is imported yet.

    Raises:
        ArgumentError: it names one that cannot be there, or a file that is no Python.
    """
    if model is not None:
        check_reference("--model", model)
    if is_reference(data):
        check_reference("--data", data)
    return model is not None or is_reference(data)


def load_given(
    source: str, console: Console, *, train: int | None = None, validation: int | None = None
) -> Given:
    """The data, with warnings on the console.

    Args:
        source: the value of `--data`; TensorFlow must have been started if it names a function.
        console: where to warn.
        train: how many images to train on, at most; None for all.
        validation: how many to validate on, likewise.

    Raises:
        ArgumentError, DataError: they cannot be loaded.
    """
    from lrtune.search import given

    if is_reference(source):
        return given.of_function("--data", source)
    from lrtune.data import load

    dataset = load(
        source, notify=lambda line: console.print(line, markup=False, style="bold yellow")
    )
    if train is not None or validation is not None:
        most = len(dataset.train), len(dataset.validation)
        dataset = dataset.subset(
            train=min(train or most[0], most[0]), validation=min(validation or most[1], most[1])
        )
    return given.of_images(dataset, source)


def what_is_trained(source: str, given: Given) -> str:
    """A sentence about the data."""
    record = given.record
    noun = record.kind
    kind = "Data" if is_reference(source) else "Images"
    if not record.sizes:
        return f"{kind}: {record.source}."
    sizes = record.sizes
    return (
        f"{kind}: {record.source}, {sizes['train']:,} to train, {sizes['validation']:,} to "
        f"validate, {sizes['test']:,} test {noun} left untouched."
    )


def start(*, workers: bool, own_code: bool, trains: bool = False, server: bool = True) -> None:
    """Starts TensorFlow with one thread.

    As in every worker, so that a trial's numbers do not depend on where it runs; and before a file
    of the user's starts it with all cores.

    Args:
        workers: whether there will be worker processes.
        own_code: whether code of the user's runs in this process, which may use all of Keras.
        trains: whether this process trains, too, so that it needs a GPU beside them.
        server: whether the workers are of this machine: their server then starts meanwhile.
    """
    from lrtune.model.start import UNUSED, import_tensorflow, start_tensorflow
    from lrtune.runner.forkserver import start_server

    if workers and server:
        start_server()
    import_tensorflow(without=() if own_code else UNUSED)
    start_tensorflow(threads=1, workers=workers and not trains)
