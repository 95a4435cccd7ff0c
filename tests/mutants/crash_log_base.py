"""An honest log on a journal, to break, and mutants of a journal: each is a broken state and a broken log."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance import Backend, Where
from reference_backends._json import dumps, loads
from tests.mutants.base import Mutant
from tests.mutants.crash_base import Journal, JournalState
from tests.mutants.crash_marks import PROMISES, codes, store_name
from tests.mutants.log_base import ConflictError


class JournalLog:
    """A log on a journal, with every capability; a batch is one record."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.texts: list[str] = []
        self.start = 1
        self.kept: tuple[str, int] | None = None
        self.closed = False
        try:
            for payload in journal.payloads:
                self.take(json.loads(payload))
        except BaseException:
            journal.close()
            raise

    def take(self, record: Any) -> None:
        """Carry out a record in memory; events that are known already are passed over."""
        if "first" in record:
            self.start, self.texts = record["first"], []
        if "events" in record:
            at, texts = record["at"], record["events"]
            if at > self.last + 1:
                raise ValueError(f"the events from {self.last + 1} to {at - 1} are missing")
            self.texts += texts[self.last + 1 - at :]
        if record.get("upto") is not None:
            self.kept = (record["state"], record["upto"])

    @property
    def last(self) -> int:
        """The position of the last event, whether the log is closed or not."""
        return self.start + len(self.texts) - 1

    @property
    def head(self) -> int:
        """The position of the last event."""
        self.refuse_closed()
        return self.last

    @property
    def first(self) -> int:
        """The position of the first event left."""
        self.refuse_closed()
        return self.start

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append an event, if the head is the expected one."""
        text = dumps(event)
        if expected is not None and expected != self.head:
            raise ConflictError(f"the head is {self.head}, not {expected}")
        return self.write([text])[0]

    def append_batch(self, events: list[Any]) -> list[int]:
        """Append events, all or none."""
        texts = [dumps(event) for event in events]
        return self.write(texts) if texts else []

    def write(self, texts: list[str]) -> list[int]:
        """Append texts as one record."""
        record = {"at": self.head + 1, "events": texts}
        self.journal.append(json.dumps(record).encode())
        self.take(record)
        return list(range(self.last - len(texts) + 1, self.last + 1))

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        stop = self.head + 1 if stop is None else stop
        entries = enumerate(self.texts, self.start)
        return [(position, loads(text)) for position, text in entries if start <= position < stop]

    def checkpoint(self, state: Any, upto: int) -> None:
        """Keep a state."""
        text = dumps(state)
        if not self.first - 1 <= upto <= self.head:
            raise ValueError(f"no checkpoint is possible at {upto}")
        self.keep(text, upto)

    def keep(self, text: str, upto: int) -> None:
        """Append a checkpoint as a record."""
        record = {"state": text, "upto": upto}
        self.journal.append(json.dumps(record).encode())
        self.take(record)

    def latest_checkpoint(self) -> tuple[Any, int] | None:
        """Return the newest state with its position."""
        self.refuse_closed()
        return None if self.kept is None else (loads(self.kept[0]), self.kept[1])

    def compact(self, upto: int) -> None:
        """Drop the events up to a position."""
        if upto < self.first:
            return
        text, covered = self.kept or (None, 0)
        if upto > covered:
            raise ValueError(f"no checkpoint covers {upto}")
        first, texts = upto + 1, self.texts[upto + 1 - self.start :]
        # One record, so that no part of a compaction can be there without the rest.
        record = {"first": first, "at": first, "events": texts, "state": text, "upto": covered}
        self.journal.rewrite(json.dumps(record).encode())
        self.start, self.texts = first, texts

    def verify(self) -> dict[str, Any]:
        """Count the events left."""
        self.refuse_closed()
        return {"healthy": len(self.texts), "damaged": []}

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""
        self.refuse_closed()

    def refuse_closed(self) -> None:
        """Raise when the log is closed."""
        if self.closed:
            raise ValueError("the log is closed")

    def close(self) -> None:
        """Close the journal."""
        self.closed = True
        self.journal.close()


@dataclass(frozen=True)
class OnJournal:
    """Opens a state or a log on a journal; found again by a child process, as a lambda would not be."""

    store: Callable[[Any], Any]
    journal: Callable[[Any], Any] = Journal

    def __call__(self, where: Where) -> Any:
        return self.store(self.journal(where.path / "store"))


def state_on(journal: type[Journal], name: str, store: type = JournalState, **promises: Any) -> Backend:
    """Return a backend of a state on a journal."""
    return Backend(name, state=OnJournal(store, journal), **{**PROMISES, **promises})


def log_on(journal: type[Journal], name: str, store: type = JournalLog, **promises: Any) -> Backend:
    """Return a backend of a log on a journal."""
    given = {**PROMISES, "errors": {"conflict": ConflictError}, **promises}
    return Backend(name, log=OnJournal(store, journal), **given)


def broken_journal(bug: str, *, state: str = "", log: str = "", **promises: Any) -> Callable[[type], type]:
    """Mark a class of journals as mutants: the state and the log on it, with the checks that kill each."""

    def mark(kind: type) -> type:
        name = store_name(kind)
        mutants = []
        if state:
            mutants.append(Mutant(name, bug, codes("state", state), state_on(kind, name, **promises)))
        if log:
            logs_name = f"log_{name}"
            mutants.append(Mutant(logs_name, bug, codes("log", log), log_on(kind, logs_name, **promises)))
        kind.mutants = mutants  # type: ignore[attr-defined]
        return kind

    return mark


def broken_state_on_journal(bug: str, killed_by: str) -> Callable[[type], type]:
    """Mark a class of states on an honest journal as a mutant."""

    def mark(kind: type) -> type:
        name = store_name(kind)
        mutant = Mutant(name, bug, codes("state", killed_by), state_on(Journal, name, kind))
        kind.mutants = [mutant]  # type: ignore[attr-defined]
        return kind

    return mark


def broken_log(bug: str, killed_by: str) -> Callable[[type], type]:
    """Mark a class of logs on an honest journal as a mutant."""

    def mark(kind: type) -> type:
        name = store_name(kind)
        kind.mutants = [Mutant(name, bug, codes("log", killed_by), log_on(Journal, name, kind))]  # type: ignore[attr-defined]
        return kind

    return mark
