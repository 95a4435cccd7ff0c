"""The life of a state store: writes, deletes, snapshots, compactions and reopenings, and what must be read ever after.

What was there at each time is kept beside the store. So whoever looks at the store later, in this process or in one of
another world, can be compared with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from conformance.session import Handle, Session
from conformance.values import domain
from conformance.values.equality import same

KEYS = ("a", "b", "a/b", "clé", "k" * 40)
#: What is drawn: a store is written to more often than anything else.
_VERBS = ("write", "write", "write", "write", "delete", "snapshot", "compact", "reopen")
#: Times in a life that all is read.
_LOOKS = 4

#: What has no value: the mark that a delete may leave in a history.
NO_VALUE = "no value"


@dataclass(frozen=True)
class Offered:
    """What of a store is used.

    Args:
        cas: Whether keys have version tokens.
        history: Whether old versions can be read.
        snapshots: Whether the state can be kept under a name.
        compact: Whether it can be compacted.
        lasting: Whether it outlives its handle.
    """

    cas: bool
    history: bool
    snapshots: bool
    compact: bool
    lasting: bool


@dataclass
class Known:
    """What must be read of a store.

    Args:
        entries: The present keys.
        tokens: The version token of each present key.
        versions: Of each key that was ever written the id and the value of each write, oldest first.
        snapshots: The state under each name.
    """

    entries: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> Known:
        """Return what is known now; values are never changed."""
        versions = {key: list(found) for key, found in self.versions.items()}
        return Known(dict(self.entries), dict(self.tokens), versions, dict(self.snapshots))


@dataclass(frozen=True)
class Look:
    """What was read of a store.

    Args:
        entries: The keys as they are listed, with their values.
        length: What `len` gave.
        tokens: The version token of each key of the script.
        versions: Of each key of the script the ids as they are listed, with their values.
        snapshots: The names as they are listed, with what was loaded.
    """

    entries: list[tuple[str, Any]]
    length: int
    tokens: dict[str, Any]
    versions: dict[str, list[tuple[Any, Any]]]
    snapshots: list[tuple[str, dict[str, Any]]]


#: Of a store that could not be read.
NOTHING = Look([], 0, {}, {}, [])


@dataclass(frozen=True)
class Sight:
    """A look, and what it had to show.

    Args:
        when: When, or where, it was taken.
        look: What was read.
        known: What must be read.
        calls: How many calls had been made to the store by then.
        error: What the store raised there instead; empty if it was read.
        story: What else is told where it does not show what it had to.
    """

    when: str
    look: Look
    known: Known
    calls: int
    error: str = ""
    story: tuple[str, ...] = ()


@dataclass(frozen=True)
class Life:
    """A whole life.

    Args:
        sights: In their order.
        tokens: Of each key every token that it had after a write, in their order.
        calls: The source of each call, in their order.
    """

    sights: tuple[Sight, ...]
    tokens: Mapping[str, list[Any]]
    calls: tuple[str, ...]


def look_at(store: Handle, offered: Offered, missing: tuple[type[BaseException], ...]) -> Look:
    """Read all that a store has."""
    keys = store.keys()
    entries = [(key, store[key]) for key in keys]
    tokens = {key: store.version(key) for key in KEYS} if offered.cas else {}
    versions: dict[str, list[tuple[Any, Any]]] = {}
    for key in KEYS if offered.history else ():
        versions[key] = [(one, _value(partial(store.get_version, key, one), missing)) for one in store.versions(key)]
    snapshots: list[tuple[str, dict[str, Any]]] = []
    for name in store.list_snapshots() if offered.snapshots else ():
        loaded = store.load_snapshot(name)
        snapshots.append((name, {key: loaded[key] for key in loaded}))
    return Look(entries, len(store), tokens, versions, snapshots)


def look_again(
    session: Session, step: Callable[[], None], offered: Offered, missing: tuple[type[BaseException], ...]
) -> Look:
    """Open the store, and read all that it has; an errand."""
    store = session.open()
    step()
    return look_at(store, offered, missing)


def alike(one: Look, other: Look) -> bool:
    """Tell whether two looks show the same; in which order keys and names are listed is promised by nobody."""
    return same(_comparable(one), _comparable(other))


def _comparable(look: Look) -> tuple[Any, ...]:
    listed = (sorted(pairs, key=lambda pair: repr(pair[0])) for pairs in (look.entries, look.snapshots))
    return (*listed, look.length, look.tokens, look.versions)


def _value(read: Callable[[], Any], missing: tuple[type[BaseException], ...]) -> Any:
    try:
        return read()
    except missing:
        return NO_VALUE


def live(session: Session, offered: Offered, missing: tuple[type[BaseException], ...], steps: int, seed: int) -> Life:
    """Carry out a script that is drawn, looking at everything in between and in the end; what lasts is closed then.

    Args:
        session: An empty place.
        offered: What is used.
        missing: What is raised for what is not there.
        steps: Steps of the script.
        seed: It is drawn from this.
    """
    known, sights = Known(), []
    tokens: dict[str, list[Any]] = {key: [] for key in KEYS}
    store = session.open()

    def see(when: str) -> None:
        look = look_at(store, offered, missing)
        sights.append(Sight(when, look, known.copy(), len(session.recorder.calls)))

    for number, (verb, key) in enumerate(_script(steps, seed, offered)):
        if verb == "write":
            _write(store, offered, known, tokens, key, domain.numbered(session.backend.values, number))
        elif verb == "delete":
            if key in known.entries:
                del store[key]
                known.entries.pop(key)
                known.tokens.pop(key, None)
        elif verb == "snapshot":
            name = f"snapshot {number % 3}"
            store.save_snapshot(name)
            known.snapshots[name] = dict(known.entries)
        elif verb == "compact":
            store.compact()
        else:
            store = session.reopen(store)
        if number % max(1, steps // _LOOKS) == 0:
            see(f"after {number + 1} steps")
    see("at the end")
    if offered.compact:
        store.compact()
        see("after compacting it")
    if offered.lasting:
        store = session.reopen(store)
        see("after reopening it")
        store.acknowledge()
        store.close()
    return Life(tuple(sights), tokens, tuple(call.source for call in session.recorder.calls))


def _script(steps: int, seed: int, offered: Offered) -> Iterator[tuple[str, str]]:
    draw = random.Random(seed)
    refused = {
        verb
        for verb, offers in (
            ("snapshot", offered.snapshots),
            ("compact", offered.compact),
            ("reopen", offered.lasting),
        )
        if not offers
    }
    verbs = [verb for verb in _VERBS if verb not in refused]
    # Each verb once at least, in the order in which most goes wrong: what was deleted last is compacted, and written.
    first = [("write", "a"), ("write", "b"), ("write", "a"), ("snapshot", ""), ("delete", "a"), ("compact", "")]
    first += [("reopen", ""), ("write", "a"), ("write", "b")]
    yield from (step for step in first if step[0] not in refused)
    for _ in range(steps):
        yield draw.choice(verbs), draw.choice(KEYS)


def _write(store: Handle, offered: Offered, known: Known, tokens: dict[str, list[Any]], key: str, value: Any) -> None:
    store[key] = value
    known.entries[key] = value
    if offered.cas:
        known.tokens[key] = store.version(key)
        tokens[key].append(known.tokens[key])
    if offered.history:
        newest = store.versions(key)[:1]
        known.versions.setdefault(key, []).append((newest[0] if newest else None, value))
