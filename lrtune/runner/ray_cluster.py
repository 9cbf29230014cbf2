"""The Ray cluster: connecting to it, and how much it has room for."""

from __future__ import annotations

import math
import os
import signal
import socket
from contextlib import suppress
from typing import Any

from lrtune.errors import SearchError
from lrtune.runner.scratch import scratch_folder

_CONNECT_SECONDS = 5.0
"""How long the head node may take to accept a connection."""

_CONNECT_TRIES = 6
"""How often Ray asks a head node, once a second, before it counts as unreachable."""

_LONGEST_FOLDER = 40
"""Characters. Below it is "session_2026-01-01_00-00-00_000000_12345678/sockets/plasma_store", and a
socket may have 107 in all."""


def connect(address: str | None, workers: int | None) -> bool:
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


def disconnect() -> None:
    """Ends the connection, and a Ray of this machine's own."""
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


def nodes() -> list[dict[str, float]]:
    """The resources of each node that is alive."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def has_gpu() -> bool:
    """Whether any node has a GPU."""
    return any(node.get("GPU", 0) > 0 for node in nodes())


def room_for(gpus: float) -> int:
    """How many trials the nodes can train at the same time, each with one core.

    Args:
        gpus: of a trial: >= 0, at most 1 or a whole number.
    """

    def by_gpus(available: float) -> float:
        if not gpus:
            return math.inf
        each = math.floor(1 / gpus + 1e-9)  # of one GPU; 0 where a trial has several
        return int(available) * each if each else available // gpus

    return sum(int(min(one.get("CPU", 0), by_gpus(one.get("GPU", 0)))) for one in nodes())


def no_room(gpus: float) -> str:
    """Why no node can ever train a trial, and what to do if more come."""
    most = max((one.get("GPU", 0.0) for one in nodes()), default=0.0)
    grows = "Does it grow when trials wait? Then say how many at a time: workers"
    if gpus > most:
        has = f"at most {most:g} GPUs" if most else "no GPU"
        return (
            f"gpus_per_trial is {gpus:g}, but a node of the Ray cluster has {has}, so no trial "
            f"can start. {grows}"
        )
    return f"no node of the Ray cluster has a core for trials, so none can start. {grows}"
