"""Run folders with a tuned baseline and with a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.records import build_run

if TYPE_CHECKING:
    from pathlib import Path

TUNED = {"schedule": "constant", "lr0": 0.0275, "momentum": 0.91}
ARMS = {"constant-tuned": TUNED, **build_run.MANIFEST["baseline_arms"]}


def tuned_run(folder: Path, scores: tuple[float, ...] = (0.695, 0.692, 0.698)) -> Path:
    """A small run whose constant rate was searched for with half the epochs: 50 + 17 + 2."""
    build_run.small_run(folder, baseline_budget=0.5, baseline_arms=ARMS)
    build_run.write_baseline(folder, {"constant-tuned": scores})
    write_search(folder, finished="2026-11-22T08:30:00+00:00")
    return folder


def write_search(folder: Path, **changes: Any) -> None:
    search = folder / "baseline" / "search"
    build_run.write_manifest(search, families=["constant"], **changes)
    build_run.write_trial(search, "0", 0.69, values=TUNED)
    build_run.write_trial(search, "1", 0.66, values=build_run.CONSTANT, epochs=(1, 17, 17))
    build_run.write_epochs(build_run.write_trial(search, "2", 0.5, epochs=(1, 2, 2)), range(1, 3))
    (search / "trial_2" / "outcome.json").unlink()


def confirmed_run(folder: Path, scores: Any = build_run.CONFIRMED, **changes: Any) -> Path:
    """The same with a confirmation of four arms."""
    tuned_run(folder)
    arms = {**build_run.CONFIRM["arms"], "constant-tuned": TUNED}
    build_run.write_confirmation(folder, scores, **{"arms": arms, **changes})
    return folder
