"""Copying records, one at a time, in the order of their names; of runs the parents first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.migrate.errors import Stopped
from conformance.migrate.journal import Journal
from conformance.migrate.kinds import ABSENT, Kind, Name, told
from conformance.migrate.side import Opened

#: Records after which the journal is written; so many are written a second time after a kill.
EVERY = 200


def copy_records(
    kind: Kind,
    source: Opened,
    target: Opened,
    names: Sequence[Name],
    journal: Journal,
    tell: Callable[[int, int], None],
) -> None:
    """Copy the records that the journal does not name as copied.

    Args:
        kind: What they are.
        source: Where they are read.
        target: Where they are written.
        names: Those of all records, in order.
        journal: Is noted in, whenever what it will say has been acknowledged.
        tell: Called with how many records are there, and of how many.

    Raises:
        Stopped: A store fails, or the target refuses a record.
    """
    cursor = tuple(journal.cursors.get(kind.contract, ()))
    known = set(names)
    copied = {name for name in names if name <= cursor}
    for number, name in enumerate(names, 1):
        if name <= cursor:
            continue
        for one in _ancestors_first(kind, source, name, known, copied):
            _copy(kind, source, target, one)
            copied.add(one)
        if number % EVERY == 0:
            target.acknowledge()
            journal.cursors[kind.contract] = list(name)
            journal.save()
            tell(number, len(names))
    target.acknowledge()


def _ancestors_first(kind: Kind, source: Opened, name: Name, known: set[Name], copied: set[Name]) -> list[Name]:
    """Return a name that was not copied, behind those of its ancestors that were not; a circle is cut where it ends."""
    if name in copied:
        return []
    line = [name]
    if kind.parent is None:
        return line
    while True:
        parent = kind.parent(kind.read(source, line[-1]))
        if parent is None or parent not in known or parent in copied or parent in line:
            return line[::-1]
        line.append(parent)


def _copy(kind: Kind, source: Opened, target: Opened, name: Name) -> None:
    record = kind.read(source, name)
    if record is ABSENT:
        return  # it expired, or somebody deleted it: the comparison has the last word
    try:
        kind.write(target, name, record, kind.more(source, name))
    except Stopped as stopped:
        raise Stopped(f"{kind.contract} {told(name)} could not be written: {stopped}") from stopped
    except target.missing as error:
        raise Stopped(f"{kind.contract} {told(name)} could not be written: {error!r}") from error
