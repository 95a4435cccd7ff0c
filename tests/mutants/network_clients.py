"""Clients that are wrong about a failing network; each with a state and a log."""

from __future__ import annotations

from typing import Any

from tests.mutants.crash_marks import marked
from tests.mutants.network_base import Client, Connection, broken_client


@broken_client("A request whose connection was cut is sent again, whatever it asks for.", state="01", log="01")
class RequestRepeated(Client):
    def exchange(self, request: bytes, count: int) -> list[Any]:
        try:
            return super().exchange(request, count)
        except ConnectionError:
            return super().exchange(request, count)


@broken_client("A request that was not answered in time is sent again, whatever it asks for.", state="04", log="04 08")
class RequestRepeatedAfterTimeout(Client):
    def exchange(self, request: bytes, count: int) -> list[Any]:
        try:
            return super().exchange(request, count)
        except TimeoutError:
            return super().exchange(request, count)


@broken_client("A connection that was cut is used again, for ever.", state="02", log="02")
class DeadConnectionKept(Client):
    def dropped(self) -> None:
        if self.closed:
            super().dropped()


@broken_client("The client waits for a reply for as long as it takes.", state="03", log="03")
class NoTimeout(Client):
    timeout_s = None


@broken_client("A connection is used again after a time-out, with a reply on its way.", state="04 08", log="04 08")
class LateReplyTaken(Client):
    def exchange(self, request: bytes, count: int) -> list[Any]:
        connection = self.connected()
        try:
            connection.send(request)
            return [connection.reply() for _ in range(count)]
        except TimeoutError:
            raise
        except OSError:
            self.dropped()
            raise


@broken_client("A connection that was cut is replaced, and never closed.", state="05", log="05")
class ConnectionsLeftOpen(Client):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.left: list[Connection] = []

    def dropped(self) -> None:
        if self.connection is not None and not self.closed:
            self.left.append(self.connection)
            self.connection = None
        super().dropped()


@broken_client("Closing the store leaves its connection open.", state="05", log="05")
class OpenAfterClosing(Client):
    left: list[Connection] = []  # noqa: RUF012 - of all that were closed

    def close(self) -> None:
        if self.connection is not None:
            self.left.append(self.connection)
        self.closed, self.connection = True, None


class LinesAtOnce(Connection):
    """A connection that takes what comes first for a whole line."""

    def take_line(self) -> bytes:
        if b"\r\n" not in self.came:
            self.receive()
        if b"\r\n" not in self.came:
            raise ValueError(f"{self.came!r} is no reply")
        return super().take_line()


@broken_client("What one call of `recv` returns is taken for a whole reply.", state="09", log="09")
class OneReceiveIsAReply(Client):
    connection_type = LinesAtOnce


@broken_client("A connection is made once, when the store is opened.", state="07", log="07")
class ConnectedOnce(Client):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.connected()

    def exchange(self, request: bytes, count: int) -> list[Any]:
        connection = self.connected()
        connection.send(request)
        return [connection.reply() for _ in range(count)]


MUTANTS = marked(globals())
