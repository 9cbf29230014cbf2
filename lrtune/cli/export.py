"""`lrtune export RUN --to FORMAT`: writes a run in a format that other tools read."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune._util.printable import printable
from lrtune.cli import app as cli
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.reader import RunRecords

PROG = "lrtune export"


@dataclass(frozen=True)
class Format:
    """A format that a run can be exported to.

    Attributes:
        writer: module and function that write it: `write(records, path)` returns what it wrote.
        ending: of the default path, after the run folder's name.
        files: patterns of the files in the folder that is written; none if it is a single file.
        needs: the optional package that must be installed.
        opened_by: the command that shows it; `{path}` stands for the export's path.
    """

    writer: str
    ending: str
    files: tuple[str, ...] = ()
    needs: str | None = None
    opened_by: str | None = None


FORMATS = {
    "csv": Format("tables:write_csv", "-csv", ("trials.csv", "epochs.csv")),
    "parquet": Format(
        "tables:write_parquet", "-parquet", ("trials.parquet", "epochs.parquet"), needs="pyarrow"
    ),
    "optuna": Format(
        "optuna_study:write_study",
        "-optuna.db",
        needs="optuna",
        opened_by="optuna-dashboard sqlite:///{path}",
    ),
    "tensorboard": Format(
        "event_files:write_tensorboard",
        "-tensorboard",
        ("*/events.out.tfevents.*.lrtune",),
        opened_by="tensorboard --logdir {path}",
    ),
}


def export(
    run: cli.RunFolder,
    to: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")],
    out: Annotated[
        str | None,
        typer.Option(
            help="Path of the export: a folder, or a file for optuna.",
            show_default="next to the run folder: RUN-csv, RUN-optuna.db, ...",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the export that is there.")
    ] = False,
) -> None:
    """Write a run in a format that other tools read.

    csv and parquet are two tables, trials and epochs, that include the baseline and the
    confirmation. optuna is a study in an SQLite file. tensorboard is a folder of event files.
    """
    form = FORMATS.get(to)
    if form is None:
        raise ArgumentError(f"--to must be one of {', '.join(FORMATS)}. Received: {to!r}.")
    if out == "":
        raise ArgumentError("--out must be a path. Received: ''.")

    from lrtune.export.place import beside, whole
    from lrtune.records.reader import read_run

    records = read_run(run)
    path = beside(run, form.ending) if out is None else Path(out)
    with whole(
        Path(os.path.abspath(path)),  # noqa: PTH100 - resolve() would follow a link
        files=form.files,
        overwrite=overwrite,
    ) as temporary:
        written = _writer(to, form)(records, temporary)
    for notice in records.notices:
        typer.echo(printable(f"{PROG}: {notice}"), err=True)
    typer.echo(printable(f"Wrote {written} to {path}."))
    if form.opened_by is not None:
        typer.echo(printable(f"Open it with: {form.opened_by.format(path=shlex.quote(str(path)))}"))


def _writer(to: str, form: Format) -> Callable[[RunRecords, Path], str]:
    """The function that writes; imports what it needs.

    Raises:
        ArgumentError: a package is missing.
    """
    if form.needs is not None:
        try:
            importlib.import_module(form.needs)
        except ImportError as error:
            raise ArgumentError(
                f"--to {to} needs the package {form.needs}, which cannot be imported ({error}). "
                f"Install it: python -m pip install {form.needs}"
            ) from error
    writer: Callable[[RunRecords, Path], str] = pkgutil.resolve_name(f"lrtune.export.{form.writer}")
    return writer
