"""The settings of the runner on Ray, and how many trials a cluster has room for."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from lrtune.errors import ArgumentError, SearchError
from lrtune.runner import RunOptions, make_runner, ray_cluster, ray_pool
from lrtune.runner.ray import RayRunner
from tests.contracts.test_runner_contract import schedule_job


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gpus_per_trial": -1}, "gpus_per_trial must be a finite number >= 0. Received: "),
        (
            {"gpus_per_trial": 1.5},
            "gpus_per_trial must be at most 1 or a whole number. Received: gpus_per_trial=1.5.",
        ),
        ({"address": "10.0.0.1"}, "address must be HOST:PORT or auto. Received: 10.0.0.1"),
        (
            {"address": "ray://10.0.0.1:10001"},
            "address must be HOST:PORT of the head node, or auto. Ray's client (ray://) ",
        ),
    ],
)
def test_settings_outside_their_domains_are_refused(arguments, message):
    with pytest.raises(ArgumentError) as error:
        RayRunner(**arguments)
    assert str(error.value).startswith(message)


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ArgumentError) as error:
        RayRunner()
    assert str(error.value) == "Ray is not installed: pip install 'lrtune[ray]'"


def test_this_process_and_a_cluster_exclude_each_other():
    with pytest.raises(ArgumentError) as error:
        RunOptions(in_process=True, runner=RayRunner())
    assert str(error.value).startswith("in_process=True and runner=RayRunner(")


def test_an_address_where_nothing_listens_is_one_line_within_15_seconds():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = RunOptions(runner=RayRunner(f"127.0.0.1:{port}"))
    begun = time.monotonic()
    with pytest.raises(SearchError) as error:
        make_runner(schedule_job(), options)
    assert time.monotonic() - begun < 15
    assert str(error.value).startswith(f"cannot reach the Ray cluster at 127.0.0.1:{port} (")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("nodes", "gpus", "room"),
    [
        ([{"CPU": 4.0}], 0, 4),
        ([{"CPU": 4.0}, {"CPU": 2.0}, {}], 0, 6),
        ([{"CPU": 16.0, "GPU": 2.0}], 1, 2),
        ([{"CPU": 16.0, "GPU": 2.0}], 0.25, 8),
        ([{"CPU": 16.0, "GPU": 1.0}], 0.1, 10),
        # A fraction is of one GPU: what two of them have left does not add up.
        ([{"CPU": 16.0, "GPU": 2.0}], 0.6, 2),
        ([{"CPU": 3.0, "GPU": 2.0}], 0.5, 3),
        ([{"CPU": 16.0, "GPU": 8.0}, {"CPU": 16.0, "GPU": 3.0}], 4, 2),
        ([{"CPU": 16.0}], 1, 0),
        ([{"GPU": 1.0}], 1, 0),
    ],
)
def test_room_is_what_each_node_has_for_itself(nodes, gpus, room, monkeypatch):
    monkeypatch.setattr(ray_cluster, "nodes", lambda: nodes)
    assert ray_cluster.room_for(gpus) == room


GROWS = "Does it grow when trials wait? Then say how many at a time: workers"


@pytest.mark.parametrize(
    ("nodes", "gpus", "message"),
    [
        (
            [{"CPU": 4.0}],
            0.5,
            (
                "gpus_per_trial is 0.5, but a node of the Ray cluster has no GPU, so no trial can "
                f"start. {GROWS}"
            ),
        ),
        (
            [{"CPU": 4.0, "GPU": 1.0}, {"CPU": 4.0, "GPU": 2.0}],
            4,
            (
                "gpus_per_trial is 4, but a node of the Ray cluster has at most 2 GPUs, so no "
                f"trial can start. {GROWS}"
            ),
        ),
        (
            [{}],
            0,
            f"no node of the Ray cluster has a core for trials, so none can start. {GROWS}",
        ),
    ],
)
def test_what_a_cluster_can_never_satisfy_is_refused(nodes, gpus, message, monkeypatch):
    monkeypatch.setattr(ray_cluster, "nodes", lambda: nodes)
    monkeypatch.setattr(ray_cluster, "connect", lambda *_: False)
    with pytest.raises(SearchError) as error:
        make_runner(schedule_job(), RunOptions(runner=RayRunner(gpus_per_trial=gpus)))
    assert str(error.value) == message


def test_a_cluster_that_grows_on_demand_may_have_no_room_yet(monkeypatch):
    monkeypatch.setattr(ray_cluster, "nodes", lambda: [{}])
    monkeypatch.setattr(ray_cluster, "connect", lambda *_: False)
    monkeypatch.setattr(ray_pool, "_store", lambda job: [])
    said = []
    runner = make_runner(schedule_job(), RunOptions(8, runner=RayRunner()), said.append)
    assert runner.slots == 8
    assert said == [
        "The Ray cluster has room for 0 of 8 workers now. The others start when nodes join."
    ]
