"""Commits in groups: who leads, who is told, and what an interrupt leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reference_backends.wal.commits import Commits, Ticket
from reference_backends.wal.record import SINGLE


class Interrupted:
    """What a ticket waits for in a thread that is interrupted while it waits."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._meanwhile = meanwhile

    def acquire(self) -> bool:
        """Be interrupted, after something has happened."""
        self._meanwhile()
        raise KeyboardInterrupt

    def release(self) -> None:
        """Wake nobody."""


def ticket() -> Ticket:
    """Return a ticket; all look the same."""
    return Ticket(b"0", 1, SINGLE, None)


class Writer:
    """Counts groups, and waits inside each write until it is told to go on."""

    def __init__(self) -> None:
        self.groups: list[list[Ticket]] = []
        self.writes, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, group: Sequence[Ticket]) -> None:
        """Write a group."""
        self.groups.append(list(group))
        self.writes.release()
        assert self.go_on.acquire(timeout=10)
        for number, one in enumerate(group, 1):
            one.position = 10 * len(self.groups) + number


def start(commits: Commits, one: Ticket, write: Writer) -> threading.Thread:
    """Commit in a thread of its own."""
    thread = threading.Thread(target=lambda: commits.commit(one, write))
    thread.start()
    return thread


def told_of_waits(commits: Commits, monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Return what is released whenever a ticket has been queued, and its thread is about to wait."""
    waits, wait = threading.Semaphore(0), commits._wait

    def told(*arguments: Any) -> None:
        waits.release()
        wait(*arguments)

    monkeypatch.setattr(commits, "_wait", told)
    return waits


def test_a_failed_write_is_told_to_all_of_its_group_and_the_next_one_is_written() -> None:
    """An error that a ticket has already is not replaced."""
    commits = Commits()
    own = ticket()
    own.error = KeyError("mine")

    def fail(_group: Sequence[Ticket]) -> None:
        raise OSError("disk")

    with pytest.raises(KeyError, match="mine"):
        commits.commit(own, fail)
    with pytest.raises(OSError, match="disk"):
        commits.commit(ticket(), fail)
    assert commits.commit(ticket(), lambda group: setattr(group[0], "position", 7)) == 7


def test_those_that_come_during_a_write_are_the_next_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them leads; each gets its own position."""
    commits, write = Commits(), Writer()
    waits = told_of_waits(commits, monkeypatch)
    tickets = [ticket() for _ in range(4)]
    threads = [start(commits, tickets[0], write)]
    assert write.writes.acquire(timeout=10)
    for one in tickets[1:]:
        threads.append(start(commits, one, write))
        assert waits.acquire(timeout=10)
    for _ in range(2):
        write.go_on.release()
    for thread in threads:
        thread.join(10)
    assert write.groups == [tickets[:1], tickets[1:]]
    assert [one.position for one in tickets] == [11, 21, 22, 23]


def test_who_is_interrupted_while_it_waits_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others, which look the same, are."""
    commits, write = Commits(), Writer()
    waits = told_of_waits(commits, monkeypatch)
    leader, gone, other = ticket(), ticket(), ticket()
    threads = [start(commits, leader, write)]
    assert write.writes.acquire(timeout=10)
    commits._waiting.append(gone)
    threads.append(start(commits, other, write))
    assert waits.acquire(timeout=10)
    with pytest.raises(KeyboardInterrupt):
        commits._wait(gone, Interrupted())  # type: ignore[arg-type]
    for _ in range(2):
        write.go_on.release()
    for thread in threads:
        thread.join(10)
    assert [[id(one) for one in group] for group in write.groups] == [[id(leader)], [id(other)]]
    assert not gone.done


def test_who_is_interrupted_when_it_is_to_lead_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a thread that does not come."""
    commits, write = Commits(), Writer()
    waits = told_of_waits(commits, monkeypatch)
    leader, gone, other = ticket(), ticket(), ticket()
    first = start(commits, leader, write)
    assert write.writes.acquire(timeout=10)
    gone.turn = Interrupted()  # type: ignore[assignment]
    commits._waiting.append(gone)
    second = start(commits, other, write)
    assert waits.acquire(timeout=10)
    for _ in range(2):
        write.go_on.release()
    first.join(10)
    assert commits._leader is gone
    with pytest.raises(KeyboardInterrupt):
        commits._wait(gone, Interrupted())  # type: ignore[arg-type]
    second.join(10)
    assert [[id(one) for one in group] for group in write.groups] == [[id(leader)], [id(other)]]
    assert commits._leader is None
