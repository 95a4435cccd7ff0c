"""Zones: the exact O(n log n) test of one register whose written values are unique; puts, gets and swaps that answered.

The operations of a value, its write and whoever saw it, come one after another in every legal order. Values that were
swapped one for the next make one chain. A chain whose first end comes before its last call must be current from the one
to the other. A history is linearizable if these times are apart, no other chain lies wholly inside one of them, and no
chain contradicts itself. A write that crashed took effect if somebody saw its value; otherwise it may be left out.

Source: Gibbons & Korach, Testing Shared Memories, SIAM J. Comput. 1997, section 4 (one read mapping); the chains of
swaps and the crashed operations are added here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from conformance.histories.operation import NEVER, Operation, told
from conformance.histories.verdict import Verdict

NAME = "zones"


class Zone(NamedTuple):
    """What is known of the time of a chain of values.

    It is current from `low` to `high` if that is forward, and otherwise at some moment from `high` to `low`.

    Args:
        low: The smallest end of an operation of the chain.
        high: The largest call.
        chain: The values, each swapped for the next.
        ended: The operation that ended at `low`; None for the start of the history.
        called: The operation that was called at `high`; None where nobody saw the value at the start.
    """

    low: int
    high: int
    chain: Sequence[Any]
    ended: Operation | None
    called: Operation | None


def check_zones(operations: Sequence[Operation], initial: Any = None) -> Verdict | None:
    """Return whether the history of one key is linearizable; None where it is outside the class.

    Args:
        operations: All of one key.
        initial: What it held at the start.
    """
    zones = zones_of(operations, initial)
    if zones is None or isinstance(zones, Verdict):
        return zones
    return conflict(zones) or Verdict("linearizable", checker=NAME)


def zones_of(
    operations: Iterable[Operation], initial: Any = None, *, deleted: bool = False
) -> list[Zone] | Verdict | None:
    """Return the zones of all chains; a verdict if one contradicts itself; None if the history is outside the class.

    Args:
        operations: All of one key.
        initial: What it held at the start.
        deleted: Whether deletes were left out. "Missing" is then not one value, and who saw it is not looked at.
    """
    writes: dict[Any, Operation] = {}
    reads: dict[Any, list[Operation]] = {}
    plain = True
    for operation in operations:
        _, _, _, verb, _, value, _, answer, outcome = operation
        if outcome == "fail":
            continue
        if verb == "get":
            if outcome == "ok" and not (deleted and answer is None):
                known = reads.get(answer)
                if known is None:
                    reads[answer] = [operation]
                else:
                    known.append(operation)
            continue
        if verb not in ("put", "cas") or (verb == "cas" and outcome == "ok" and not answer):
            return None
        if value in writes or value is None or value == initial:
            return None
        writes[value] = operation
        if verb == "cas" or outcome == "info":
            plain = False
    for value in reads:
        if value not in writes and value != initial:
            return _broken(f"{told(reads[value][0])} saw what nobody wrote", reads[value][0])
    if plain:
        chains: Sequence[Sequence[Any]] | Verdict = [(value,) for value in (initial, *writes)]
    else:
        chains = _chains(writes, reads, initial, deleted=deleted)
    return chains if isinstance(chains, Verdict) else _all_zones(chains, writes, reads)


def _chains(
    writes: Mapping[Any, Operation], reads: Mapping[Any, Sequence[Operation]], initial: Any, *, deleted: bool
) -> list[list[Any]] | Verdict:
    """Return the chains of the values that were current at some time."""
    after: dict[Any, Any] = {}
    seen = [value for value, write in writes.items() if write.outcome == "ok" or value in reads]
    heads = [initial]
    happened = set(seen)
    while seen:
        value = seen.pop()
        write = writes[value]
        old = write.expected
        if write.verb == "put" or (deleted and old is None):
            heads.append(value)
            continue
        if old in after:
            return _broken(f"two swaps of {_name(old)} succeeded, which was written once", writes[after[old]], write)
        after[old] = value
        if old != initial and old not in happened:
            if old not in writes:
                return _broken(f"{told(write)} saw what nobody wrote", write)
            happened.add(old)
            seen.append(old)
    chains = []
    for head in heads:
        chain = [head]
        while chain[-1] in after:
            chain.append(after.pop(chain[-1]))
        chains.append(chain)
    if after:
        circle = [next(iter(after))]
        while (value := after[circle[-1]]) != circle[0]:
            circle.append(value)
        swaps = [writes[value] for value in circle]
        return _broken("values were swapped in a circle, though each was written once", *swaps[:4])
    return chains


def _all_zones(
    chains: Sequence[Sequence[Any]], writes: Mapping[Any, Operation], reads: Mapping[Any, Sequence[Operation]]
) -> list[Zone] | Verdict:
    zones: list[Zone] = []
    for chain in chains:
        low, high = NEVER, -NEVER
        ended: Operation | None = None
        called: Operation | None = None
        for value in chain:
            write = writes.get(value)
            if write is None:
                low = -NEVER
            else:
                end = write.end if write.outcome == "ok" else NEVER
                if end < high and called:
                    return _backwards(called, write)
                if end < low:
                    low, ended = end, write
                if write.call > high:
                    high, called = write.call, write
            # Whoever saw the value comes after its write, and after all of the chain before that; of these, `before`
            # is the one that was called last.
            latest, before = high, called
            for read in reads.get(value, ()):
                call, end = read[0], read[1]
                if end < latest and before:
                    return _backwards(before, read)
                if end < low:
                    low, ended = end, read
                if call > high:
                    high, called = call, read
        zones.append(Zone(low, high, chain, ended, called))
    return zones


def forward(zones: Iterable[Zone]) -> list[Zone]:
    """Return the zones in which a chain is current throughout, in order of time."""
    return sorted((zone for zone in zones if zone[0] < zone[1]), key=_low)


def around(forwards: Sequence[Zone], lows: Sequence[int], call: int, end: int) -> Zone | None:
    """Return the forward zone that begins before `call` and lasts beyond `end`; they are apart and in order."""
    place = bisect_left(lows, call) - 1
    return forwards[place] if place >= 0 and end < forwards[place].high else None


def conflict(zones: Sequence[Zone]) -> Verdict | None:
    """Return which zones can't be in one history, if any."""
    forwards = forward(zones)
    for one, other in pairwise(forwards):
        if other.low < one.high:
            why = f"{name(one)} and {name(other)} must both be current at the same time"
            return _broken(why, one.ended, one.called, other.ended, other.called)
    lows = [zone.low for zone in forwards]
    for zone in zones:
        if zone[0] >= zone[1] and (outer := around(forwards, lows, zone[1], zone[0])):
            why = f"{name(zone)} falls wholly inside the time when {name(outer)} must be current"
            return _broken(why, outer.ended, outer.called, zone.ended, zone.called)
    return None


def name(zone: Zone) -> str:
    """Return the value of a zone, or the first and the last of its chain."""
    first, last = zone.chain[0], zone.chain[-1]
    return _name(first) if len(zone.chain) == 1 else f"{_name(first)}, swapped on to {_name(last)},"


def _name(value: Any) -> str:
    return "missing" if value is None else repr(value)


def _low(zone: Zone) -> int:
    return zone.low


def _backwards(first: Operation, second: Operation) -> Verdict:
    return _broken(f"{told(second)} returned before {told(first)} was called, but must come after it", first, second)


def _broken(why: str, *operations: Operation | None) -> Verdict:
    witness = tuple(sorted({one for one in operations if one}, key=lambda one: one.call))
    return Verdict("not linearizable", why, witness, witness[0].key if witness else None, NAME)
