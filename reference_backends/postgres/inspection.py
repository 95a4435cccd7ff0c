"""What `verify` does: every record is read on the server, its digest computed again, and what is amiss is named.

Not noticed: a record that is missing altogether from a state store, and an index that does not lead to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_backends._errors import CorruptRecord, Damage, Report
from reference_backends.postgres.records import DIGEST

if TYPE_CHECKING:
    from reference_backends.postgres.database import Database
    from reference_backends.postgres.verbs import Expired

_RECORDS = f"SELECT key, version, expires_at, digest = {DIGEST} FROM "

_SNAPSHOTS = f"""
SELECT snapshots.name, snapshots.keys, count(key), coalesce(bool_and(entry.digest = {DIGEST}), true) FROM snapshots
LEFT JOIN snapshot_entries AS entry ON sha256(entry.name) = sha256(snapshots.name)
GROUP BY snapshots.name, snapshots.keys
"""


def of_state(database: Database, now: float, expired: list[Expired]) -> Report:
    """Inspect a state store.

    Args:
        database: The handle on it.
        now: The time.
        expired: Gets the keys that have expired by now; they are not counted.
    """
    damaged: list[Damage] = []
    healthy = 0
    for key, version, expires_at, intact in _read(database, f"{_RECORDS} entries", damaged):
        if not intact:
            damaged.append(Damage(f"entries {key!r} version {version}", "has another digest"))
        elif expires_at is not None and expires_at <= now:
            expired.append((key, version))
        else:
            healthy += 1
    for key, version, _, intact in _read(database, f"{_RECORDS} history", damaged):
        if not intact:
            damaged.append(Damage(f"history {key!r} version {version}", "has another digest"))
    for name, keys, found, intact in _read(database, _SNAPSHOTS, damaged):
        if not intact or keys != found:
            damaged.append(Damage(f"snapshot {name!r}", f"has {found} keys of {keys}, or one with another digest"))
    return Report(healthy, tuple(damaged))


def _read(database: Database, statement: str, damaged: list[Damage]) -> list[tuple[Any, ...]]:
    """Return rows as far as they can be read; why there are no more is added to what is damaged."""
    rows: list[tuple[Any, ...]] = []
    try:
        with database.looking() as session:
            rows.extend(session.stream(statement))
    except CorruptRecord as error:
        damaged.append(Damage(error.where, error.what))
    return rows
