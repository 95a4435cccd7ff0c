"""What becomes of bytes, where it would take luck to see it through a proxy."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from conformance.network import traffic
from conformance.network.link import Link
from conformance.network.traffic import Traffic
from tests.network.conftest import PATIENT_S


class Wire:
    """A link with a client and a server at its ends, and what is to be done later."""

    def __init__(self) -> None:
        self.client, client = socket.socketpair()
        self.server, server = socket.socketpair()
        self.link = Link(client, server)
        self.later: list[Callable[[], None]] = []
        self.traffic = Traffic(lambda _, what: self.later.append(what))
        self.traffic.links.append(self.link)
        for line in (self.client, self.server):
            line.settimeout(PATIENT_S)

    def answer(self, data: bytes) -> None:
        """Have the server send, and the proxy take it."""
        self.server.sendall(data)
        assert self.link.server is not None
        self.traffic.came(self.link, self.link.server)

    def got(self) -> bytes:
        """Return what has reached the client by now."""
        self.client.setblocking(False)  # noqa: FBT003 - the name of the method is all there is
        try:
            return self.client.recv(1 << 16)
        except BlockingIOError:
            return b"nothing"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Give a wire, and close it; on it a part of a reply comes long after the one before."""
    monkeypatch.setattr(traffic, "_PART_S", 1e6)
    one = Wire()
    yield one
    one.link.close()
    one.client.close()
    one.server.close()


def test_a_slow_reply_is_sent_in_parts(wire: Wire) -> None:
    """Nothing at once, and then a third at a time."""
    wire.traffic.slow = True
    wire.answer(b"hello")
    assert wire.got() == b"nothing"
    parts = []
    while wire.later:
        wire.later.pop(0)()
        parts.append(wire.got())
    assert parts == [b"he", b"ll", b"o"]


def test_nothing_overtakes_a_slow_reply(wire: Wire) -> None:
    """Neither the next reply, sent when all is well again, nor the end."""
    wire.traffic.slow = True
    wire.answer(b"slow")
    wire.traffic.slow = False
    wire.answer(b"quick")
    wire.server.close()
    assert wire.link.server is not None
    wire.traffic.came(wire.link, wire.link.server)
    assert wire.got() == b"nothing"
    for do in wire.later:
        do()
    assert wire.got() == b"slowquick"
    assert wire.got() == b""


def test_what_finds_no_room_is_sent_later(wire: Wire) -> None:
    """A client that reads nothing holds nothing up, and gets all in the end."""
    large = b"x" * (1 << 20)
    wire.link.client.send(large)
    assert wire.link.client.waiting
    got = 0
    while got < len(large):
        wire.link.client.push()
        got += len(wire.client.recv(1 << 20))
    assert not wire.link.client.waiting


def test_a_server_that_does_not_end_is_not_waited_for(wire: Wire) -> None:
    """A connection that is cut ends for the client after a while, if the server keeps its side open."""
    wire.link.fault = "cut before the reply"
    wire.answer(b"reply")
    assert wire.server.recv(1) == b""
    assert wire.got() == b"nothing"
    assert len(wire.later) == 1
    wire.later[0]()
    assert wire.got() == b""
