"""What can go wrong with a log, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Damage:
    """One damaged place.

    Args:
        file: The name of the file.
        offset: Where in it, in bytes.
        position: The first position that can't be read because of it; 0 where no event is lost.
        reason: What is wrong there.
    """

    file: str
    offset: int
    position: int
    reason: str


@dataclass(frozen=True)
class Report:
    """What `verify()` found.

    Args:
        healthy: How many events can be read.
        damaged: Every damaged place; empty for a sound log.
    """

    healthy: int
    damaged: tuple[Damage, ...]


class CorruptLog(Exception):
    """Stored bytes are not what was written. `damage` names file, offset and position."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(f"{damage.file} at byte {damage.offset}, position {damage.position}: {damage.reason}")
        self.damage = damage
