"""The verbs of a state, as programs: what each asks the server, and what it makes of the replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reference_backends._errors import ConflictError
from reference_backends._json import dumps, loads
from reference_backends.redis.command import Command, Part, Program, Script, evaluated, plain
from reference_backends.redis.place import Place
from reference_backends.redis.records import (
    deadline,
    decode_key,
    decode_record,
    encode_key,
    encode_record,
    text_of,
)
from reference_backends.redis.state_scripts import CLEAR, COMMIT, COUNT, FIND, LIST, LOAD, READ, REMOVE, SAVE

#: How many records are fetched at once, where all are needed.
PAGE_RECORDS = 500

#: What a key is to be: its record and its deadline, both empty to delete it.
Write = tuple[bytes, str]

DELETED: Write = (b"", "")


def command(place: Place, script: Script, *arguments: Part, keys: Sequence[bytes] = (), looks: bool = True) -> Command:
    """Return the command that runs a script of the state."""
    return evaluated(script, (*place.state_keys, *keys), place.now(), *arguments, looks=looks)


def commit(place: Place, reads: Mapping[bytes, bytes], membership: bytes, writes: Mapping[bytes, Write]) -> Command:
    """Return the command that makes all writes if all that was read is still so."""
    read = [part for pair in reads.items() for part in pair]
    written = [part for name, write in writes.items() for part in (name, *write)]
    keys = [place.versions(name) for name in writes]
    return command(place, COMMIT, membership, len(reads), *read, *written, keys=keys, looks=not writes)


def get(place: Place, key: str) -> Program[Any]:
    """Return the value of a key; raise KeyError when it is missing."""
    name = encode_key(key)
    version, record, *_ = yield command(place, READ, name)
    if version is None:
        raise KeyError(key)
    return loads(text_of(name, version, record))


def contains(place: Place, key: object) -> Program[bool]:
    """Tell whether a key is present."""
    found, _ = yield command(place, FIND, encode_key(key))
    return found is not None


def version(place: Place, key: str) -> Program[int | None]:
    """Return the version of a key, None when it is missing."""
    found, _ = yield command(place, FIND, encode_key(key))
    return None if found is None else int(found)


def expires_at(place: Place, key: str) -> Program[float | None]:
    """Return when a key expires, None for never; raise KeyError when it is missing."""
    found, instant = yield command(place, FIND, encode_key(key))
    if found is None:
        raise KeyError(key)
    return None if instant is None else float(instant)


def keys(place: Place) -> Program[list[str]]:
    """Return the keys that are present, sorted: so the order does not depend on the server."""
    pairs, *_ = yield command(place, LIST)
    return sorted(decode_key(name) for name in pairs[::2])


def length(place: Place) -> Program[int]:
    """Return how many keys are present."""
    present, *_ = yield command(place, COUNT, keys=[place.snapshots])
    return int(present)


def put(place: Place, key: str, value: Any, ttl: float | None = None) -> Program[None]:
    """Write a value, and its expiry or that it has none."""
    name = encode_key(key)
    write = (encode_record(name, dumps(value)), deadline(place.clock(), ttl))
    yield commit(place, {}, b"", {name: write})


def update(place: Place, values: Iterable[tuple[str, Any]]) -> Program[None]:
    """Write several values, all or none."""
    writes: dict[bytes, Write] = {}
    for key, value in values:
        name = encode_key(key)
        writes[name] = (encode_record(name, dumps(value)), "")
    if writes:
        yield commit(place, {}, b"", writes)


def compare_and_set(place: Place, key: str, value: Any, expected: int | None) -> Program[int]:
    """Write a value if the version is the expected one, and return the new one; raise ConflictError otherwise."""
    name = encode_key(key)
    write = (encode_record(name, dumps(value)), "")
    # True is no version, although it equals 1; what is no version at all is sent as one that no key ever has.
    wanted = b"" if expected is None else b"%d" % expected if type(expected) is int else b"none"
    outcome, *rest = yield commit(place, {name: wanted}, b"", {name: write})
    if outcome == b"conflict":
        found = rest[1].decode() or None
        raise ConflictError(
            f"The version of {key!r} is {found}, not {expected!r}: somebody wrote or deleted it, and nothing was "
            f"changed. Read it again, and decide again."
        )
    return int(rest[2][0])


def remove(place: Place, key: str) -> Program[Any]:
    """Delete a key and return the value that it had; raise KeyError when it is missing."""
    name = encode_key(key)
    found = yield command(place, REMOVE, name, looks=False)
    if found is None:
        raise KeyError(key)
    return loads(text_of(name, *found))


def delete(place: Place, key: str) -> Program[None]:
    """Delete a key, whatever its value; raise KeyError when it is missing."""
    if (yield command(place, REMOVE, encode_key(key), looks=False)) is None:
        raise KeyError(key)


def remove_some(place: Place) -> Program[tuple[str, Any]]:
    """Delete some key and return it with its value; raise KeyError when there is none."""
    while True:
        present = yield from keys(place)
        if not present:
            raise KeyError("The store is empty.")
        name = encode_key(present[-1])
        found = yield command(place, REMOVE, name, looks=False)
        if found is not None:  # nobody took it meanwhile
            return present[-1], loads(text_of(name, *found))


def set_default(place: Place, key: str, default: Any) -> Program[Any]:
    """Return the value of a key; write the default first when it is missing."""
    while True:  # until nobody comes in between, who made the key come or go
        try:
            return (yield from get(place, key))
        except KeyError:
            pass
        try:
            yield from compare_and_set(place, key, default, None)
        except ConflictError:
            continue
        return default


def clear(place: Place) -> Program[None]:
    """Delete every key."""
    yield command(place, CLEAR, looks=False)


def versions(place: Place, key: str, limit: int | None = None) -> Program[list[int]]:
    """Return the versions that a key ever had, newest first, at most `limit`."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit={limit!r} is negative: give the number of versions wanted, or None for all.")
    name = encode_key(key)
    if limit == 0:
        return []
    found = yield plain("LRANGE", place.versions(name), -(limit or 0), -1, looks=True)
    return [int(each) for each in reversed(found)]


def get_version(place: Place, key: str, wanted: int) -> Program[Any]:
    """Return the value that a key had at a version; raise KeyError when it never had that version."""
    name = encode_key(key)
    if type(wanted) is not int:
        raise KeyError(key, wanted)
    record = yield plain("HGET", place.records, b"%d" % wanted, looks=True)
    if record is None:
        raise KeyError(key, wanted)
    found, text = decode_record(f"key {name!r} version {wanted}", record)
    if found != name:
        raise KeyError(key, wanted)
    return loads(text)


def save_snapshot(place: Place, snapshot: str) -> Program[None]:
    """Keep the whole state under a name, instead of an older snapshot of that name."""
    name = encode_key(snapshot)
    yield command(place, SAVE, name, keys=[place.snapshots, place.snapshot(name)], looks=False)


def load_snapshot(place: Place, snapshot: str) -> Program[dict[str, Any]]:
    """Return the state kept under a name; raise KeyError when there is none."""
    name = encode_key(snapshot)
    pairs = yield command(place, LOAD, name, keys=[place.snapshots, place.snapshot(name)])
    if pairs is None:
        raise KeyError(snapshot)
    return {decode_key(each[0]): loads(text_of(*each)) for each in (yield from records_of(place, pairs))}


def list_snapshots(place: Place) -> Program[list[str]]:
    """Return the names of all snapshots, sorted."""
    found = yield plain("SMEMBERS", place.snapshots, looks=True)
    return sorted(decode_key(name) for name in found)


def ping() -> Program[bool]:
    """Return True when the server answers."""
    return bool((yield plain("PING", looks=True)) == b"PONG")


def stats(place: Place) -> Program[dict[str, int]]:
    """Return how many keys, versions of all keys, and snapshots there are."""
    present, kept, snapshots = yield command(place, COUNT, keys=[place.snapshots])
    return {"keys": present, "versions": kept, "snapshots": snapshots}


def records_of(place: Place, pairs: list[bytes]) -> Program[list[tuple[bytes, bytes, bytes | None]]]:
    """Return keys with their versions and the records of these, which never change.

    Args:
        place: The place.
        pairs: Keys and versions by turns, as the server gives a hash.
    """
    names, numbers = pairs[::2], pairs[1::2]
    records: list[bytes | None] = []
    for at in range(0, len(numbers), PAGE_RECORDS):
        records += yield plain("HMGET", place.records, *numbers[at : at + PAGE_RECORDS], looks=True)
    return list(zip(names, numbers, records, strict=True))
