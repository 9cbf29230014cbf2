"""What Hyperband's short trials train, and for how many epochs, where the user does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrtune._util import checks
from lrtune.records.manifest import DamagedManifestError, load_manifest
from lrtune.records.schema import HORIZONS
from lrtune.records.writer import holds_run

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.records.schema import Manifest

_PART = 9
"""The usual first rung of a rescaled search is this part of all epochs.

Measured on tables of real trainings (`benchmarks/algorithms.py`), mean regret after as many epochs
as 5, 10 and 20 full trainings, in thousandths: Keras Tuner's rungs, truncated, leave 20.9, 12.3 and
15.0 on the reading's table and 4.4, 1.6 and .8 on digits; rescaled from a ninth 9.9, 7.7 and 9.5,
and 4.0, 1.4 and .8. Rescaled from a third is behind (11.1, 9.0, 10.3; 11.9, 3.7, 1.0). What a
schedule compressed to less than a ninth tells was not measured.
"""


def begun_search(folder: Path, algo: str, max_epochs: int | None) -> Manifest | None:
    """The manifest in a run folder, if its search may be the one that is asked for.

    Args:
        folder: the run folder.
        algo: the algorithm that is asked for.
        max_epochs: likewise, of Hyperband; None for another algorithm.
    """
    if not holds_run(folder):
        return None
    try:
        found = load_manifest(folder)
    except DamagedManifestError:
        return None
    same = found.algo == algo and max_epochs in (None, found.max_epochs)
    return found if same else None


def rungs_of(
    horizon: str | None,
    min_epochs: int | None,
    found: Manifest | None,
    usual: str,
    max_epochs: int | None,
) -> tuple[str, int]:
    """What short trials train: as asked, else as the search in the folder, else as usual.

    So a search that was begun with other defaults is resumed as it was begun.

    Args:
        horizon: "truncated", "rescaled" or None, as asked.
        min_epochs: int >= 1 or None, as asked.
        found: the manifest of the search in the folder; None if there is none.
        usual: the horizon where nobody says.
        max_epochs: int >= 1, of Hyperband; None for another algorithm.

    Returns:
        The horizon, and the epochs of the first rung.

    Raises:
        ArgumentError: one of the first two is outside its domain.
    """
    if horizon is not None:
        checks.one_of("horizon", horizon, HORIZONS)
    if min_epochs is not None:
        checks.integer("min_epochs", min_epochs, at_least=1)
    if found is not None:
        horizon, min_epochs = horizon or found.horizon, min_epochs or found.min_epochs
    horizon = horizon or usual
    return horizon, min_epochs or _usual_min_epochs(horizon, max_epochs or 1)


def _usual_min_epochs(horizon: str, max_epochs: int) -> int:
    """The epochs of the first rung where the user does not say; 1 is Keras Tuner's own.

    Args:
        horizon: "truncated" or "rescaled".
        max_epochs: int >= 1.
    """
    return max(1, round(max_epochs / _PART)) if horizon == "rescaled" else 1
