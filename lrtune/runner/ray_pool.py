"""The runner on a Ray cluster: actors that train tasks, as many as run at the same time."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from lrtune.errors import LrtuneError, SearchError
from lrtune.records.task import TrialOutcome
from lrtune.runner.base import GROWTH, Runner
from lrtune.runner.ray_cluster import disconnect, has_gpu, no_room, room_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from lrtune.records.task import EpochRecord, TrainingJob, TrialTask
    from lrtune.runner.base import OnEpoch
    from lrtune.runner.options import RunOptions

_POLL_SECONDS = 0.1
"""How long to wait for news before interrupts are looked for."""

_LOOK_SECONDS = 2.0
"""How often the cluster is asked for its size."""

_PATIENCE_SECONDS = 60.0
"""How long nothing may have begun before it is said that the cluster is busy."""

_SILENCE_SECONDS = 30.0
"""How long nothing may be heard before workers that have nothing to do give their cores back."""


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


class RayPool(Runner):
    """Actors on a Ray cluster, as many as tasks run at the same time.

    Args:
        gpus: of a trial; None for one where the cluster has any.
        job: what all tasks have in common.
        options: how many workers, their retries, and how long each may be silent.
        notify: is called with a sentence if fewer workers than asked for can start.
        stops_ray: whether `close` ends the connection to Ray, and a Ray of this machine's own.
    """

    def __init__(
        self,
        gpus: float | None,
        job: TrainingJob,
        options: RunOptions,
        notify: Callable[[str], None],
        *,
        stops_ray: bool,
    ) -> None:
        self._options = options
        self._notify = notify
        self._stops_ray = stops_ray
        self._gpus = float(has_gpu() if gpus is None else gpus)
        room = room_for(self._gpus)
        if not room and options.workers is None:
            raise SearchError(no_room(self._gpus))
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
            disconnect()

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
        if outcome.status == "lost" or one.ended.grown_bytes > GROWTH:
            ray.kill(one.actor)
        elif self._may_stay():
            self._idle.append(one.actor)
        return replace(outcome, epochs=tuple(one.epochs), state=state)

    def _may_stay(self) -> bool:
        """Whether a worker may keep its core: no other waits for one, to start or after a loss."""
        begun = all(one.node for one in self._busy.values())
        return begun and len(self._busy) + len(self._idle) < room_for(self._gpus)

    def _lost(self, stream: Any, error: Exception) -> TrialOutcome:
        """The outcome of a task whose worker died, or whose node or connection was lost."""
        import ray

        one = self._busy.pop(stream)
        ray.kill(one.actor)
        if getattr(error, "actor_init_failed", False):
            raise self._cannot_train(error)
        deaths = (ray.exceptions.ActorDiedError, ray.exceptions.OutOfMemoryError)
        alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
        died = isinstance(error, deaths) and one.node in (None, *alive)
        # Without a node it died before it began: if it is not new, while it had nothing to do.
        blameless = not died or (one.node is None and not one.first)
        what = "its worker died" if died else "its node was lost, or the connection to it"
        message = f"{what} (Ray: {_first_line(error)})"
        return TrialOutcome(
            one.task, "lost", tuple(one.epochs), message=message, blameless=blameless
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
            self.slots = max(1, room_for(self._gpus))
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


def _first_line(error: BaseException) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__).rstrip(".")
