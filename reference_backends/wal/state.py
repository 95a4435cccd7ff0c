"""A state folded from a log: every change is an event, the mapping is what the events add up to."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from reference_backends._errors import ConflictError
from reference_backends._json import check_key, dumps, loads
from reference_backends._mapping import AtomicMapping, Draft
from reference_backends.wal.errors import CorruptLog, Damage, Report
from reference_backends.wal.log import WalLog

#: Compaction begins when the log is so many times as long as the state, and at least so many events.
GARBAGE_FACTOR = 2
GARBAGE_EVENTS = 1_000
_NAME = re.compile(rb'\{"put": ("(?:[^"\\]|\\.)*"), "name": "([0-9a-f]{8})"')


class WalState(AtomicMapping):
    """A mutable mapping from text to JSON values, kept in a `WalLog`.

    The whole state is in memory; each verb first takes over what other handles appended. The name of the key in a put
    has a checksum of its own: where only the value is damaged, that key raises CorruptLog, and no other. All else that
    can't be read may have been about any key: only keys that were written after it can be read then.

    Args:
        log: An open log that belongs to this state alone. It is closed with the state.
    """

    def __init__(self, log: WalLog) -> None:
        self._log = log
        self._lock = threading.RLock()
        self._texts: dict[str, str] = {}
        self._lost: dict[str, Damage] = {}
        self._versions: dict[str, int] = {}
        self._applied = 0
        self._folded = 0
        self._doubtful = 0
        self._damage: Damage | None = None
        self._catch_up()

    # -- the mapping

    def __getitem__(self, key: str) -> Any:
        check_key(key)
        with self._lock:
            self._catch_up()
            self._check(key)
            return loads(self._texts[key])

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        text = dumps(value)
        with self._lock:
            self._log.append(self._put(key, text))
            self._tidy()

    def __delitem__(self, key: str) -> None:
        check_key(key)
        while True:
            with self._lock:
                head = self._catch_up()
                self._check_known(key)
                if key not in self._versions:
                    raise KeyError(key)
                try:
                    self._log.append({"delete": key}, expected=head)
                except ConflictError:
                    continue  # another handle was first; look again whether the key is there
                self._tidy()
                return

    def __contains__(self, key: object) -> bool:
        check_key(key)
        with self._lock:
            self._catch_up()
            self._check_known(str(key))
            return key in self._versions

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            self._catch_up()
            self._check_known()
            return iter(list(self._versions))

    def __len__(self) -> int:
        with self._lock:
            self._catch_up()
            self._check_known()
            return len(self._versions)

    def _writing(self) -> AbstractContextManager[Any]:
        return self._lock

    # -- cas and transactions

    def version(self, key: str) -> int | None:
        """Return the position of the event that wrote `key`; None when it is missing. It never comes again."""
        check_key(key)
        with self._lock:
            self._catch_up()
            self._check(key)
            return self._versions.get(key)

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write only if the version of `key` is `expected`, and return the new version.

        Raises:
            ConflictError: It is another one; nothing was written.
        """
        check_key(key)
        text = dumps(value)
        while True:
            with self._lock:
                head = self._catch_up()
                self._check(key)
                version = self._versions.get(key)
                if version != expected or isinstance(expected, bool):
                    raise ConflictError(f"the version of {key!r} is {version}, not {expected}")
                try:
                    position = self._log.append(self._put(key, text), expected=head)
                except ConflictError:
                    continue  # something was appended, perhaps about another key
                self._tidy()
                return position

    @contextmanager
    def transaction(self) -> Iterator[Draft]:
        """Give a draft of the state; what changed in it is appended as one batch when the block ends.

        Raises:
            ConflictError: Another handle wrote in the meantime; nothing was written.
        """
        with self._lock:
            head = self._catch_up()
            self._check()
            draft = Draft(dict(self._texts))
            try:
                yield draft
            finally:
                draft.ended = True
            events: list[dict[str, str]] = []
            for key in sorted(draft.changed):
                if key in draft.texts:
                    events.append(self._put(key, draft.texts[key]))
                elif key in self._texts:
                    events.append({"delete": key})
            self._log.append_batch(events, expected=head)
            self._tidy()

    # -- upkeep

    def ping(self) -> bool:
        """Tell that the state can be read; raise when it is closed."""
        return len(self) >= 0

    def stats(self) -> dict[str, int]:
        """Return the number of keys, the head of the log, and how many events it holds."""
        with self._lock:
            head = self._catch_up()
            self._check()
            return {"keys": len(self._texts), "head": head, "events": head - self._log.first + 1}

    def flush(self) -> None:
        """Make all writes durable, with durability `"none"` too."""
        self._log.flush()

    def verify(self) -> Report:
        """Return what is damaged in the log."""
        return self._log.verify()

    def compact(self) -> None:
        """Keep the state in a checkpoint and drop the events that led to it, deletes included."""
        with self._lock:
            # Alone, so that no other handle makes another checkpoint in between.
            with self._log.alone():
                head = self._catch_up()
                self._check()
                items = [[key, text, self._versions[key]] for key, text in self._texts.items()]
                self._log.checkpoint(items, head)
                self._log.compact(head)
            self._folded = head

    def close(self) -> None:
        """Close the state and its log; harmless when it is closed."""
        with self._lock:
            self._log.close()

    def _tidy(self) -> None:
        """Follow the log, and compact it when most of it is garbage."""
        self._catch_up()
        if self._applied - self._folded > max(GARBAGE_EVENTS, GARBAGE_FACTOR * len(self._texts)):
            with suppress(OSError):  # the write has been made; the next one tries again
                self.compact()

    def _catch_up(self) -> int:
        """Fold what was appended since the last call and return the head."""
        while True:
            first, head = self._log.bounds
            if self._applied + 1 < first:
                self._load_checkpoint(first)
            if self._applied >= head:
                return head
            try:
                for position, event in self._log.read(self._applied + 1, head + 1):
                    self._fold(position, event)
            except LookupError:
                continue  # another handle compacted the log in the meantime
            except CorruptLog as error:
                self._applied += 1
                self._pass_over(error.damage)
                continue
            return head

    @staticmethod
    def _put(key: str, text: str) -> dict[str, str]:
        # The name first, so that it is found whatever became of the value.
        return {"put": key, "name": _checksum(key), "value": text}

    def _pass_over(self, damage: Damage) -> None:
        """Note what an event that can't be read may have changed."""
        # One damage may be over several events; only of the first it can be told where it stood.
        key = _name_in(self._log.remains(damage)) if damage.position == self._applied else None
        if key is None:
            self._doubtful, self._damage = self._applied, damage
            return
        self._texts.pop(key, None)
        self._versions[key] = self._applied
        self._lost[key] = damage

    def _fold(self, position: int, event: dict[str, str]) -> None:
        self._lost.pop(event.get("put") or event.get("delete", ""), None)
        if "put" in event:
            self._texts[event["put"]] = event["value"]
            self._versions[event["put"]] = position
        else:
            self._texts.pop(event["delete"], None)
            self._versions.pop(event["delete"], None)
        self._applied = position

    def _check(self, key: str | None = None) -> None:
        """Refuse to answer about a value, or all of them, where an event that can't be read may change the answer."""
        self._check_known(key)
        for damage in self._lost.values() if key is None else [self._lost[key]] if key in self._lost else []:
            raise CorruptLog(damage)

    def _check_known(self, key: str | None = None) -> None:
        """Refuse to say whether a key is there, or which are, where an event that can't be read may have been of it."""
        if self._damage is not None and (key is None or self._versions.get(key, 0) <= self._doubtful):
            raise CorruptLog(self._damage)

    def _load_checkpoint(self, first: int) -> None:
        try:
            checkpoint = self._log.latest_checkpoint()
        except CorruptLog as error:
            self._applied = self._folded = self._doubtful = first - 1
            self._damage = error.damage
            return
        assert checkpoint is not None, "compaction needs a checkpoint"
        items, upto = checkpoint
        self._lost = {}
        self._texts = {key: text for key, text, _ in items}
        self._versions = {key: version for key, _, version in items}
        self._applied = self._folded = upto


def _checksum(key: str) -> str:
    return f"{zlib.crc32(key.encode('utf-8', 'surrogatepass')):08x}"


def _name_in(payload: bytes) -> str | None:
    """Return the key of a put of which only the beginning is sure to be what was written; None where it is not."""
    found = _NAME.match(payload)
    if found is None:
        return None
    try:
        key = loads(found[1].decode("ascii"))
    except ValueError:
        return None
    return key if _checksum(key).encode() == found[2] else None
