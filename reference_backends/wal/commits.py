"""Commits in groups: of the appends that wait, one thread writes and syncs all, and each takes what came of its own.

Source: group commit (DeWitt et al., Implementation Techniques for Main Memory Database Systems, SIGMOD 1984).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Ticket:
    """One append or batch that waits for its commit.

    Args:
        payload: Of its record.
        count: How many events it has.
        kind: Of its record.
        expected: The head that the caller expects; None where any will do.
        position: Of the first event, once it is written.
        error: Why it is not.
        done: Whether either is settled.
        turn: Released when it is done, or when its thread is to commit; None where that committed at once.
    """

    payload: bytes
    count: int
    kind: int
    expected: int | None
    position: int = 0
    error: BaseException | None = None
    done: bool = False
    turn: threading.Lock | None = None


class Commits:
    """The appends that wait, and whether some thread is committing others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Ticket] = []
        self._leader: Ticket | None = None
        self._expected = 1

    def commit(self, ticket: Ticket, write: Callable[[Sequence[Ticket]], None]) -> int:
        """Queue the ticket and wait; a thread that finds nobody committing commits for all that wait.

        Args:
            ticket: What is to be committed.
            write: Writes a group and makes it durable; a ticket that it refuses gets its error.

        Returns:
            The position of the first event.
        """
        with self._lock:
            if self._leader is None:
                self._leader = ticket
            else:
                ticket.turn = threading.Lock()
                ticket.turn.acquire()
                self._waiting.append(ticket)
        if ticket.turn is not None:
            self._wait(ticket, ticket.turn)
        if not ticket.done:
            self._lead(ticket, write)
        if ticket.error is not None:
            raise ticket.error
        return ticket.position

    def _wait(self, ticket: Ticket, turn: threading.Lock) -> None:
        try:
            turn.acquire()
        except BaseException:  # an interrupt: others must not wait for this thread
            with self._lock:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                elif self._leader is ticket:
                    self._hand_over()
            raise

    def _lead(self, ticket: Ticket, write: Callable[[Sequence[Ticket]], None]) -> None:
        group = [ticket]
        try:
            # The threads of the group before were woken together, and are about to append again. Without a turn for
            # them, a leader would sync its one ticket alone, each time, and the others would wait for that.
            for _ in range(self._expected):
                if len(self._waiting) + 1 >= self._expected:
                    break
                time.sleep(0)
            with self._lock:
                group += self._waiting
                self._waiting.clear()
            # A group that stayed smaller makes the next leader wait for fewer; one that was joined late, for more.
            self._expected = len(group)
            write(group)
        except BaseException as error:  # noqa: BLE001 - every append of the group must hear of it
            for one in group:
                one.error = one.error or error
        finally:
            with self._lock:
                self._hand_over()
            for one in group:
                one.done = True
                if one is not ticket and one.turn is not None:
                    one.turn.release()

    def _hand_over(self) -> None:
        """Let the first of those that wait lead."""
        self._leader = self._waiting.pop(0) if self._waiting else None
        if self._leader is not None and self._leader.turn is not None:
            self._leader.turn.release()
