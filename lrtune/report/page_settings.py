"""What a run was asked, made with and made on, as the page lists it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lrtune.stats.winner import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lrtune.records.schema import Manifest

    Pairs = list[tuple[str, str]]


def list_settings(manifest: Manifest) -> list[tuple[str, Pairs]]:
    """Groups of settings: a title, and names with values.

    Args:
        manifest: of the run.
    """
    better = Direction(manifest.direction).word
    data = manifest.data
    search: Pairs = [
        ("algorithm", manifest.algo),
        ("objective", f"{manifest.objective}, {better} is better"),
        ("score", "of the best epoch" if manifest.score == "best" else "of the last epoch"),
        ("epochs", str(manifest.max_epochs)),
        ("reduction factor", _text(manifest.factor)),
        ("trials asked for", _text(manifest.max_trials)),
        ("seed", _text(manifest.seed)),
        ("batch size", _text(manifest.batch_size)),
        ("families", ", ".join(map(str, manifest.families))),
        ("epochs for the constant rate", f"{_text(manifest.baseline_budget)} times the search's"),
        ("seeds of the baseline", ", ".join(map(str, manifest.baseline_seeds))),
        ("began", _moment(manifest.created)),
        ("ended", _moment(manifest.finished) or "not yet"),
    ]
    about: Pairs = [
        ("source", data.source),
        ("asked for as", _text(data.argument)),
        *((f"{part} images", _images(size)) for part, size in data.sizes.items()),
        ("fingerprint", _text(data.fingerprint)),
        ("synthetic", "yes: drawn by lrtune" if data.synthetic else "no"),
    ]
    groups = [
        ("Search", search),
        ("Data", about),
        ("Space", [(str(config.get("name", "")), _range(config)) for config in _configs(manifest)]),
        ("Versions", [(str(name), str(version)) for name, version in manifest.versions.items()]),
    ]
    told = [(title, [pair for pair in pairs if pair[1]]) for title, pairs in groups]
    return [(title, pairs) for title, pairs in told if pairs]


def _configs(manifest: Manifest) -> list[Mapping[str, Any]]:
    found = [one.get("config") for one in manifest.space]
    return [config for config in found if isinstance(config, dict)]


def _range(config: Mapping[str, Any]) -> str:
    """What the search could choose from."""
    if isinstance(config.get("values"), list):
        return ", ".join(map(str, config["values"]))
    if "min_value" in config and "max_value" in config:
        scale = " (log)" if config.get("sampling") == "log" else ""
        return f"{_text(config['min_value'])} to {_text(config['max_value'])}{scale}"
    return _text(config.get("value"))


def _moment(written: Any) -> str:
    """A recorded time as "2026-11-22 09:30 UTC"; what is none as it is."""
    try:
        time = datetime.fromisoformat(written).astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):
        return _text(written)
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _images(size: Any) -> str:
    return f"{size:,}" if isinstance(size, int) else _text(size)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value < 10_000 else f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
