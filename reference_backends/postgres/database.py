"""A place on a server: how it is made, migrated and shared by threads and processes, and what is asked again."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from reference_backends.postgres.errors import AmbiguousCommitError, LostConnectionError, NoAnswerError, RolledBackError
from reference_backends.postgres.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reference_backends.postgres.session import Access

_Result = TypeVar("_Result")

Rows = list[tuple[Any, ...]]

#: Connections that a handle keeps while nobody uses them.
IDLE_MAX = 2
#: How often a statement is tried that the server rolls back, because others got in between.
TRIES = 100
#: Seconds that lie at most between two tries.
PAUSE_SECONDS_MAX = 0.05


class Database:
    """A handle on a place: for any number of threads, beside any number of other processes.

    A connection serves one thread at a time, and is made when there is none to spare. Writes of one handle follow each
    other, so that its threads never roll each other back.

    Args:
        access: How to connect.
        prepare: Called with the first connection; makes the place, or finds it.

    Raises:
        ConnectionError: There is no server, or it refuses.
    """

    def __init__(self, access: Access, prepare: Callable[[Session], None]) -> None:
        self._access = access
        self._process = os.getpid()
        self._closed = False
        self._idle: deque[Session] = deque()
        # Re-entrant, so that a write inside the block of a transaction can be refused instead of waiting for itself.
        self._writing = threading.RLock()
        self._in_transaction = False
        try:
            with self._session() as session:
                prepare(session)
        except BaseException:
            self.close()
            raise

    def read(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement that changes nothing; again, when the connection breaks or the server rolls it back."""
        return self._tried(lambda: self._read(statement, parameters))

    def write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement in a transaction of its own; again, when the server says that it was rolled back.

        Raises:
            AmbiguousCommitError: No answer came. The statement is not tried again: it may have been carried out.
            RuntimeError: This thread is inside a `transaction` block.
        """
        with self._writing:
            self._refuse_use()
            self._refuse_nesting()
            return self._tried(lambda: self._write(statement, parameters))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session whose changes are committed when the block ends, and undone when it raises.

        Raises:
            RolledBackError: The server rolled it back, because of what others did. Only who wrote the block can do it
                again.
            AmbiguousCommitError: No answer came to the commit.
            RuntimeError: This thread is inside such a block already.
        """
        with self._writing:
            self._refuse_use()
            self._refuse_nesting()
            with self._session() as session:
                session.rows("BEGIN")
                self._in_transaction = True
                try:
                    yield session
                    _certainly(session.commit)
                except BaseException:
                    session.rollback()
                    raise
                finally:
                    self._in_transaction = False

    def atomically(self, body: Callable[[Session], _Result]) -> _Result:
        """Do something in a transaction, and all of it again when the server rolls that back."""
        with self._writing:
            return self._tried(lambda: self._once(body))

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """Give a session that sees one committed state for the length of the block, and changes nothing."""
        self._refuse_use()
        with self._session() as session:
            session.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield session
            finally:
                session.rollback()

    def vacuum(self, tables: str) -> None:
        """Make the space of deleted rows free for new ones, and give what is free at the end of a file back.

        May take longer than the timeout. A table that somebody else does this to just now is left to them.
        """
        with self._writing:
            self._refuse_use()
            self._refuse_nesting()
            with self._session() as session, session.unlimited():
                session.rows(f"VACUUM (SKIP_LOCKED) {tables}")

    def in_transaction(self) -> bool:
        """Tell whether this thread is inside a `transaction` block."""
        if not self._writing.acquire(blocking=False):
            return False  # another thread may be
        try:
            return self._in_transaction
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close all connections. Harmless when repeated.

        Raises:
            RuntimeError: This thread is inside a `transaction` block.
        """
        if os.getpid() != self._process:
            return  # they are still in use where they were made
        with self._writing:
            self._refuse_nesting()
            self._closed = True
            self._close_idle()

    def _read(self, statement: str, parameters: Mapping[str, Any] | None) -> Rows:
        self._refuse_use()
        try:
            with self._session() as session:
                return session.rows(statement, parameters)
        except LostConnectionError:  # the next one is new, or there is none to be had
            with self._session() as session:
                return session.rows(statement, parameters)

    def _write(self, statement: str, parameters: Mapping[str, Any] | None) -> Rows:
        with self._session() as session:
            return _certainly(lambda: session.rows(statement, parameters))

    def _once(self, body: Callable[[Session], _Result]) -> _Result:
        with self.transaction() as session:
            return body(session)

    def _tried(self, attempt: Callable[[], _Result]) -> _Result:
        for count in range(1, TRIES):
            try:
                return attempt()
            except RolledBackError:
                # Those who got in each other's way must not do so again at the same instant.
                time.sleep(random.uniform(0, min(0.001 * 2 ** min(count, 10), PAUSE_SECONDS_MAX)))
        return attempt()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Lend a connection. It is kept if it is as good as new afterwards, and closed if not."""
        session = self._take()
        try:
            yield session
        except Exception:
            self._give_back(session)
            raise
        except BaseException:
            # A call that was interrupted: whatever comes on this connection now must not be the answer to another.
            session.close()
            raise
        else:
            self._give_back(session)

    def _take(self) -> Session:
        while self._idle:
            try:
                session = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if session.is_alive():
                return session
            session.close()
        return Session(self._access)

    def _give_back(self, session: Session) -> None:
        if session.is_idle and len(self._idle) < IDLE_MAX:
            self._idle.append(session)
            if self._closed:
                self._close_idle()
        else:
            session.close()

    def _close_idle(self) -> None:
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _refuse_use(self) -> None:
        if self._closed:
            raise ValueError(f"The store in the schema {self._access.schema!r} is closed.")
        if os.getpid() != self._process:
            raise RuntimeError(
                f"The store in the schema {self._access.schema!r} was opened in process {self._process}, and its "
                f"connections belong to that one: open it again in this process."
            )

    def _refuse_nesting(self) -> None:
        if self._in_transaction:
            raise RuntimeError("This thread has a transaction open on this store: use the mapping that it gave.")


def _certainly(change: Callable[[], _Result]) -> _Result:
    """Make a change; where no answer comes, say that nobody knows."""
    try:
        return change()
    except (LostConnectionError, NoAnswerError) as error:
        raise AmbiguousCommitError(
            f"{error}. It happened while something was written: it was made, or it was not. Read what is there before "
            f"you write again."
        ) from error
