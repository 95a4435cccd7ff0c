"""A state folded from a log: every change is an event, the mapping is what the events add up to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from reference_backends._json import check_key, dumps, loads
from reference_backends._mapping import AtomicMapping, Draft
from reference_backends.wal.errors import ConflictError, CorruptLog, Damage, Report
from reference_backends.wal.log import WalLog

#: Compaction begins when the log is so many times as long as the state, and at least so many events.
GARBAGE_FACTOR = 2
GARBAGE_EVENTS = 1_000


class WalState(AtomicMapping):
    """A mutable mapping from text to JSON values, kept in a `WalLog`.

    The whole state is in memory; each verb first takes over what other handles appended. An event that can't be read
    may have been about any key. So only keys that were written after it can be read; all else raises CorruptLog.

    Args:
        log: An open log that belongs to this state alone. It is closed with the state.
    """

    def __init__(self, log: WalLog) -> None:
        self._log = log
        self._lock = threading.RLock()
        self._texts: dict[str, str] = {}
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
            self._log.append({"put": key, "value": text})
            self._tidy()

    def __delitem__(self, key: str) -> None:
        check_key(key)
        while True:
            with self._lock:
                head = self._catch_up()
                self._check(key)
                if key not in self._texts:
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
            self._check(str(key))
            return key in self._texts

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            self._catch_up()
            self._check()
            return iter(list(self._texts))

    def __len__(self) -> int:
        with self._lock:
            self._catch_up()
            self._check()
            return len(self._texts)

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
                    position = self._log.append({"put": key, "value": text}, expected=head)
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
                    events.append({"put": key, "value": draft.texts[key]})
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
                self._doubt(error)
                continue
            return head

    def _fold(self, position: int, event: dict[str, str]) -> None:
        if "put" in event:
            self._texts[event["put"]] = event["value"]
            self._versions[event["put"]] = position
        else:
            self._texts.pop(event["delete"], None)
            self._versions.pop(event["delete"], None)
        self._applied = position

    def _doubt(self, error: CorruptLog) -> None:
        self._doubtful, self._damage = self._applied, error.damage

    def _check(self, key: str | None = None) -> None:
        """Refuse to answer about a key, or all of them, where an event that can't be read may change the answer."""
        if self._damage is not None and (key is None or self._versions.get(key, 0) <= self._doubtful):
            raise CorruptLog(self._damage)

    def _load_checkpoint(self, first: int) -> None:
        try:
            checkpoint = self._log.latest_checkpoint()
        except CorruptLog as error:
            self._applied = self._folded = first - 1
            self._doubt(error)
            return
        assert checkpoint is not None, "compaction needs a checkpoint"
        items, upto = checkpoint
        self._texts = {key: text for key, text, _ in items}
        self._versions = {key: version for key, _, version in items}
        self._applied = self._folded = upto
