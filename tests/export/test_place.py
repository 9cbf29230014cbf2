from __future__ import annotations

import os
from pathlib import Path

import pytest

from lrtune.errors import ArgumentError
from lrtune.export.place import beside, whole


def placed(out, *, folder=True, overwrite=False):
    return whole(out, files=("ours*", "*/ours*") if folder else (), overwrite=overwrite)


def write(out, text="new", **options):
    with placed(out, **options) as path:
        (path / "ours.txt" if path.is_dir() else path).write_text(text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("folder", [True, False])
def test_an_export_appears_only_when_it_is_complete(tmp_path, folder):
    out = tmp_path / "made" / "out"
    with placed(out, folder=folder) as path:
        assert not out.exists()
        (path / "ours.txt" if folder else path).write_text("new")
    assert (out / "ours.txt" if folder else out).read_text() == "new"
    assert names(out.parent) == ["out"]


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_export_leaves_the_earlier_one_intact(tmp_path, folder, error):
    out = tmp_path / "out"
    write(out, "old", folder=folder)

    def cut_off():
        with placed(out, folder=folder, overwrite=True) as path:
            (path / "ours.txt" if folder else path).write_text("half")
            raise error

    with pytest.raises(error):
        cut_off()
    assert (out / "ours.txt" if folder else out).read_text() == "old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("folder", [True, False])
def test_an_export_is_replaced_only_with_overwrite(tmp_path, folder):
    out = tmp_path / "out"
    write(out, "old", folder=folder)
    with pytest.raises(ArgumentError) as error:
        write(out, folder=folder)
    assert str(error.value) == f"--out '{out}' exists already: --overwrite replaces it."
    write(out, folder=folder, overwrite=True)
    assert (out / "ours.txt" if folder else out).read_text() == "new"
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_may_exist_already(tmp_path):
    write(tmp_path)
    assert names(tmp_path) == ["ours.txt"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_with_a_foreign_file_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "theirs.txt").write_text("dear")
    with pytest.raises(ArgumentError) as error:
        write(tmp_path, overwrite=overwrite)
    assert str(error.value) == (
        "--out must be an empty folder, an earlier export, or not exist yet. Received: "
        f"'{tmp_path}', which holds 'theirs.txt'."
    )
    assert (tmp_path / "deep" / "theirs.txt").read_text() == "dear"


def test_links_pipes_and_the_wrong_kind_of_path_are_never_replaced(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name, folder, kind in [
        ("file", True, "something else"),
        ("link", True, "a link"),
        ("link", False, "a link"),
        ("pipe", False, "something else"),
        ("", False, "something else"),
    ]:
        with pytest.raises(ArgumentError, match=f", which is {kind}\\."):
            write(tmp_path / name, folder=folder, overwrite=True)


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("name", ["file/out", "x" * 300])
def test_a_path_that_cannot_be_written_is_an_error(tmp_path, folder, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="--out must be a path that can be written"):
        write(tmp_path / name, folder=folder)


def test_the_default_path_is_next_to_the_run_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert beside("runs/a.b/", "-csv") == Path("runs/a.b-csv")
    assert beside("runs/x/..", "-csv") == Path("runs-csv")
    assert beside(".", "-optuna.db") == Path(f"{tmp_path}-optuna.db")
