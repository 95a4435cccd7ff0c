"""The `state` contract: a mapping from text keys to values, on something that lasts.

A state store is a `MutableMapping[str, Value]` with `close()`. An async store has the same verbs as `async def`
(`__getitem__`, `__setitem__`, `__delitem__`, `__contains__`, `__len__`, `close`) and `__aiter__`; `conformance.adapt`
makes either form of a store that has other names.

Values
    `Value` is JSON: None, bool, int of any size, float, str, list, dict with str keys. A value read back equals the
    value stored in type and content: `1` is not `True` nor `1.0`, `-0.0` keeps its sign, a list is not a tuple. The
    order of the keys of a dict is not part of the value. Whatever is outside the promised domain (`values=`), NaN,
    infinities and lone surrogates included, is *accepted exactly or refused loudly* with a TypeError or ValueError
    before anything is changed; it is never altered. What is read is a copy: changing it, or changing what was stored,
    does not change the store.

Keys
    Any str. Keys are compared exactly: no case folding, normalising, trimming, cutting or escaping shows. The empty
    key, keys with NUL or lone surrogates, and keys of more than 255 bytes are accepted exactly or refused loudly;
    every other key is accepted. A missing key raises KeyError, or the type named in `errors["missing"]`.

Whole writes
    A write replaces the whole value. A write that fails leaves the old value, and every other key, as it was. Deleting
    removes the key and nothing else; deleting a missing key raises KeyError or does nothing. A deleted key stays
    deleted until it is written again.

Listing
    Iteration gives every present key exactly once, in any order; `len` and `in` agree with it.

Lifetime
    An operation is acknowledged when its call returned, or when the next `flush` did where the backend gives one. What
    was acknowledged is there after `close` and reopening, in this process or another (durability `clean-close` or
    better), and at once for every other handle (sharing `processes`). Closing twice is harmless. A closed store
    refuses, or does what is asked in full; it never acknowledges a write that is not there afterwards.

Capabilities, each declared by its methods:

`cas`
    `version(key)` is a token that is different after every successful write of the key, equal values included; None
    when the key is missing. `compare_and_set(key, value, expected)` writes only if the key's version is `expected`
    (None: only if the key is missing), and returns the new version. A refusal is an exception (`errors["conflict"]`
    names it) or the return value False; it changes nothing. A version from before a delete never matches after it.

`transactions`
    `transaction()` is a context manager that gives a mapping. The mapping shows the transaction's own writes, its
    operations take effect in their order, all together when the block ends, or not at all when the block raises; the
    exception is passed on. An empty transaction does nothing. The mapping refuses use after its end.

`ttl`
    `set(key, value, ttl=seconds)`; `expires_at(key)` is POSIX seconds by `where.clock`, or None without expiry. From
    that instant on, that instant included, the key is missing for every verb. `set` without ttl and `store[key] =
    value` remove an expiry. A ttl that is not a positive number is refused, or expires the key at once. Expiry survives
    reopening. A key that was seen expired stays so when the clock steps back.

`history`
    `versions(key, limit=None)` lists the ids of the versions of a key, newest first, `[]` for a key never written; the
    newest is the present value's. `get_version(key, version)` gives that version's value, unchanged for ever, also
    after the key was overwritten or deleted; an unknown version raises KeyError.

`snapshots`
    `save_snapshot(name)` keeps the whole state under a name, replacing an older one of that name; `load_snapshot(name)`
    returns that state as a mapping and changes nothing; `list_snapshots()` lists each name once. An unknown name raises
    KeyError. Later writes do not change a snapshot, and it survives reopening.

`health`
    `ping()` is truthy while the store is usable, and falsy or an exception after close. `stats()` is a mapping of JSON
    values; `stats()["keys"]`, where given, equals `len(store)`. Neither changes the store.

`maintenance`
    Any of: `flush()` acknowledges all writes so far; `compact()` reclaims space and is invisible to every other verb;
    `verify()` returns a report with `healthy` (a count) and `damaged` (a sequence, empty for a sound store), as
    attributes or keys.

`repair`
    `repair()` gives up what is damaged and keeps all else, so that the store can be read and written again. It returns
    a report with `dropped` (a sequence, empty where nothing was), as attribute or key.

Sources: collections.abc.MutableMapping; RFC 8259; the property checklist KV-01 to KV-63, TX-01 to TX-09, VS-01 to
VS-15.
"""

from __future__ import annotations

from conformance.contracts import Capability, Contract

CONTRACT = Contract(
    name="state",
    verbs=("__getitem__", "__setitem__", "__delitem__", "__iter__|__aiter__", "__len__"),
    capabilities=(
        Capability("cas", ("version", "compare_and_set")),
        Capability("transactions", ("transaction",)),
        Capability("ttl", ("expires_at",), parameter="set:ttl"),
        Capability("history", ("versions", "get_version")),
        Capability("snapshots", ("save_snapshot", "load_snapshot", "list_snapshots")),
        Capability("health", ("ping", "stats")),
        Capability("maintenance", any_of=("flush", "compact", "verify")),
    ),
)
