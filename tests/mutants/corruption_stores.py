"""An honest state and an honest log on a checked journal, to break, and how their mutants are marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.base import Mutant
from tests.mutants.corruption_base import CheckedJournal, CorruptError, Record
from tests.mutants.crash_base import Changes, TextState
from tests.mutants.crash_log_base import log_on, state_on
from tests.mutants.crash_marks import store_name


class CheckedState(TextState):
    """A state on a checked journal; a damaged value is listed, and can't be read."""

    def __init__(self, journal: CheckedJournal) -> None:
        super().__init__()
        self.journal = journal
        self.damaged: set[str] = set()
        for record in journal.records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Carry out a record in memory."""
        verb, key = json.loads(record.name)
        if verb == "delete":
            self.show({key: None})
            return
        self.show({str(key): record.text or ""})
        if record.text is None:
            self.damaged.add(str(key))

    def __getitem__(self, key: str) -> Any:
        self.refuse_closed()
        if key in self.damaged:
            raise CorruptError(f"the value of {key!r} is damaged")
        return super().__getitem__(key)

    def show(self, changes: Changes) -> None:
        """Carry out changes in memory; what is written anew is sound."""
        self.damaged -= changes.keys()
        super().show(changes)

    def write(self, changes: Changes) -> None:
        """Append a record for each change."""
        for key, text in changes.items():
            if text is None:
                self.journal.add("delete", key)
            else:
                self.journal.add("set", key, text)

    def verify(self) -> dict[str, Any]:
        """Count the sound values, and name the others."""
        self.refuse_closed()
        return {"healthy": len(self.kept) - len(self.damaged), "damaged": sorted(self.damaged)}

    def repair(self) -> dict[str, Any]:
        """Delete what is damaged."""
        self.refuse_closed()
        dropped = sorted(self.damaged)
        for key in dropped:
            del self[key]
        return {"dropped": dropped}

    def close(self) -> None:
        """Close the journal."""
        super().close()
        self.journal.close()


class CheckedLog:
    """A log on a checked journal; a damaged event can't be read, and is passed over once it was dropped."""

    def __init__(self, journal: CheckedJournal) -> None:
        self.journal = journal
        self.texts: list[str | None] = []
        self.dropped: set[int] = set()
        self.closed = False
        for record in journal.records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Carry out a record in memory."""
        verb, position = json.loads(record.name)
        if verb == "drop":
            self.dropped.add(position)
        else:
            self.texts.append(record.text)

    @property
    def head(self) -> int:
        """The position of the last event."""
        self.refuse_closed()
        return len(self.texts)

    def append(self, event: Any) -> int:
        """Append an event."""
        text = dumps(event)
        self.take(self.journal.add("event", self.head + 1, text))
        return self.head

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        stop = self.head + 1 if stop is None else stop
        left = (position for position in range(max(1, start), min(stop, self.head + 1)))
        return [(position, self.event(position)) for position in left if position not in self.dropped]

    def event(self, position: int) -> Any:
        """Return an event."""
        text = self.texts[position - 1]
        if text is None:
            raise CorruptError(f"the event {position} is damaged")
        return loads(text)

    def damaged(self) -> list[int]:
        """Return the positions of damaged events that were not dropped."""
        return [at for at, text in enumerate(self.texts, 1) if text is None and at not in self.dropped]

    def verify(self) -> dict[str, Any]:
        """Count the sound events, and name the others."""
        damaged = self.damaged()
        return {"healthy": self.head - len(self.dropped) - len(damaged), "damaged": damaged}

    def repair(self) -> dict[str, Any]:
        """Drop what is damaged."""
        self.refuse_closed()
        dropped = self.damaged()
        for position in dropped:
            self.take(self.journal.add("drop", position))
        return {"dropped": dropped}

    def refuse_closed(self) -> None:
        """Raise when the log is closed."""
        if self.closed:
            raise ValueError("the log is closed")

    def close(self) -> None:
        """Close the journal."""
        self.closed = True
        self.journal.close()


#: What these stores promise beside durability: to notice all damage. One handle, and no capability but `verify`.
PROMISES: dict[str, Any] = {"corruption": "complete", "errors": {"corrupt": CorruptError}}


def corr(contract: str, short: str) -> tuple[str, ...]:
    """Return codes in full: `01 11` are two checks of this suite."""
    return tuple(f"{contract.upper()}-CORR-{one}" for one in short.split())


def broken_checked_journal(bug: str, *, state: str = "", log: str = "") -> Callable[[type], type]:
    """Mark a class of journals as mutants: the state and the log on it, with the checks that kill each."""

    def mark(kind: type) -> type:
        name = store_name(kind)
        mutants = []
        if state:
            backend = state_on(kind, name, CheckedState, **PROMISES)
            mutants.append(Mutant(name, bug, corr("state", state), backend))
        if log:
            backend = log_on(kind, f"log_{name}", CheckedLog, **PROMISES)
            mutants.append(Mutant(backend.name, bug, corr("log", log), backend))
        kind.mutants = mutants  # type: ignore[attr-defined]
        return kind

    return mark


def broken_checked(bug: str, contract: str, killed_by: str) -> Callable[[type], type]:
    """Mark a class of states or of logs, on an honest checked journal, as a mutant."""
    on = state_on if contract == "state" else log_on

    def mark(kind: type) -> type:
        name = store_name(kind)
        backend = on(CheckedJournal, name, kind, **PROMISES)
        kind.mutants = [Mutant(name, bug, corr(contract, killed_by), backend)]  # type: ignore[attr-defined]
        return kind

    return mark
