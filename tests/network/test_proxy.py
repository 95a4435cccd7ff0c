"""The proxy does to connections what it is told, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from conformance.network.address import address_in
from conformance.network.fault import CUTS, Fault, Kind
from conformance.network.proxy import Proxy
from tests.network.conftest import PATIENT_S, Client, Shouting

Connect = Callable[[], Client]


def test_all_is_passed_on(proxy: Proxy, connect: Connect, server: Shouting) -> None:
    """Without a fault requests and replies go through, on any number of connections, large ones too."""
    one, other = connect(), connect()
    assert one.ask(b"hello") == b"HELLO"
    assert other.ask(b"world") == b"WORLD"
    assert (proxy.requests, proxy.fired, proxy.open) == (2, 0, 2)
    large = b"x" * (3 << 20)
    sending = threading.Thread(target=one.send, args=(large,))
    sending.start()
    got = b""
    while len(got) < len(large):
        got += one.receive()
    sending.join()
    assert got == large.upper()


def test_what_is_sent_while_a_reply_is_due_is_no_request_of_its_own(
    proxy: Proxy, connect: Connect, server: Shouting
) -> None:
    """A request may come in parts; what is sent behind the reply is the next."""
    client = connect()
    proxy.arm(Fault("cut before the reply", 2))
    client.send(b"one-")
    assert connect().ask(b"two") == b""  # the second request: what is sent below is a part of the first
    assert client.ask(b"three") == b"ONE-THREE"
    assert proxy.requests == 2
    assert client.ask(b"four") == b"FOUR"
    assert proxy.requests == 3


@pytest.mark.parametrize(
    ("kind", "seen", "got"),
    [
        ("cut before the request", [b"first"], b""),
        ("cut in the request", [b"first", b"sec"], b""),
        ("cut before the reply", [b"first", b"second"], b""),
        ("cut in the reply", [b"first", b"second"], b"SEC"),
    ],
)
def test_cuts(proxy: Proxy, connect: Connect, server: Shouting, kind: Kind, seen: list[bytes], got: bytes) -> None:
    """The server and the client see of a request what the kind of the cut says; a new connection works."""
    proxy.arm(Fault(kind, 2))
    client = connect()
    assert client.ask(b"first") == b"FIRST"
    assert client.ask(b"second") == got
    assert client.receive() == b""
    assert server.ended.wait(PATIENT_S)
    assert server.seen == seen
    assert connect().ask(b"third") == b"THIRD"
    assert proxy.fired == 1


@pytest.mark.parametrize("kind", CUTS)
def test_a_cut_connection_is_open_until_the_client_closes_it(proxy: Proxy, connect: Connect, kind: Kind) -> None:
    """A client that does not close what was cut is seen."""
    proxy.arm(Fault(kind))
    client = connect()
    client.ask(b"ab")
    assert proxy.settled(0, 0.05) == 1
    client.close()
    assert proxy.settled(0, PATIENT_S) == 0


def test_a_fault_meets_the_request_on_whatever_connection(proxy: Proxy, connect: Connect) -> None:
    """Requests are counted from when the fault was armed, on all connections together; each fault comes once."""
    one, other = connect(), connect()
    one.ask(b"before")
    proxy.arm(Fault("cut before the request", 3))
    assert one.ask(b"a") == b"A"
    assert other.ask(b"b") == b"B"
    assert one.ask(b"c") == b""
    assert other.ask(b"d") == b"D"


def test_a_late_reply_comes_when_it_is_released(proxy: Proxy, connect: Connect) -> None:
    """Until then nothing comes on that connection; then it is there, before all that is asked later."""
    client, other = connect(), connect()
    met = threading.Event()
    proxy.arm(Fault("late reply"), met.set)
    client.send(b"one")
    assert met.wait(PATIENT_S)
    assert other.ask(b"meanwhile") == b"MEANWHILE"
    client.line.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.receive()
    client.line.settimeout(PATIENT_S)
    proxy.release()
    client.send(b"two")
    assert client.exactly(6) == b"ONETWO"


def test_a_late_reply_comes_with_the_next(proxy: Proxy, connect: Connect) -> None:
    """Both replies are delivered when the second is there."""
    client = connect()
    proxy.arm(Fault("late reply, with the next"))
    client.send(b"one")
    client.line.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.receive()
    client.line.settimeout(PATIENT_S)
    client.send(b"two")
    assert client.exactly(6) == b"ONETWO"
    assert client.ask(b"three") == b"THREE"


def test_a_lost_reply_never_comes(proxy: Proxy, connect: Connect, server: Shouting) -> None:
    """The server has carried out the request; the connection stays open, and stays silent."""
    client = connect()
    met = threading.Event()
    proxy.arm(Fault("lost reply"), met.set)
    client.send(b"one")
    assert met.wait(PATIENT_S)
    assert connect().ask(b"two") == b"TWO"
    proxy.heal()
    client.send(b"three")
    client.line.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.receive()
    assert b"one" in server.seen
    assert proxy.open == 2


def test_lost_requests(proxy: Proxy, connect: Connect, server: Shouting) -> None:
    """Nothing is passed on, on old and new connections, which stay open; when healed, new ones work, and no old one."""
    old = connect()
    assert old.ask(b"one") == b"ONE"
    proxy.arm(Fault("lost requests"))
    old.send(b"two")
    new = connect()
    new.send(b"three")
    for client in (old, new):
        client.line.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.receive()
    proxy.heal()
    assert connect().ask(b"four") == b"FOUR"
    for client in (old, new):
        client.send(b"five")
        with pytest.raises(TimeoutError):
            client.receive()
    assert server.seen == [b"one", b"four"]


def test_refused_connections(proxy: Proxy, connect: Connect) -> None:
    """All connections are reset, and new ones refused, until healed; the address is the same then."""
    client = connect()
    assert client.ask(b"one") == b"ONE"
    proxy.refuse()
    assert client.receive() == b""
    assert proxy.open == 0
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            connect()
    proxy.heal()
    proxy.heal()
    assert connect().ask(b"two") == b"TWO"


def test_slow_replies_are_whole_in_the_end(proxy: Proxy, connect: Connect) -> None:
    """All parts of a slow reply come, in order, and none behind those of the next."""
    client = connect()
    proxy.slow()
    for word in (b"hello", b"slow", b"x"):
        client.send(word)
        if word == b"slow":
            proxy.heal()
        got = b""
        while len(got) < len(word):
            got += client.receive()
        assert got == word.upper()


def test_a_hook_is_called_when_its_request_has_been_passed_on(proxy: Proxy, connect: Connect) -> None:
    """It is called once, and the reply is passed on behind it."""
    called: list[int] = []
    proxy.arm(Fault("nothing", 2), lambda: called.append(proxy.requests))
    client = connect()
    assert [client.ask(word) for word in (b"a", b"b", b"c")] == [b"A", b"B", b"C"]
    assert called == [2]


def test_heal_calls_a_fault_off(proxy: Proxy, connect: Connect) -> None:
    """A fault that has met nothing yet never does."""
    proxy.arm(Fault("cut before the request"))
    proxy.heal()
    assert connect().ask(b"one") == b"ONE"
    assert proxy.fired == 0


def test_a_server_that_is_gone(proxy: Proxy, connect: Connect, server: Shouting) -> None:
    """Who connects is cut off when the server takes no connection."""
    server.stop()
    got = b""
    with suppress(ConnectionError):  # as the connection is made, or when something is sent
        got = connect().ask(b"one")
    assert got == b""
    assert proxy.open == 0


def test_nothing_is_left_of_a_proxy(server: Shouting) -> None:
    """Its thread has ended, its address is free, and its connections are closed."""
    with Proxy(server.url) as proxy:
        pass
    assert "proxy" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        Client(address_in(proxy.url))
