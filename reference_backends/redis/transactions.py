"""A transaction: what it read and is to write, until the server makes all of it one step, or nothing of it.

Nothing is locked, and no connection is held while the block runs. Each read is noted with the version that it saw, a
listing with the membership of the state. The commit is one script: it writes if all of that is still so. So whatever
commits, might have happened at that instant as a whole: the transactions are serializable, phantoms included.

A block must not see two states at once either, although it would not commit: it might divide by what can't be zero. So
each reply has the stamp of the state. Where it is not that of the reply before, all reads so far are validated in one
more step (NOrec: Dalessandro, Spear, Scott, PPoPP 2010). A transaction that only reads needs no commit.

WATCH, MULTI and EXEC do the same with a connection that is held during the block, and know only whole keys of the
server: a state in one hash would conflict with everything.
"""

from __future__ import annotations

from typing import Any

from reference_backends._errors import ConflictError
from reference_backends._json import dumps, loads
from reference_backends.redis.command import Program
from reference_backends.redis.place import Place
from reference_backends.redis.records import decode_key, encode_key, encode_record, text_of
from reference_backends.redis.state_programs import DELETED, Write, command, commit
from reference_backends.redis.state_scripts import LIST, READ


class Draft:
    """A state as a transaction sees and changes it.

    Every verb raises ValueError after the end, and ConflictError once it has seen that somebody came in between.

    Args:
        place: Where the state is.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._reads: dict[bytes, bytes] = {}  # the version of each key; empty where it was missing
        self._texts: dict[bytes, str | None] = {}  # the value of each key that was read or written; None: missing
        self._writes: dict[bytes, Write] = {}
        self._listed: set[bytes] | None = None
        self._membership = b""
        self._stamp: list[bytes] | None = None
        self._refusal: Exception | None = None

    def end(self) -> None:
        """Refuse all use from now on."""
        self._refusal = ValueError("The transaction has ended: its mapping can't be used any more.")

    def get(self, key: str) -> Program[Any]:
        """Return the value of a key; raise KeyError when it is missing."""
        text = yield from self._text(encode_key(key))
        if text is None:
            raise KeyError(key)
        return loads(text)

    def contains(self, key: object) -> Program[bool]:
        """Tell whether a key is present."""
        return (yield from self._text(encode_key(key))) is not None

    def put(self, key: str, value: Any) -> None:
        """Write a value, when all is written."""
        self._refuse()
        name, text = encode_key(key), dumps(value)
        self._texts[name] = text
        self._writes[name] = (encode_record(name, text), "")

    def delete(self, key: str) -> Program[None]:
        """Delete a key, when all is written; raise KeyError when it is missing."""
        name = encode_key(key)
        if (yield from self._text(name)) is None:
            raise KeyError(key)
        self._texts[name] = None
        self._writes[name] = DELETED

    def keys(self) -> Program[list[str]]:
        """Return the keys that are present, sorted."""
        self._refuse()
        if self._listed is None:
            pairs, *stamp = yield command(self._place, LIST)
            self._listed, self._membership = set(pairs[::2]), stamp[1]
            yield from self._saw(stamp)
        written = {name for name, write in self._writes.items() if write != DELETED}
        return sorted(decode_key(name) for name in self._listed - self._writes.keys() | written)

    def commit(self) -> Program[None]:
        """Make all writes, if nobody came in between.

        Raises:
            ConflictError: Somebody did. Nothing was changed.
        """
        self._refuse()
        if self._writes:
            yield from self._settled(self._writes)

    def _text(self, name: bytes) -> Program[str | None]:
        self._refuse()
        if name not in self._texts:
            version, record, *stamp = yield command(self._place, READ, name)
            self._reads[name] = version or b""
            yield from self._saw(stamp)
            self._texts[name] = None if version is None else text_of(name, version, record)
        return self._texts[name]

    def _saw(self, stamp: list[bytes]) -> Program[None]:
        if self._stamp is not None and stamp != self._stamp:
            stamp = yield from self._settled({})
        self._stamp = stamp

    def _settled(self, writes: dict[bytes, Write]) -> Program[list[bytes]]:
        """Make writes if all that was read is still so, and return the stamp of the state."""
        outcome, *rest = yield commit(self._place, self._reads, self._membership, writes)
        if outcome == b"conflict":
            what = f"{decode_key(rest[0])!r} was" if rest else "Keys were"
            self._refusal = ConflictError(
                f"{what} changed by somebody else since this transaction looked; nothing of it was written. Do all of "
                f"it again, from its first read on."
            )
            raise self._refusal
        stamp: list[bytes] = rest[:2]
        return stamp

    def _refuse(self) -> None:
        if self._refusal is not None:
            raise self._refusal
