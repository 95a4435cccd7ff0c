"""Commits in groups: of the appends that wait, one thread writes and syncs all, and each takes what came of its own.

Source: group commit (DeWitt et al., Implementation Techniques for Main Memory Database Systems, SIGMOD 1984).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
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
    """

    payload: bytes
    count: int
    kind: int
    expected: int | None
    position: int = 0
    error: BaseException | None = None
    done: bool = False


class Commits:
    """The appends that wait, and whether some thread is committing others."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._committing = False
        self._expected = 1

    def commit(self, ticket: Ticket, write: Callable[[Sequence[Ticket]], None]) -> int:
        """Queue the ticket and wait; the first thread that finds nobody committing commits for all that wait.

        Args:
            ticket: What is to be committed.
            write: Writes a group and makes it durable; a ticket that it refuses gets its error.

        Returns:
            The position of the first event.
        """
        group: list[Ticket] = []
        with self.changed:
            self._waiting.append(ticket)
            while self._committing and not ticket.done:
                self.changed.wait()
            leads = not ticket.done
            if leads:
                self._committing = True
                if len(self._waiting) >= self._expected:
                    group = self._taken()
        if leads:
            try:
                _write_all(group or self._gathered(), write)
            finally:
                with self.changed:
                    self._committing = False
                    self.changed.notify_all()
        if ticket.error is not None:
            raise ticket.error
        return ticket.position

    def _gathered(self) -> list[Ticket]:
        """Return the tickets that wait, after those threads had a turn that were in the group before.

        They were woken together, and are about to append again. Without the turn the first of them would sync its one
        ticket alone, each time, and the others would wait for that.
        """
        for _ in range(self._expected):
            if len(self._waiting) >= self._expected:
                break
            time.sleep(0)
        with self.changed:
            return self._taken()

    def _taken(self) -> list[Ticket]:
        group, self._waiting = self._waiting, []
        # A group that stayed smaller makes the next leader wait for fewer; one that was joined late, for more.
        self._expected = len(group)
        return group


def _write_all(group: Sequence[Ticket], write: Callable[[Sequence[Ticket]], None]) -> None:
    try:
        write(group)
    except BaseException as error:  # noqa: BLE001 - every append of the group must hear of it
        for ticket in group:
            ticket.error = ticket.error or error
    finally:
        for ticket in group:
            ticket.done = True
