"""Comparing two stores, record by record, by canonical digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from conformance.literal import literal
from conformance.migrate.digests import digest_of
from conformance.migrate.errors import Unfit
from conformance.migrate.kinds import ABSENT, KINDS, Kind, Name, told
from conformance.migrate.log import checkpoint_digest, event_digest, events, first_of, head_of
from conformance.migrate.side import Opened
from conformance.migrate.views import views_of
from conformance.values.canonical import canonical

_SHOWN = 200
#: How often somebody is told how far it has come.
_EVERY = 200


@dataclass
class Compared:
    """What a comparison of the stores of a contract came to.

    Args:
        contract: Which one.
        records: How many the source has.
        source: The digest of all that the source has.
        target: That of the target.
        differences: How many records differ.
        first: The first that differs, in words; empty when none does.
        views: How many views of runs were compared, by name.
    """

    contract: str
    records: int = 0
    source: str = ""
    target: str = ""
    differences: int = 0
    first: str = ""
    views: dict[str, int] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and self.source == self.target

    def differs(self, what: str, source: Any, target: Any) -> None:
        """Note a difference."""
        self.differences += 1
        shown = f"{what}: the source has {literal(source, _SHOWN)}, the target {literal(target, _SHOWN)}"
        self.first = self.first or shown


class _Whole:
    """The digest of a whole: of the names and digests of its records, in the order of their names."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, name: Any, record_digest: str) -> None:
        self._hash.update(f"{canonical(name)} {record_digest}\n".encode("utf-8", "surrogatepass"))

    def hex(self) -> str:
        return self._hash.hexdigest()


def compare(source: Opened, target: Opened, scopes: tuple[str, ...], tell: Callable[[int, int], None]) -> Compared:
    """Read all of both stores, and compare it.

    Args:
        source: One store.
        target: The other one, of the same contract.
        scopes: The scopes of a layered store that were asked for.
        tell: Called with how many records were compared, and of how many.

    Raises:
        Stopped: A store fails, or a record has no digest.
    """
    found = Compared(source.contract)
    if source.contract not in KINDS:
        _compare_logs(source, target, found, tell)
        return found
    kind = KINDS[source.contract]
    names = sorted(kind.names(source, source, scopes))
    others = sorted(kind.names(target, source, scopes))
    wholes = _Whole(), _Whole()
    for number, (name, in_source, in_target) in enumerate(_together(names, others), 1):
        record = kind.read(source, name) if in_source else ABSENT
        other = kind.read(target, name) if in_target else ABSENT
        digests = [_added(wholes[0], source, name, record), _added(wholes[1], target, name, other)]
        found.records += record is not ABSENT
        if digests[0] != digests[1]:
            found.differs(told(name), record, other)
        elif not kind.same(kind.more(source, name), kind.more(target, name)):
            found.differs(f"{told(name)} expires", kind.more(source, name), kind.more(target, name))
        elif kind.contract == "runs" and record is not ABSENT:
            _compare_views(kind, source, target, (name, record, other), found)
        if number % _EVERY == 0:
            tell(number, len(names))
    found.source, found.target = wholes[0].hex(), wholes[1].hex()
    return found


def check_digests(source: Opened, scopes: tuple[str, ...]) -> None:
    """Refuse a store with a record that has no digest, before any of it is copied.

    Args:
        source: The store.
        scopes: The scopes of a layered store that were asked for.

    Raises:
        Unfit: It has one.
        Stopped: The store fails.
    """
    if source.contract not in KINDS:
        for position, event in events(source):
            event_digest(source, position, event, Unfit)
        checkpoint_digest(source, Unfit)
        return
    kind = KINDS[source.contract]
    for name in kind.names(source, source, scopes):
        digest_of(kind.read(source, name), _what(source, name), source, Unfit)


def _what(store: Opened, name: Name) -> str:
    return f"{store.contract} {told(name)}"


def _added(whole: _Whole, store: Opened, name: Name, record: Any) -> str:
    if record is ABSENT:
        return ""
    one = digest_of(record, _what(store, name), store)
    whole.add(list(name), one)
    return one


def _together(names: Sequence[Name], others: Sequence[Name]) -> Iterator[tuple[Name, bool, bool]]:
    """Give each name of either sorted list, whether the first has it, and whether the second has."""
    here, there = 0, 0
    while here < len(names) or there < len(others):
        name = min((*names[here : here + 1], *others[there : there + 1]))
        in_names, in_others = names[here : here + 1] == [name], others[there : there + 1] == [name]
        yield name, in_names, in_others
        here, there = here + in_names, there + in_others


def _compare_views(kind: Kind, source: Opened, target: Opened, pair: tuple[Name, Any, Any], found: Compared) -> None:
    name, record, other = pair
    views = views_of(record, _finder(kind, source)), views_of(other, _finder(kind, target))
    for view, seen in views[0].items():
        found.views[view] = found.views.get(view, 0) + 1
        what = f"the {view} of run {told(name)}"
        if digest_of(seen, what, source) != digest_of(views[1][view], what, target):
            found.differs(f"{told(name)}, the {view}", seen, views[1][view])


def _finder(kind: Kind, store: Opened) -> Callable[[str], Any]:
    def find(run_id: str) -> Any:
        found = kind.read(store, (run_id,))
        return None if found is ABSENT else found

    return find


def _compare_logs(source: Opened, target: Opened, found: Compared, tell: Callable[[int, int], None]) -> None:
    wholes = _Whole(), _Whole()
    head = head_of(source)
    for one, other in zip_longest(events(source), events(target)):
        digests = [
            event_digest(log, pair[0], pair[1]) if pair else "" for log, pair in ((source, one), (target, other))
        ]
        if one is not None:
            found.records += 1
            wholes[0].add(one[0], digests[0])
        if other is not None:
            wholes[1].add(other[0], digests[1])
        if one is None or other is None or one[0] != other[0] or digests[0] != digests[1]:
            position = (one or other or (0, None))[0]
            found.differs(f"event {position}", ABSENT if one is None else one[1], ABSENT if other is None else other[1])
        if found.records % _EVERY == 0:
            tell(found.records, head)
    if (head_of(source), first_of(source)) != (head_of(target), first_of(target)):
        ends = [f"{first_of(log)} to {head_of(log)}" for log in (source, target)]
        found.differs("the log's first and last position", *ends)
    if source.offers("compaction") and target.offers("compaction"):
        checkpoints = [checkpoint_digest(log) for log in (source, target)]
        if checkpoints[0] != checkpoints[1]:
            found.differs("the digest of the latest checkpoint", *checkpoints)
    found.source, found.target = wholes[0].hex(), wholes[1].hex()
