"""How many disturbed searches were tried, and how many were lost, by class."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

tried: Counter[str] = Counter()
lost: Counter[str] = Counter()


@contextmanager
def trying(name: str, count: int = 1) -> Iterator[None]:
    """Around one try of a class, or `count` that are the same; what is raised in it is a loss."""
    tried[name] += count
    try:
        yield
    except BaseException:
        lost[name] += count
        raise


def counts() -> dict[str, dict[str, int]]:
    """What this process has counted, to be added to another's."""
    return {"tried": dict(tried), "lost": dict(lost)}


def add(others: dict[str, dict[str, int]]) -> None:
    """Adds what another process has counted."""
    tried.update(others["tried"])
    lost.update(others["lost"])


def table() -> list[str]:
    """A line a class."""
    if not tried:
        return []
    width = max(map(len, tried))
    rows = [(name, tried[name], tried[name] - lost[name], lost[name]) for name in tried]
    rows.append(("all", tried.total(), tried.total() - lost.total(), lost.total()))
    return [
        f"{'class':{width}}  tried  survived  lost",
        *(f"{name:{width}}  {count:5}  {kept:8}  {gone:4}" for name, count, kept, gone in rows),
    ]
