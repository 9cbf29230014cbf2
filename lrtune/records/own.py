"""Which files of a run folder are lrtune's or Keras Tuner's: no others are ever removed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from lrtune._util.atomic import TEMPORARY
from lrtune._util.inside import plain_folder
from lrtune.records import schema
from lrtune.records.folders import arm_ids, trial_ids
from lrtune.records.ids import BASELINE, BASELINE_SEARCH, CHOICE, CONFIRM, folder_of
from lrtune.records.lock import HOLDER, LOCK
from lrtune.records.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OF_A_RUN = (schema.MANIFEST, schema.ORACLE, schema.TUNER, schema.PAGE)
_OF_A_TRAINING = (schema.OUTCOME, schema.EPOCHS, schema.STATE, schema.TRIAL_FILE, SAMPLES)


def own_files(folder: Path) -> Iterator[Path]:
    """Every file that a search or a confirmation wrote, temporary ones too; the lock's are not."""
    yield from _present(folder, "", _OF_A_RUN)
    for training in _trainings(folder):
        yield from _present(folder, training, _OF_A_TRAINING)
    yield from _present(folder, CONFIRM, (schema.CONFIRM_MANIFEST,))
    if _is_plain(folder, BASELINE_SEARCH) and (folder / BASELINE_SEARCH).is_dir():
        yield from own_files(folder / BASELINE_SEARCH)


def remove_own(folder: Path, below: str = "") -> None:
    """Deletes lrtune's files, and the folders that are empty then.

    Args:
        folder: the run folder.
        below: only files below this folder of it; all of them if empty.

    Raises:
        OSError: one of them cannot be deleted.
    """
    start = folder / below
    found = [path for path in own_files(folder) if path.is_relative_to(start)]
    for path in found:
        path.unlink()
    folders = {parent for path in found for parent in path.parents if parent.is_relative_to(start)}
    folders |= {folder / name for name in _trainings(folder)}
    for path in sorted(folders - {folder}, key=lambda one: len(one.parts), reverse=True):
        if path.is_relative_to(start):
            with contextlib.suppress(OSError):  # somebody else's file is in it
                path.rmdir()


def foreign_names(folder: Path) -> list[str]:
    """What else is in a run folder, relative to it: files, links, and folders with nothing of ours.

    Returns:
        Names in alphabetical order; the topmost folder where all in it is foreign.
    """
    lock = (LOCK, HOLDER, HOLDER + TEMPORARY)
    known = {*own_files(folder), *(folder / name for name in lock)}
    known |= {parent for path in known for parent in path.parents}
    known |= {folder / name for name in _trainings(folder)}
    known |= {folder / name for name in (BASELINE, CHOICE, CONFIRM, BASELINE_SEARCH)}
    return sorted(str(path.relative_to(folder)) for path in _strange(folder, known))


def _strange(folder: Path, known: set[Path]) -> Iterator[Path]:
    for path in folder.iterdir():
        if path not in known:
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _strange(path, known)


def _trainings(folder: Path) -> list[str]:
    """The folders of trainings, those below links left out."""
    arms = [arm for kind in (BASELINE, CHOICE, CONFIRM) for arm in arm_ids(folder, kind)]
    names = [*map(folder_of, trial_ids(folder)), *(arm.folder for arm in arms)]
    return [name for name in names if _is_plain(folder, name)]


def _present(folder: Path, where: str, names: tuple[str, ...]) -> Iterator[Path]:
    if not _is_plain(folder, where):
        return
    wanted = {*names, *(f"{name}{TEMPORARY}" for name in names)}
    found: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder / where) as entries:
        found += [one.name for one in entries if one.is_file(follow_symlinks=False)]
    yield from (folder / where / name for name in found if name in wanted)


def _is_plain(folder: Path, name: str) -> bool:
    try:
        plain_folder(folder, name)
    except (OSError, ValueError):
        return False
    return True
