"""Runs tasks on a Ray cluster, or on a Ray of this machine's own.

    tuner = lrtune.Hyperband(..., runner=lrtune.RayRunner(address="auto"), workers=16)

The driver keeps the oracle and is the only one that writes. What goes over the network: the data,
once to each node; for each task its hyperparameters, a record an epoch, and the training states, to
the driver and from there to the worker that goes on with them. No folder is shared.
"""

from __future__ import annotations

import importlib.util
import math
import os
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from lrtune._util import checks
from lrtune.errors import ArgumentError, LrtuneError, SearchError
from lrtune.records.task import TrialOutcome
from lrtune.runner.base import Runner
from lrtune.runner.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.task import EpochRecord, TrainingJob, TrialTask
    from lrtune.runner.base import OnEpoch
    from lrtune.runner.options import RunOptions

_POLL_SECONDS = 0.1
"""How long to wait for news before interrupts are looked for."""

_LOOK_SECONDS = 2.0
"""How often the cluster is asked for its size."""

_CONNECT_SECONDS = 5.0
"""How long the head node may take to accept a connection."""

_CONNECT_TRIES = 6
"""How often Ray asks a head node, once a second, before it counts as unreachable."""

_PATIENCE_SECONDS = 60.0
"""How long nothing may have begun before it is said that the cluster is busy."""

_SILENCE_SECONDS = 30.0
"""How long nothing may be heard before workers that have nothing to do give their cores back."""

_LONGEST_FOLDER = 40
"""Characters. Below it is "session_2026-01-01_00-00-00_000000_12345678/sockets/plasma_store", and a
socket may have 107 in all."""

_GROWTH = 2**29
"""Bytes by which a worker may grow, as for the workers of this machine."""


@dataclass(frozen=True)
class RayRunner:
    """Trains on a Ray cluster; needs `pip install 'lrtune[ray]'` on this machine and on all nodes.

    Each trial has a core, and a GPU or a part of one. A trial starts again as often as its node is
    lost, and `max_retries` times if its worker dies. Without a number of `workers` there are as
    many as the cluster has room for, also when nodes join or leave; with one, what does not fit
    waits, which makes a cluster grow that starts nodes when trials wait.

    Attributes:
        address: of the cluster's head node ("10.0.0.1:6379"), or "auto" for the cluster that this
            machine is a node of. None uses the Ray that the program has started, if any, else
            starts one on this machine and stops it afterwards.
        gpus_per_trial: GPUs of a trial: 0, a fraction of one, or a whole number. None means one
            where the cluster has any.

    Raises:
        ArgumentError: one of them is outside its domain, or Ray is not installed.
    """

    address: str | None = None
    gpus_per_trial: float | None = None

    def __post_init__(self) -> None:
        check_ray(self.address, self.gpus_per_trial)

    def start(self, job: TrainingJob, options: RunOptions, notify: Callable[[str], None]) -> Runner:
        """Connects and returns a runner of one job.

        Args:
            job: what all tasks have in common.
            options: how many workers, and how long each may be silent.
            notify: is called with a sentence if fewer workers than asked for can start.

        Raises:
            SearchError: the cluster cannot be reached, or never has what a trial needs.
            UnsendableJobError: the job cannot be pickled.
        """
        started = _connect(self.address, options.workers)
        try:
            return _RayPool(self, job, options, notify, stops_ray=started)
        except BaseException:
            _disconnect(started)
            raise


def check_ray(
    address: str | None, gpus_per_trial: float | None, spell: Callable[[str], str] = str
) -> None:
    """Raises ArgumentError for the first attribute of `RayRunner` outside its domain.

    Args:
        address: as in `RayRunner`.
        gpus_per_trial: likewise.
        spell: turns an attribute's name into the one in messages, such as a flag.
    """
    if importlib.util.find_spec("ray") is None:
        raise ArgumentError("Ray is not installed: pip install 'lrtune[ray]'")
    if gpus_per_trial is not None:
        name = spell("gpus_per_trial")
        gpus = checks.non_negative(name, gpus_per_trial)
        if gpus > 1 and not gpus.is_integer():
            raise ArgumentError(
                f"{name} must be at most 1 or a whole number. Received: {name}={gpus_per_trial!r}."
            )
    if address is None or address == "auto":
        return
    name = spell("ray_address" if spell is not str else "address")
    host, _, port = address.rpartition(":")
    if "://" in address:
        raise ArgumentError(
            f"{name} must be HOST:PORT of the head node, or auto. Ray's client (ray://) cannot pass"
            f" on epochs as they end: run lrtune on a node of the cluster. Received: {address}"
        )
    if not (host and port.isdigit()):
        raise ArgumentError(f"{name} must be HOST:PORT or auto. Received: {address}")


@dataclass
class _Running:
    """A task that an actor trains."""

    actor: Any
    task: TrialTask
    first: bool
    """Whether it is the actor's first one."""
    epochs: list[EpochRecord] = field(default_factory=list)
    ended: Any = None
    node: str | None = None
    """Ray's name of the node where it has begun."""


class _RayPool(Runner):
    """Actors on a Ray cluster, as many as tasks run at the same time.

    Args:
        settings: what a trial gets.
        job: what all tasks have in common.
        options: how many workers, their retries, and how long each may be silent.
        notify: is called with a sentence if fewer workers than asked for can start.
        stops_ray: whether `close` ends the connection to Ray, and a Ray of this machine's own.
    """

    def __init__(
        self,
        settings: RayRunner,
        job: TrainingJob,
        options: RunOptions,
        notify: Callable[[str], None],
        *,
        stops_ray: bool,
    ) -> None:
        self._options = options
        self._notify = notify
        self._stops_ray = stops_ray
        gpus = settings.gpus_per_trial
        self._gpus = float(_has_gpu() if gpus is None else gpus)
        room = _room(self._gpus)
        if not room and options.workers is None:
            raise SearchError(_never(self._gpus))
        self.slots = options.workers or room
        if self.slots > room:
            notify(
                f"The Ray cluster has room for {room} of {self.slots} workers now. The others start"
                " when nodes join."
            )
        self._looked = self._moved = time.monotonic()
        self._waiting: deque[TrialTask] = deque()
        self._idle: list[Any] = []
        self._busy: dict[Any, _Running] = {}
        self._stored = _store(job)

    @property
    @override
    def running(self) -> int:
        return len(self._waiting) + len(self._busy)

    @override
    def submit(self, task: TrialTask) -> None:
        """Keeps the task for `wait`, which may be interrupted."""
        self._waiting.append(task)

    @override
    def wait(self, on_epoch: OnEpoch) -> list[TrialOutcome]:
        """Collects epochs until a task has ended, or the cluster has more room than before."""
        import ray

        outcomes: list[TrialOutcome] = []
        room = self.slots
        while self.running and not outcomes and self.slots <= room:
            while self._waiting:
                self._begin(self._waiting.popleft())
            news = list(self._busy)
            if ray.wait(news, num_returns=1, timeout=_POLL_SECONDS)[0]:
                # All that there is at once: with 1,000 workers it is much.
                for stream in ray.wait(news, num_returns=len(news), timeout=0)[0]:
                    outcome = self._heard(stream, on_epoch)
                    if outcome is not None:
                        outcomes.append(outcome)
            self._look()
        return outcomes

    @override
    def close(self) -> None:
        """Ends the workers, and Ray if it was started for them."""
        import ray

        busy, self._busy = list(self._busy.values()), {}
        self._waiting.clear()
        self._idle.clear()  # an actor that nobody refers to any more ends by itself
        with suppress(ray.exceptions.RayError):
            for one in busy:
                ray.kill(one.actor)
        if self._stops_ray:
            self._stops_ray = False
            _disconnect(started=True)

    def _begin(self, task: TrialTask) -> None:
        import ray

        first = not self._idle
        actor = self._new_actor() if first else self._idle.pop()
        state = None if task.parent_state is None else ray.put(dict(task.parent_state))
        light = replace(task, parent_state=None)
        timeout = self._options.trial_timeout
        stream = actor.train.remote(light, state, self._stored, timeout)
        self._busy[stream] = _Running(actor, light, first)

    def _new_actor(self) -> Any:
        import ray

        from lrtune.records.identity import installed
        from lrtune.runner.actor import TrainingActor

        kind = ray.remote(TrainingActor).options(num_cpus=1, num_gpus=self._gpus)
        return kind.remote(installed(), gpu=self._gpus > 0)

    def _heard(self, stream: Any, on_epoch: OnEpoch) -> TrialOutcome | None:
        """Takes the next item that a task has sent; its outcome if it was the last one."""
        import ray

        from lrtune.runner.actor import Ended

        one = self._busy[stream]
        try:
            item = ray.get(next(stream))
        except ray.exceptions.RayTaskError as error:
            raise self._cannot_train(error) from error
        except ray.exceptions.RayError as error:
            return self._lost(stream, error)
        self._moved = time.monotonic()
        if one.ended is not None:
            return self._complete(stream, item)
        if one.node is None:
            one.node = item
        elif isinstance(item, Ended):
            one.ended = item
        else:
            one.epochs.append(item)
            on_epoch(one.task.trial_id, item)
        return None

    def _complete(self, stream: Any, state: Any) -> TrialOutcome:
        import ray

        one = self._busy.pop(stream)
        outcome: TrialOutcome = one.ended.outcome
        if outcome.status == "lost" or one.ended.grown_bytes > _GROWTH:
            ray.kill(one.actor)
        elif self._has_room():
            self._idle.append(one.actor)
        return replace(outcome, epochs=tuple(one.epochs), state=state)

    def _has_room(self) -> bool:
        """Whether a worker may keep its core: no other waits for one, to start or after a loss."""
        begun = all(one.node for one in self._busy.values())
        return begun and len(self._busy) + len(self._idle) < _room(self._gpus)

    def _lost(self, stream: Any, error: Exception) -> TrialOutcome:
        """The outcome of a task whose worker died, or whose node or connection was lost."""
        import ray

        one = self._busy.pop(stream)
        ray.kill(one.actor)
        if getattr(error, "actor_init_failed", False):
            raise self._cannot_train(error)
        died = (ray.exceptions.ActorDiedError, ray.exceptions.OutOfMemoryError)
        alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
        # Without a node it died before it began: an idle one, for which no task is to blame.
        crashed = isinstance(error, died) and (one.node in alive if one.node else one.first)
        what = "its worker died" if crashed else "its node was lost, or the connection to it"
        message = f"{what} (Ray: {_first_line(error)})"
        return TrialOutcome(
            one.task, "lost", tuple(one.epochs), message=message, blameless=not crashed
        )

    @staticmethod
    def _cannot_train(error: Exception) -> LrtuneError:
        cause = getattr(error, "cause", None) or error
        if isinstance(cause, LrtuneError):
            return cause
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return SearchError(
            f"a node of the Ray cluster cannot train: {lines[-1]}. All nodes need lrtune, and the "
            "modules that the model imports"
        )

    def _look(self) -> None:
        """Adapts the number of workers to the cluster's size, unless it was given."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        if self._options.workers is None:
            self.slots = max(1, _room(self._gpus))
        if now - self._moved > _SILENCE_SECONDS:
            self._idle.clear()  # what is silent may wait for a core of theirs
        begun = any(one.node for one in self._busy.values())
        if not begun and now - self._moved > _PATIENCE_SECONDS:
            self._moved = math.inf  # said once
            self._notify(
                f"No worker has started for {_PATIENCE_SECONDS:g} s: the Ray cluster is busy with "
                "something else, or still starting. Waiting for it."
            )


def _store(job: TrainingJob) -> list[Any]:
    """References to the pickled job and to its arrays, which are put into Ray's object store.

    Raises:
        SearchError: they do not fit.
        UnsendableJobError: the job cannot be pickled.
    """
    import ray

    from lrtune.runner.actor import Stored
    from lrtune.runner.job import pickle_job

    arrays: list[Any] = []

    def keep(array: Any) -> Stored:
        arrays.append(ray.put(array))
        return Stored(len(arrays) - 1)

    try:
        return [ray.put(pickle_job(job, keep)), *arrays]
    except (ray.exceptions.RayError, OSError) as error:
        raise SearchError(
            "the data do not fit into Ray's object store (start the nodes with more: "
            f"`ray start --object-store-memory BYTES`): {_first_line(error)}"
        ) from error


def _connect(address: str | None, workers: int | None) -> bool:
    """Connects to Ray, or starts one; whether that was needed.

    Raises:
        SearchError: the cluster cannot be reached or has another version.
    """
    if address is not None:
        # Read when Ray is imported: it tries once a second. Otherwise it would for 20 s.
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", str(_CONNECT_TRIES))
    import ray

    if ray.is_initialized():
        return False
    own: dict[str, Any] = {}
    if address is None:
        from lrtune.runner.local import physical_cores

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would call home
        cores = max(workers or 0, physical_cores())
        folder = str(scratch_folder(_LONGEST_FOLDER))
        own = {"num_cpus": cores, "include_dashboard": False, "_temp_dir": folder}
    elif address != "auto":
        _refuse_unreachable(address)
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address or "local", log_to_driver=False, logging_level="ERROR", **own)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = f"the Ray cluster at {address}" if address else "a Ray on this machine"
        raise SearchError(f"cannot use {where}: {' '.join(str(error).split())}") from error
    finally:
        with suppress(ValueError):  # not in the main thread, where Ray installs no handler either
            signal.signal(signal.SIGTERM, before)
    return True


def _disconnect(started: bool) -> None:  # noqa: FBT001 - says what `_connect` returned
    if started:
        import ray

        ray.shutdown()


def _refuse_unreachable(address: str) -> None:
    """Raises SearchError if nothing listens there; Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise SearchError(
            f"cannot reach the Ray cluster at {address} ({error}): is its head node running (`ray "
            "start --head`), and may this machine connect to it?"
        ) from error


def _nodes() -> list[dict[str, float]]:
    """The resources of each node that is alive."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _has_gpu() -> bool:
    return any(node.get("GPU", 0) > 0 for node in _nodes())


def _room(gpus: float) -> int:
    """How many trials the nodes can train at the same time, each with one core."""

    def by_gpus(available: float) -> float:
        if not gpus:
            return math.inf
        each = math.floor(1 / gpus + 1e-9)  # of one GPU; 0 where a trial has several
        return int(available) * each if each else available // gpus

    return sum(int(min(one.get("CPU", 0), by_gpus(one.get("GPU", 0)))) for one in _nodes())


def _never(gpus: float) -> str:
    most = max((one.get("GPU", 0.0) for one in _nodes()), default=0.0)
    grows = "Does it grow when trials wait? Then say how many at a time: workers"
    if gpus > most:
        has = f"at most {most:g} GPUs" if most else "no GPU"
        return (
            f"gpus_per_trial is {gpus:g}, but a node of the Ray cluster has {has}, so no trial "
            f"can start. {grows}"
        )
    return f"no node of the Ray cluster has a core for trials, so none can start. {grows}"


def _first_line(error: BaseException) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__).rstrip(".")
