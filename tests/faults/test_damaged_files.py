"""Any file of a run cut short, emptied or filled with garbage: reported in a line, and mended.

Two runs: a finished random search of the command line, and a Hyperband search that was killed
between its rungs. `report` is tried on each file of both at 20 random lengths, empty and with
garbage in it. The same command is given again for each kind of file: empty, with garbage, cut by
its last byte, and at a random length.
"""

from __future__ import annotations

import json
import shutil
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import result, searches
from tests.faults.harness import Tries, dice, finish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.harness import Harness

pytestmark = pytest.mark.long

LENGTHS = 20

RUNS = ["finished", "interrupted"]


class Damaged:
    """A run whose files are damaged, one a copy.

    Attributes:
        folder: the run.
        whole: result of an undisturbed run.
    """

    def __init__(self, harness: Harness, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.harness = kind, folder, harness
        if kind == "finished":
            self.whole = harness.undisturbed("command", self.job)
            shutil.copytree(harness.undisturbed_folder("command"), folder)
            return
        self.whole = harness.undisturbed("hyperband", self.job)
        # In the middle of the promoted trial: states are there, and a trial without an outcome.
        child = harness.run(self.job(folder), kill_at=123)
        assert child.wait() == -signal.SIGKILL, child.text()
        assert list(folder.glob("trial_*/state.npz"))

    def job(self, folder: Path) -> dict[str, Any]:
        if self.kind == "finished":
            return searches.cli(self.harness.images, folder)
        return searches.job("hyperband", folder)

    def files(self) -> list[Path]:
        """All files, relative; those of the same kind follow each other."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob("*")]
        found = [path for path in found if (self.folder / path).is_file()]
        return sorted(
            (path for path in found if not path.name.startswith(".lock")),
            key=lambda path: (len(path.parts), path.name, path),
        )

    def copy(self, folder: Path, name: Path, content: bytes) -> Path:
        """A copy in which one file holds something else."""
        shutil.copytree(self.folder, folder)
        (folder / name).write_bytes(content)
        return folder


@pytest.fixture(scope="module", params=RUNS)
def damaged(
    request: pytest.FixtureRequest, harness: Harness, tmp_path_factory: pytest.TempPathFactory
) -> Damaged:
    return Damaged(harness, request.param, tmp_path_factory.mktemp(request.param) / "run")


def damages(content: bytes, name: Path, lengths: int) -> Iterator[tuple[str, bytes]]:
    """What a file may hold in place of its content, and how to call that."""
    drawn = dice("damage", str(name))
    yield "empty", b""
    yield "garbage", drawn.randbytes(max(1, len(content)))
    yield "its last byte lost", content[:-1]
    for _ in range(lengths):
        length = drawn.randrange(max(1, len(content)))
        yield f"cut to {length} of {len(content)}", content[:length]


def test_a_damaged_file_is_reported_in_a_line(
    damaged: Damaged, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    tries = Tries(f"report of a damaged file, {damaged.kind} run")
    folder = tmp_path / "run"
    shutil.copytree(damaged.folder, folder)
    for name in damaged.files():
        path = folder / name
        content = path.read_bytes()
        for what, instead in damages(content, name, LENGTHS):
            path.write_bytes(instead)
            reported = partial(_report, folder, name, capsys, content, instead)
            tries.one(f"{name} {what}", reported)
        path.write_bytes(content)
    assert not tries.losses, f"{len(tries.losses)} lost:\n" + "\n".join(tries.losses)


def _report(
    folder: Path, name: Path, capsys: pytest.CaptureFixture[str], whole: bytes, now: bytes
) -> list[str]:
    from lrtune.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main("report", [str(folder)])
    out, err = capsys.readouterr()
    if ended.value.code == 2:
        one = err.count("\n") == 1 and name.name in err and out == ""
        return [] if one else [f"exit code 2 must be one line that names the file: {err!r}"]
    if ended.value.code not in (0, None) or err:
        return [f"exit code {ended.value.code}: {err!r}"]
    unread = name.name in ("state.npz", "tuner0.json", "report.html")
    if unread or _says_the_same(name, whole, now) or _is_named(name, out):
        return []
    return [f"the report does not name the file: {out[-800:]!r}"]


def _is_named(name: Path, out: str) -> bool:
    """Whether the report names a file; a terminal's lines are broken anywhere."""
    return str(name) in "".join(out.split()) or str(name) in out


def _says_the_same(name: Path, whole: bytes, now: bytes) -> bool:
    """Whether a file still tells what it told, as without its last line break."""
    if name.name == "epochs.jsonl":  # of a trial that goes on, whole lines may just not be there
        return not now.strip() or (now.endswith(b"\n") and whole.startswith(now))
    try:
        return bool(json.loads(whole) == json.loads(now))
    except ValueError:
        return False


def test_the_same_command_repairs_a_damaged_file(damaged: Damaged, tmp_path: Path):
    def attempt(number: int, name: Path, what: bytes) -> list[str]:
        folder = damaged.copy(tmp_path / str(number), name, what)
        whole = damaged.whole
        others = result.finished_trials(folder)
        others.pop(str(name), None)
        ended = damaged.harness.run(damaged.job(folder))
        if ended.wait() != 0:
            return [f"it did not continue: {ended.text()[-1500:]}"]
        trial = str(name.parent)
        found = result.result(folder, lenient=True)
        lost = {"epochs.jsonl": "epochs", "state.npz": "state"}.get(name.name)
        if lost and trial in whole:  # these, but not the scores
            found, whole = (result.without(one, trial, lost) for one in (found, whole))
        return result.run_twice(folder, others) + result.differences(found, whole)

    chosen = list(enumerate(_some_of_each_kind(damaged)))
    Tries(f"resume with a damaged file, {damaged.kind} run").assert_none_is_lost(
        (f"{name} {what}", lambda number=number, name=name, now=now: attempt(number, name, now))
        for number, (name, what, now) in chosen
    )


def _some_of_each_kind(damaged: Damaged) -> Iterator[tuple[Path, str, bytes]]:
    """Four damages of each kind of file, spread over the files of that kind."""
    kinds: dict[tuple[Any, ...], list[Path]] = {}
    for name in damaged.files():
        finished = (damaged.folder / name).with_name("outcome.json").exists()
        kinds.setdefault((name.parts[0].split("_")[0], name.name, finished), []).append(name)
    for names in kinds.values():
        for index in range(4):
            name = names[index % len(names)]
            content = (damaged.folder / name).read_bytes()
            what, now = list(damages(content, name, 1))[index]
            yield name, what, now


def test_a_finished_run_stays_as_it_is(harness: Harness, tmp_path: Path):
    whole = harness.undisturbed("command", lambda run: searches.cli(harness.images, run))
    folder = tmp_path / "run"
    shutil.copytree(harness.undisturbed_folder("command"), folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.json*") if path.is_file()}
    assert not finish(harness, searches.cli(harness.images, folder), folder, whole)
    after = {path: path.read_bytes() for path in before}
    assert before == after
