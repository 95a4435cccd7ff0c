"""Logs whose events come in another order, or are others, when they are replayed later or elsewhere."""

from __future__ import annotations

import json
import locale
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.mutants.log_base import PlainLog, log_mutant

_YEAR_S = 365 * 86_400.0


class SetIndex(PlainLog):
    """Builds its index from a set of names when it is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        names = {f"event-{position}" for (position,) in self.rows("SELECT position FROM log")}
        self.order = [int(name.partition("-")[2]) for name in names]

    def insert(self, texts: list[Any]) -> list[int]:
        positions = super().insert(texts)
        self.order += positions
        return positions

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        events = dict(super().read())
        found = [(place, events[position]) for place, position in enumerate(self.order, 1)]
        return [(place, event) for place, event in found if place >= start and (stop is None or place < stop)]


class Timed(PlainLog):
    """An honest log that notes when each event was appended."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.database.execute("CREATE TABLE IF NOT EXISTS times (position INTEGER PRIMARY KEY, at)")

    def now(self) -> float:
        """Return the time."""
        return time.time()

    def insert(self, texts: list[Any]) -> list[int]:
        positions = super().insert(texts)
        for position in positions:
            self.rows("INSERT OR REPLACE INTO times VALUES (?, ?)", position, self.now())
        return positions

    def positions(self, query: str, *parameters: Any) -> list[int]:
        """Return the positions that a query gives."""
        return [position for (position,) in self.rows(query, *parameters)]

    def ranked(self, order: list[int], start: int, stop: int | None) -> Any:
        """Give events in an order, numbered anew, from the first position left."""
        events = dict(super().read())
        found = enumerate([events[position] for position in order if position in events], self.first)
        return [(place, event) for place, event in found if place >= start and (stop is None or place < stop)]


class OrderOfTime(Timed):
    """Sorts by the time of the append."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return self.ranked(self.positions("SELECT position FROM times ORDER BY at"), start, stop)


class Ties(Timed):
    """Sorts by the second of the append; events of one second come in the order of their texts."""

    def now(self) -> float:
        return time.time() // 3_600

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        order = "SELECT times.position FROM times JOIN log USING (position) ORDER BY at, event"
        return self.ranked(self.positions(order), start, stop)


class HidesTheFuture(Timed):
    """Shows nothing that was appended later than now."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        known = set(self.positions("SELECT position FROM times WHERE at <= ?", time.time()))
        return [entry for entry in super().read(start, stop) if entry[0] in known]


class Retention(Timed):
    """Drops what is older than a year when it is opened, whether a checkpoint covers it or not."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        for position in self.positions("SELECT position FROM times WHERE at < ?", time.time() - _YEAR_S):
            self.rows("DELETE FROM log WHERE position = ?", position)


class LocaleEncoding(PlainLog):
    """Writes UTF-8, and reads it in the encoding of the locale."""

    def encode(self, event: Any) -> Any:
        return json.dumps(event, ensure_ascii=False).encode()

    def decode(self, text: Any) -> Any:
        return json.loads(text.decode(locale.getpreferredencoding(do_setlocale=False)))


class WindowsByText(PlainLog):
    """Compares positions as texts where a window has an end."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        found = super().read(start)
        return found if stop is None else [entry for entry in found if str(entry[0]) < str(stop)]


class BuffersOfThreads(PlainLog):
    """Each thread has a buffer, and these are written one after the other, that of the latest thread first."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.buffers: dict[int, list[Any]] = defaultdict(list)
        self.pending = 0

    @property
    def head(self) -> int:
        return super().head + self.pending

    def append(self, event: Any, expected: int | None = None) -> Any:
        text = self.encode(event)
        with self.threads:
            position = self.head + 1
            self.buffers[threading.get_ident()].append(text)
            self.pending += 1
            return position

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        self.flush()
        return super().read(start, stop)

    def flush(self) -> None:
        """Write the buffers."""
        with self.threads:
            texts = [text for buffer in reversed(self.buffers.values()) for text in buffer]
            self.buffers.clear()
            self.pending = 0
            self.insert(texts)

    def close(self) -> None:
        self.flush()
        super().close()


class InPairs(PlainLog):
    """Writes every second event together with the next."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pending: list[Any] = []

    @property
    def head(self) -> int:
        return super().head + len(self.pending)

    def append(self, event: Any, expected: int | None = None) -> Any:
        self.pending.append(self.encode(event))
        position = self.head
        if len(self.pending) == 2:
            self.flush()
        return position

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        self.flush()
        return super().read(start, stop)

    def flush(self) -> None:
        """Write what is pending."""
        texts, self.pending = self.pending, []
        with self.writing():
            self.insert(texts)

    def close(self) -> None:
        self.flush()
        super().close()


class RedoneTwice(PlainLog):
    """Notes what it is about to append, and appends it when it is opened and the note is still there: each time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if (text := self.fact("intent", None)) is not None:
            self.insert([text])

    def append(self, event: Any, expected: int | None = None) -> Any:
        text = self.encode(event)
        self.note("intent", text)
        position = super().append(event, expected)
        self.rows("DELETE FROM facts WHERE name = 'intent'")
        return position


class LosesAtTheCheckpoint(PlainLog):
    """Says that its checkpoint covers one event more than it does."""

    def latest_checkpoint(self) -> Any:
        found = super().latest_checkpoint()
        return found and (found[0], min(found[1] + 1, self.head))


class StateOfFloats(PlainLog):
    """Keeps the numbers of a state as floats."""

    def latest_checkpoint(self) -> Any:
        found = super().latest_checkpoint()
        return found and (json.loads(json.dumps(found[0]), parse_int=float), found[1])


class LastOfEachKey(PlainLog):
    """Keeps the last event of each key when it compacts, and none without a value, whatever the checkpoint covers."""

    def compact(self, upto: int) -> None:
        super().compact(upto)
        last = {event["key"]: position for position, event in self.read(upto + 1) if event["value"] is not None}
        for position, _ in self.read(upto + 1):
            if position not in last.values():
                self.rows("DELETE FROM log WHERE position = ?", position)


class CacheOutlivesCompaction(PlainLog):
    """Keeps events by their place among those that are left, also when others are left."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: dict[int, Any] = {}

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        found = super().read(start, stop)
        return [(position, self.cache.setdefault(position - self.first, event)) for position, event in found]


class BatchOfFloats(PlainLog):
    """Takes the numbers of a batch for floats."""

    def append_batch(self, events: list[Any]) -> Any:
        return super().append_batch(json.loads(json.dumps(events), parse_int=float))


class CountsReads(PlainLog):
    """Notes how often it was read."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        self.note("reads", self.fact("reads", 0) + 1)
        return super().read(start, stop)


MUTANTS = [
    log_mutant("replay_index_of_a_set", "rebuilds its index from a set", "REPLAY-02", SetIndex),
    log_mutant("replay_order_of_time", "sorts by the time of the append", "REPLAY-05 REPLAY-07", OrderOfTime),
    log_mutant("order_ties", "events of one moment in the order of their texts", "REPLAY-02", Ties),
    log_mutant("replay_hides_the_future", "shows nothing later than now", "REPLAY-05", HidesTheFuture),
    log_mutant("replay_retention", "drops by age what no checkpoint covers", "REPLAY-03", Retention),
    log_mutant("replay_locale_encoding", "reads in the encoding of the locale", "REPLAY-03", LocaleEncoding),
    log_mutant("replay_windows_by_text", "compares positions as texts", "REPLAY-04", WindowsByText),
    log_mutant(
        "replay_buffers_of_threads", "writes thread by thread", "REPLAY-06", BuffersOfThreads, sharing="threads"
    ),
    log_mutant("replay_in_pairs", "writes every second event with the next", "REPLAY-08", InPairs, sharing="single"),
    log_mutant("replay_redone_twice", "appends again what it was killed in", "REPLAY-08", RedoneTwice),
    log_mutant("replay_checkpoint_loses", "a checkpoint covers one too many", "REPLAY-11", LosesAtTheCheckpoint),
    log_mutant("replay_state_of_floats", "numbers of a state become floats", "REPLAY-11 REPLAY-12", StateOfFloats),
    log_mutant("tombstone_dropped", "keeps the last event of each key only", "REPLAY-12", LastOfEachKey),
    log_mutant("gc_leaves_outputs", "a cache outlives compaction", "REPLAY-12", CacheOutlivesCompaction),
    log_mutant("replay_batch_of_floats", "numbers of a batch become floats", "REPLAY-21", BatchOfFloats),
    log_mutant("replay_counts_reads", "writes when it is read", "REPLAY-22", CountsReads),
]
