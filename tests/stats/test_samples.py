"""Two arms are paired by seed and test sample, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from lrtune.records.reader import read_run
from lrtune.records.samples import SAMPLES, Samples
from lrtune.stats.samples import paired_samples
from tests.runs import build_run

SEEDS = (11, 12, 13)
ARMS = ("trial-1", "constant-0.1")
ORDER = "0123456789abcdef"


def bits(arm, seed):
    return np.random.default_rng([ARMS.index(arm), seed]).random(40) < 0.6


def outcome_of(folder, arm, seed):
    found = read_run(folder).confirmation.outcomes[arm]
    return next(one for one in found if one.trial_id.endswith(f"seed-{seed}"))


@pytest.fixture
def run(tmp_path):
    folder = build_run.small_run(tmp_path / "run")
    arms = {name: build_run.CONFIRM["arms"][name] for name in ARMS}
    scores = {arm: [float(bits(arm, seed).mean()) for seed in SEEDS] for arm in ARMS}
    more = {"arms": arms, "seeds": SEEDS, "baseline": "constant-0.1", "trials": {}}
    build_run.write_confirmation(folder, scores, **more)
    for arm in ARMS:
        for seed in SEEDS:
            write(folder, arm, seed)
    return folder


def write(folder, arm, seed, order=ORDER, metric="val_accuracy", values=None):
    values = bits(arm, seed) if values is None else values
    outcome = outcome_of(folder, arm, seed)
    build_run.Writer(folder).outcome(outcome, Samples(metric, values, order))


def test_rows_are_seeds_and_columns_are_samples(run):
    found = paired_samples(read_run(run), *ARMS)
    assert (found.metric, found.seeds) == ("val_accuracy", SEEDS)
    for arm, values in zip(ARMS, (found.one, found.other), strict=True):
        assert values.dtype == np.float64
        assert values.tolist() == [bits(arm, seed).tolist() for seed in SEEDS]
        scores = [outcome_of(run, arm, seed).score for seed in SEEDS]
        assert values.mean(axis=1) == pytest.approx(scores, abs=1e-12)


def test_a_seed_without_a_score_in_one_arm_is_left_out(run):
    build_run.write_trial(run, f"confirm/{ARMS[0]}/seed-12", None, status="failed")
    found = paired_samples(read_run(run), *ARMS)
    assert found.seeds == (11, 13)
    assert found.one.shape == found.other.shape == (2, 40)


def test_seeds_of_which_one_is_not_known_by_sample_are_not_paired(run):
    (run / f"confirm/{ARMS[1]}/seed-13/{SAMPLES}").unlink()
    assert paired_samples(read_run(run), *ARMS) is None
    assert paired_samples(read_run(run), ARMS[0], ARMS[0]) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"order": "fedcba9876543210"},
        {"metric": "val_loss"},
        {"values": np.repeat(bits(ARMS[1], 13), 2)},
    ],
    ids=["order", "metric", "count"],
)
def test_samples_that_are_not_the_same_are_not_paired(run, change):
    write(run, ARMS[1], 13, **change)
    assert read_run(run).notices == ()
    assert paired_samples(read_run(run), *ARMS) is None


def test_arms_that_never_ended_together_are_not_paired(run):
    for seed in SEEDS:
        build_run.write_trial(run, f"confirm/{ARMS[0]}/seed-{seed}", None, status="failed")
    assert paired_samples(read_run(run), *ARMS) is None


def test_a_run_without_a_confirmation_has_no_pairs(tmp_path):
    assert paired_samples(read_run(build_run.small_run(tmp_path)), *ARMS) is None


def test_an_arm_that_is_not_there_is_an_error(run):
    with pytest.raises(KeyError, match="trial-9"):
        paired_samples(read_run(run), "trial-9", ARMS[0])
