"""Event files, as TensorBoard's own readers load them."""

from __future__ import annotations

import math

import pytest
from tensorboard import context
from tensorboard.backend.event_processing import (
    data_provider,
    event_accumulator,
    plugin_event_multiplexer,
)
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

from lrtune.cli.export import FORMATS
from lrtune.export.event_files import EVENT_FILES, write_tensorboard
from lrtune.records.reader import read_run
from tests.runs import build_run


def scalars(folder, tag):
    """Step -> value of one run."""
    accumulator = event_accumulator.EventAccumulator(str(folder))
    accumulator.Reload()
    return {event.step: event.value for event in accumulator.Scalars(tag)}


def hparams(folder):
    """Session groups by name, as the HParams tab shows them; and the names of the metrics."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(folder))
    backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=100, allowed_statuses=[0, 1, 2, 3]
    )
    asked = context.RequestContext()
    found = list_session_groups.Handler(asked, backend, "", request).run()
    groups = {group.name: group for group in found.session_groups}
    experiment = backend.experiment_from_metadata(
        asked,
        "",
        include_metrics=True,
        hparams_run_to_tag_to_content=backend.hparams_metadata(asked, ""),
        data_provider_hparams=backend.hparams_from_data_provider(asked, "", 0),
    )
    return groups, {info.name.tag for info in experiment.metric_infos}


def values(group):
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in group.hparams.items()}


def metrics(group):
    return {metric.name.tag: metric.value for metric in group.metric_values}


@pytest.fixture
def folder(tmp_path):
    run = build_run.hyperband(tmp_path / "run")
    build_run.ended(run, {"1": 20.0, "4": 50.0})
    out = tmp_path / "out"
    assert write_tensorboard(read_run(run), out) == "12 runs"
    return out


def test_a_trial_is_a_run_with_scalars_for_each_epoch(folder):
    accumulator = event_accumulator.EventAccumulator(str(folder / "trial_4"))
    accumulator.Reload()
    assert set(accumulator.Tags()["scalars"]) == {
        *("lr", "loss", "accuracy", "val_loss", "val_accuracy", "score"),
    }
    lrs = accumulator.Scalars("lr")
    assert [event.step for event in lrs] == [4, 5, 6, 7, 8, 9]
    assert [event.value for event in lrs] == pytest.approx([0.1 / n for n in range(4, 10)])
    # A quarter of a second an epoch; the last one ends with the trial.
    assert [event.wall_time - build_run.CREATED for event in lrs] == pytest.approx(
        [48.75, 49, 49.25, 49.5, 49.75, 50]
    )
    assert scalars(folder / "trial_4", "score") == {9: pytest.approx(0.7)}


def test_the_hparams_tab_has_a_session_for_each_trial_and_a_group_for_each_arm(folder):
    groups, tags = hparams(folder)
    assert set(groups) == {
        *map(str, range(6)),
        *("baseline/constant-0.1", "baseline/constant-0.01"),
    }
    assert tags == {"lr", "loss", "accuracy", "val_loss", "val_accuracy", "score"}
    assert values(groups["0"]) == {
        **build_run.STEP,
        "lrtune/kind": "trial",
        "lrtune/epochs": 3,
    }
    assert "step.drop" not in values(groups["4"])
    assert metrics(groups["4"])["score"] == pytest.approx(0.7)
    assert metrics(groups["4"])["val_accuracy"] == pytest.approx(1 - 0.6 / 9)
    arm = groups["baseline/constant-0.1"]
    assert len(arm.sessions) == 3
    assert metrics(arm)["score"] == pytest.approx(0.681)  # the mean, by hand


def test_a_session_has_its_trials_status_and_end(folder):
    groups, _ = hparams(folder)
    status = {name: groups[name].sessions[0].status for name in map(str, range(6))}
    success, failure = api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE
    assert status == {
        "0": success,
        "1": success,
        "2": failure,
        "3": failure,
        "4": success,
        "5": api_pb2.STATUS_UNKNOWN,
    }
    assert groups["1"].sessions[0].start_time_secs == build_run.CREATED + 14
    assert groups["1"].sessions[0].end_time_secs == build_run.CREATED + 20
    assert "score" not in metrics(groups["2"])


def test_infinite_missing_and_hostile_values_can_be_shown(tmp_path):
    run = build_run.write_manifest(tmp_path / "run")
    build_run.write_trial(run, "0", 0.6, values={"x": True, "y": "a\x1b\udc80", "z": None}, rows=0)
    (run / "trial_0" / "epochs.jsonl").write_text('{"epoch": 1, "lr": 1e300, "loss": null}\n')
    write_tensorboard(read_run(run), tmp_path / "out")
    assert scalars(tmp_path / "out" / "trial_0", "lr") == {1: math.inf}
    assert math.isnan(scalars(tmp_path / "out" / "trial_0", "loss")[1])
    groups, _ = hparams(tmp_path / "out")
    shown = values(groups["0"])
    assert (shown["x"], shown["y"], "z" in shown) == (True, "a\\x1b\\udc80", False)


def test_writing_again_replaces_the_earlier_files(folder, tmp_path):
    write_tensorboard(read_run(tmp_path / "run"), folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 12
    assert FORMATS["tensorboard"].files == (f"*/{EVENT_FILES}",), "or it could not be replaced"
    assert all(path.match(EVENT_FILES) for path in files)
    assert list(scalars(folder / "trial_0", "lr")) == [1, 2, 3]
