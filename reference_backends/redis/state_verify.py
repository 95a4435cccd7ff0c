"""Reading a whole state, to see what of it is damaged."""

from __future__ import annotations

from typing import Any

from reference_backends._errors import CorruptRecord, Damage, Report
from reference_backends.redis.command import Program, plain
from reference_backends.redis.place import Place
from reference_backends.redis.records import decode_record, text_of
from reference_backends.redis.state_programs import PAGE_RECORDS, command, records_of
from reference_backends.redis.state_scripts import LIST, LOAD


def verify(place: Place) -> Program[Report]:
    """Read every record there is, and return how many keys are whole, and what is damaged.

    The records are read in pieces, because the server has others to answer as well. Whoever writes meanwhile does no
    harm: a record never changes.
    """
    owners: dict[bytes, bytes | None] = {}  # of each version its key; None where the record is damaged
    damaged: list[Damage] = []
    cursor: Any = b"0"
    while True:
        cursor, found = yield plain("HSCAN", place.records, cursor, "COUNT", PAGE_RECORDS, looks=True)
        for number, record in zip(found[::2], found[1::2], strict=True):
            try:
                owners[number], _ = decode_record(f"version {number.decode('ascii', 'replace')}", record)
            except CorruptRecord as error:
                owners[number] = None
                damaged.append(Damage(error.where, error.what))
        if cursor == b"0":
            break
    pairs, *_ = yield command(place, LIST)
    lost = yield from _not_whole(place, pairs, owners, damaged)
    for name in (yield plain("SMEMBERS", place.snapshots, looks=True)):
        kept = yield command(place, LOAD, name, keys=[place.snapshots, place.snapshot(name)])
        yield from _not_whole(place, kept or [], owners, damaged)
    return Report(len(pairs) // 2 - lost, tuple(dict.fromkeys(damaged)))


def _not_whole(
    place: Place, pairs: list[bytes], owners: dict[bytes, bytes | None], damaged: list[Damage]
) -> Program[int]:
    """Return how many of some keys with their versions are not whole, and add what is not known of that already."""
    lost, unknown = 0, []
    for name, number in zip(pairs[::2], pairs[1::2], strict=True):
        if number in owners and owners[number] is None:
            lost += 1
        elif owners.get(number) != name:
            unknown += [name, number]
    for each in (yield from records_of(place, unknown)):
        try:
            text_of(*each)
        except CorruptRecord as error:
            lost += 1
            damaged.append(Damage(error.where, error.what))
    return lost
