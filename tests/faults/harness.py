"""Starts, disturbs and continues searches, and holds their results against an undisturbed run's."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.faults import result, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parents[2]

MARK = "LRTUNE_FAULTS_CHILD"
"""Environment variable that a search hands down to all processes that it starts."""

_HEARS_CTRL_C = ("env", "--default-signal=INT,HUP")
"""Starts a command as a terminal does, even where the tests run in the background: there the shell
ignores SIGINT, `nohup` ignores SIGHUP, and so does every process started from them."""

PATIENCE = 180.0
"""Seconds for anything that must happen; a machine that is busy takes ten times its usual time."""


POLL = 0.05
"""Seconds between two looks. Each reads the run folder or all processes: every .01 s, these tests
spent .3 of a processor on looking."""


LEAVES = 15.0
"""Seconds within which all processes of a search must be gone."""


@dataclass
class Child:
    """A search that was started.

    Attributes:
        process: its number.
        output: what it prints, errors among it, goes to this file.
        code: its exit code, negative for a signal's number.
        mark: in the environment of every process that it starts.
        temporary: its TMPDIR.
    """

    process: int
    output: Path
    code: Future[int]
    mark: str
    temporary: Path

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code, when it has ended."""
        return self.code.result(timeout=seconds)

    @property
    def ended(self) -> bool:
        return self.code.done()

    def text(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def signal(self, number: int, *, group: bool = False) -> None:
        """Sends a signal, to all that the terminal would send it to where `group` is true."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process, number)

    def descendants(self) -> list[psutil.Process]:
        """All living processes that it started, directly or not."""
        found = []
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if one.pid != self.process and one.environ().get(MARK) == self.mark:
                    found.append(one)
        return [one for one in found if _lives(one)]

    def workers(self) -> list[psutil.Process]:
        """Its worker processes: those that its fork server started, not what they start."""
        return self._from_servers(forked=True)

    def servers(self) -> list[psutil.Process]:
        """Its fork server, as soon as it lives."""
        return self._from_servers(forked=False)

    def _from_servers(self, *, forked: bool) -> list[psutil.Process]:
        """Fork servers, or what is forked from them: they have the same command line."""
        found = {}
        for one in self.descendants():
            with contextlib.suppress(psutil.Error):
                if "multiprocessing.forkserver" in " ".join(one.cmdline()):
                    found[one] = one.ppid()
        servers = [one.pid for one in found]
        return [one for one, parent in found.items() if (parent in servers) == forked]


class Harness:
    """All that the tests of one session share.

    Args:
        folder: for outputs and temporary files.
        images: an .npz for the command line.
    """

    def __init__(self, folder: Path, images: Path) -> None:
        self.folder, self.images = folder, images
        self._numbers = itertools.count()
        self._zygote = _Zygote(folder)
        self._undisturbed: dict[str, dict[str, Any]] = {}
        self._durations: dict[str, float] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self._zygote.close()

    def start(
        self, job: dict[str, Any], env: dict[str, str] | None = None, **request: Any
    ) -> Child:
        """Starts a job from the fork server.

        Args:
            job: see `searches`.
            env: environment variables.
            **request: kill_at, copies, pictures, stdout: see `zygote`.
        """
        child = self._child()
        request |= {"job": job, "env": self._environment(child) | (env or {})}
        request |= {"output": str(child.output), "cwd": str(child.temporary)}
        child.process, child.code = self._zygote.fork(request)
        return child

    def run(self, job: dict[str, Any], **request: Any) -> Child:
        """Does a job to its end, whatever that is."""
        child = self.start(job, **request)
        child.wait()
        return child

    def start_command(
        self, *arguments: object, module: str = "lrtune.search", before: str = ""
    ) -> Child:
        """Starts the real command line, as a person does.

        Args:
            *arguments: of the command.
            module: its name.
            before: a shell command that makes something scarce for it; it may mount.
        """
        child = self._child()
        shell = ["sh", "-c", f'{before}; exec "$0" "$@"'] if before else []
        if "mount " in before:
            shell = ["unshare", "--mount", *shell]
        environment = os.environ | self._environment(child)
        with child.output.open("wb") as output:
            process = subprocess.Popen(
                [*shell, *_HEARS_CTRL_C, sys.executable, "-m", module, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=ROOT,
                start_new_session=True,  # a process group of its own, as in a terminal
            )
        child.process = process.pid
        waiting = threading.Thread(
            target=lambda: child.code.set_result(process.wait()), daemon=True
        )
        waiting.start()
        return child

    def undisturbed(self, name: str, job: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
        """The result of a search that nothing disturbs; made once for each name."""
        with self._lock:
            if name not in self._undisturbed:
                folder = self.folder / "undisturbed" / name
                started = time.monotonic()
                ended = self.run(job(folder))
                assert ended.wait() == 0, ended.text()
                self._durations[name] = time.monotonic() - started
                self._undisturbed[name] = result.result(folder)
            return self._undisturbed[name]

    def duration(self, name: str) -> float:
        """Seconds that an undisturbed run took."""
        return self._durations[name]

    def undisturbed_folder(self, name: str) -> Path:
        """Where that run is; to be copied, not changed."""
        return self.folder / "undisturbed" / name

    def _child(self) -> Child:
        number = next(self._numbers)
        temporary = self.folder / f"tmp-{number}"
        temporary.mkdir()
        mark = f"{os.getpid()}-{number}"
        return Child(0, self.folder / f"output-{number}.txt", Future(), mark, temporary)

    @staticmethod
    def _environment(child: Child) -> dict[str, str]:
        return {MARK: child.mark, "TMPDIR": str(child.temporary), "OMP_NUM_THREADS": "1"}


class _Zygote:
    """The fork server, as the tests see it."""

    def __init__(self, folder: Path) -> None:
        self._errors = (folder / "zygote.txt").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._processes: dict[int, Future[int]] = {}
        self._codes: dict[int, Future[int]] = {}
        assert self._answer().get("ready"), (folder / "zygote.txt").read_text()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def fork(self, request: dict[str, Any]) -> tuple[int, Future[int]]:
        with self._lock:
            number = next(self._numbers)
            self._processes[number], self._codes[number] = Future(), Future()
            line = json.dumps({"id": number, **request}).encode() + b"\n"
            self._process.stdin.write(line)
            self._process.stdin.flush()
        return self._processes[number].result(timeout=PATIENCE), self._codes[number]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._thread.join(PATIENCE)
        self._process.stdout.close()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        return json.loads(line) if line else {}

    def _listen(self) -> None:
        while answer := self._answer():
            if "process" in answer:
                self._processes[answer["id"]].set_result(answer["process"])
            else:
                self._codes[answer["id"]].set_result(answer["code"])


def _lives(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@dataclass
class Tries:
    """Tries of one class, two at a time; all are made, then the losses are told together."""

    name: str
    losses: list[str] = field(default_factory=list)

    def assert_none_is_lost(self, tries: Iterable[tuple[Any, ...]], at: int = 2) -> None:
        """Makes every try, then asserts that none was lost.

        Args:
            tries: arguments of `one`.
            at: how many at a time.
        """
        with ThreadPoolExecutor(at) as pool:
            for _ in pool.map(lambda one: self.one(*one), list(tries)):
                pass
        assert not self.losses, f"{len(self.losses)} lost:\n" + "\n".join(self.losses)

    def one(self, what: str, attempt: Callable[[], list[str] | None], count: int = 1) -> None:
        """Makes one try, which stands for `count` alike, and notes whether it was lost."""
        try:
            with tally.trying(self.name, count):
                wrong = attempt()
                assert not wrong, "\n    ".join(wrong or [])
        except Exception as error:  # noqa: BLE001 - every loss is told, whatever it is
            self.losses.append(f"{what}: {type(error).__name__}: {error}")


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Polls until a condition holds, and returns what it returned."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()):
        assert time.monotonic() < deadline, f"{what} took more than {seconds:g} s"
        time.sleep(POLL)
    return holds


def sleep_or_end(child: Child, seconds: float) -> None:
    """Waits for a moment of a search, or for its end if that comes first."""
    wait([child.code], timeout=seconds)


def dice(*seeds: object) -> random.Random:
    """Random numbers that are the same in every run."""
    return random.Random(repr(seeds))  # noqa: S311 - moments, no secrets


def finish(
    harness: Harness, job: dict[str, Any], folder: Path, expected: dict[str, Any]
) -> list[str]:
    """Gives the same command again, to the end; returns what was lost or run twice."""
    before = result.finished_trials(folder)
    # What is compared is the records: its page has no pictures, a third of the command's time.
    ended = harness.run(job, pictures=False)
    if ended.wait() != 0:
        return [f"it did not continue, exit code {ended.wait()}: {ended.text()[-2000:]}"]
    return result.run_twice(folder, before) + result.differences(result.result(folder), expected)


def left_behind(child: Child, folder: Path) -> list[str]:
    """What a search that has ended left: processes, temporary folders and files."""
    with contextlib.suppress(AssertionError):
        until(lambda: not child.descendants(), "ending all processes", LEAVES)
    left = [f"process {one.pid}: {' '.join(one.cmdline())}" for one in child.descendants()]
    left += [str(path) for path in child.temporary.glob("lrtune-*")]
    left += [str(path) for path in folder.rglob("*.tmp")]
    return [f"left behind: {one}" for one in left]
