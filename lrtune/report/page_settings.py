"""What a run was asked to do, with which versions and on which data, as the page lists it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lrtune.report.words import count
from lrtune.stats.score import score_words
from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lrtune.records.schema import Manifest


_SHORT = {
    "truncated": "the first epochs of the schedule",
    "rescaled": "the whole schedule in fewer epochs",
}
"""What the trials of earlier rungs train."""


def list_settings(manifest: Manifest) -> dict[str, list[tuple[str, str]]]:
    """Groups of settings: title -> names with values. What has no value is left out.

    Args:
        manifest: of the run.
    """
    better = Direction(manifest.direction).word
    data = manifest.data
    configs = [one["config"] for one in manifest.space if isinstance(one.get("config"), dict)]
    groups: dict[str, Iterable[tuple[str, str]]] = {
        "Search": (
            ("algorithm", manifest.algo),
            ("objective", f"{manifest.objective}, {better} is better"),
            ("score", score_words(manifest.score, manifest.max_epochs)),
            ("epochs", _text(manifest.max_epochs)),
            ("reduction factor", _text(manifest.factor)),
            ("first rung", _least(manifest.min_epochs) if manifest.factor else ""),
            ("short trials", _SHORT.get(manifest.horizon, "") if manifest.factor else ""),
            ("trials requested", _text(manifest.max_trials)),
            ("seed", str(manifest.seed)),
            ("batch size", _batch_size(manifest)),
            ("families", ", ".join(manifest.families)),
            ("epochs for the constant rate", f"{manifest.baseline_budget:.6g} times the search's"),
            ("baseline seeds", ", ".join(map(str, manifest.baseline_seeds))),
            ("started", _moment(manifest.created)),
            ("finished", _moment(manifest.finished) if manifest.finished else "not yet"),
        ),
        "Data": (
            ("source", data.source),
            ("requested as", data.argument or ""),
            *((f"{part} {data.kind}", f"{size:,}") for part, size in data.sizes.items()),
            ("fingerprint", data.fingerprint),
            ("synthetic", "yes: drawn by lrtune" if data.synthetic else "no"),
        ),
        # A name may appear more than once, with different ranges under different conditions.
        "Space": ((str(config.get("name", "")), _range(config)) for config in configs),
        "Versions": manifest.versions.items(),
    }
    known = {title: [pair for pair in pairs if pair[1]] for title, pairs in groups.items()}
    return {title: pairs for title, pairs in known.items() if pairs}


def _least(epochs: int) -> str:
    return f"{count(epochs, 'epoch')} or more"


def _range(config: Mapping[str, Any]) -> str:
    """The values or the range that the search sampled from."""
    if isinstance(config.get("values"), list):
        return ", ".join(map(str, config["values"]))
    if "min_value" in config and "max_value" in config:
        scale = " (log)" if config.get("sampling") == "log" else ""
        return f"{_text(config['min_value'])} to {_text(config['max_value'])}{scale}"
    return _text(config.get("value"))


def _batch_size(manifest: Manifest) -> str:
    if manifest.batch_sizes:
        return f"{', '.join(map(str, manifest.batch_sizes))} (searched)"
    return _text(manifest.batch_size)


def _moment(written: str) -> str:
    """A recorded time as "2026-11-22 09:30 UTC"; anything else as it is."""
    try:
        time = datetime.fromisoformat(written).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return written
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _text(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= 10_000:
        return f"{value:,}"
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
