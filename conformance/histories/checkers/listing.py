"""Listing while others write: what was there all the time is listed, once; what was gone all the time is not.

Of keys that come or go meanwhile nothing is asked: most stores list without stopping the writers. Source: the
guarantees of Redis's SCAN, but for the keys that it may give twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from conformance.histories.operation import History, Operation, by_key
from conformance.histories.verdict import Verdict

_CHECKER = "listing"


def check_listing(history: History) -> Verdict:
    """Return whether each `list` of a history of puts, deletes and gets could answer as it did."""
    changes = {
        key: [operation for operation in operations if operation.verb in ("put", "delete")]
        for key, operations in by_key(history).items()
        if key is not None
    }
    for operation in history:
        if operation.verb == "list" and operation.outcome == "ok":
            verdict = _listed(operation, changes)
            if verdict is not None:
                return verdict
    return Verdict("linearizable", checker=_CHECKER)


def _listed(listing: Operation, changes: Mapping[object, Sequence[Operation]]) -> Verdict | None:
    counts = Counter(listing.answer)
    for key, count in counts.items():
        if count > 1:
            return _broken(f"{key!r} is listed {count} times", key, (listing,))
        if key not in changes:
            return _broken(f"{key!r} is listed, and nobody wrote it", key, (listing,))
    for key, made in changes.items():
        put = _there(listing, made)
        if put is not None and key not in counts:
            return _broken(f"{key!r} was there all the time, and is not listed", key, (put, listing))
        delete = _gone(listing, made)
        if delete is not None and key in counts:
            return _broken(f"{key!r} was gone all the time, and is listed", key, (delete, listing))
    return None


def _there(listing: Operation, made: Sequence[Operation]) -> Operation | None:
    """Return a put that makes a key be there as long as the listing goes on, whatever else was done."""
    for put in made:
        if put.verb != "put" or put.outcome != "ok" or put.end >= listing.call:
            continue
        deletes = (one for one in made if one.verb == "delete" and one.outcome != "fail")
        if all(one.end < put.call or one.call > listing.end for one in deletes):
            return put
    return None


def _gone(listing: Operation, made: Sequence[Operation]) -> Operation | None:
    """Return a delete that makes a key be gone as long as the listing goes on, whatever else was done."""
    for delete in made:
        if delete.verb != "delete" or delete.outcome != "ok" or delete.end >= listing.call:
            continue
        puts = (one for one in made if one.verb == "put" and one.outcome != "fail")
        if all(one.end < delete.call or one.call > listing.end for one in puts):
            return delete
    return None


def _broken(why: str, key: object, witness: tuple[Operation, ...]) -> Verdict:
    return Verdict("not linearizable", why, witness, key, _CHECKER)
