"""A proxy between a client and its server, which can do to their connections what a network does.

Sources: Jepsen's nemeses; Toxiproxy, Shopify (a proxy that is told what goes wrong). This one counts requests, so that
each of them can be met by a fault, and what comes of it can be had again.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar, final

from conformance.network.address import address_in, redirected
from conformance.network.fault import Fault
from conformance.network.link import End, Link
from conformance.network.listener import Listener, connected
from conformance.network.traffic import Traffic

Answer = TypeVar("Answer")

#: Seconds between two looks at how many connections are open.
_LOOK_S = 0.005


@final
class Proxy:
    """Stands between clients and the server of a URL; a context manager. Its methods may be called by any thread.

    Args:
        url: Of the server.

    Raises:
        AddressUnknown: The URL does not tell where the server listens.
    """

    def __init__(self, url: str) -> None:
        self._target = address_in(url)
        self._listener = Listener(self._target)
        #: The same URL, but that of the proxy.
        self.url = redirected(url, self._listener.address)
        self._traffic = Traffic(self._later)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self._ear.settimeout(0)
        self._going = True
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._listener.listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop)
        self._thread.join()

    def arm(self, fault: Fault, hook: Callable[[], None] = lambda: None) -> None:
        """Have a fault meet a request; one that was to come before is called off.

        Args:
            fault: What, and which request from now on.
            hook: Called when it has, by the thread that passes everything on; until it returns, nothing is.
        """

        def order() -> None:
            self._traffic.fault, self._traffic.hook, self._traffic.seen = fault, hook, 0

        self._do(order)

    def heal(self) -> None:
        """End what goes wrong: new connections work. What was cut, or passes nothing on, stays so."""

        def order() -> None:
            self._traffic.fault = None
            self._traffic.black = self._traffic.slow = False
            self._listener.listen()
            self._traffic.let_go()

        self._do(order)

    def release(self) -> None:
        """Deliver the replies that are kept back, each on its connection."""
        self._do(self._traffic.let_go)

    def refuse(self) -> None:
        """Reset all connections, and refuse new ones until healed."""

        def order() -> None:
            self._listener.refuse()
            for link in self._traffic.links:
                link.close(reset=True)

        self._do(order)

    def slow(self) -> None:
        """Have each reply come in parts, with a moment in between, until healed."""

        def order() -> None:
            self._traffic.slow = True

        self._do(order)

    # Numbers are changed by the proxy's thread alone, before it passes on what made them change; so each may be read.

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return self._traffic.requests

    @property
    def fired(self) -> int:
        """How many requests have met a fault."""
        return self._traffic.fired

    @property
    def open(self) -> int:
        """How many connections are open now; one that was cut, for as long as the client does not close it."""
        return self._do(lambda: len(self._links()))

    def settled(self, most: int, seconds: float) -> int:
        """Return how many connections are open: as soon as there are no more than `most`, or after so long."""
        found: Future[int] = Future()
        end = time.monotonic() + seconds

        def look() -> None:
            if len(self._links()) <= most or time.monotonic() >= end:
                found.set_result(len(self._links()))
            else:
                self._later(_LOOK_S, look)

        self._do(look)
        return found.result()

    def _do(self, order: Callable[[], Answer]) -> Answer:
        """Return what an order comes to; the proxy's thread carries it out, which alone touches connections."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return order()
        done: Future[Answer] = Future()

        def carry_out() -> None:
            try:
                done.set_result(order())
            except Exception as error:  # noqa: BLE001 - raised where it was asked for
                done.set_exception(error)

        self._orders.put(carry_out)
        self._bell.send(b"!")
        return done.result()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), what))

    # -- what its thread does -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._selector.register(self._ear, selectors.EVENT_READ, self._obey)
        while self._going:
            self._watch()
            wait_s = max(self._timers[0][0] - time.monotonic(), 0) if self._timers else None
            for key, events in self._selector.select(wait_s):
                key.data(events)
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def _obey(self, _: int) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(4096)
        while not self._orders.empty():
            self._orders.get()()

    def _watch(self) -> None:
        """Register what is open with the selector, and nothing else."""
        wanted = {line: (events, do) for line, events, do in self._lines()}
        for key in list(self._selector.get_map().values()):
            line: Any = key.fileobj
            # The number of a socket that was closed may be another one's by now.
            if line is not self._ear and (line not in wanted or line.fileno() != key.fd):
                self._selector.unregister(line)
        known = {key.fileobj for key in self._selector.get_map().values()}
        for line, (events, do) in wanted.items():
            (self._selector.modify if line in known else self._selector.register)(line, events, do)

    def _lines(self) -> Iterator[tuple[socket.socket, int, Callable[[int], None]]]:
        if self._listener.line is not None:
            yield self._listener.line, selectors.EVENT_READ, self._accept
        for link in self._links():
            for end in link.ends:
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if end.waiting else 0)
                yield end.line, events, partial(self._turn, link, end)

    def _links(self) -> list[Link]:
        self._traffic.links = [link for link in self._traffic.links if not link.client.closed]
        return self._traffic.links

    def _accept(self, _: int) -> None:
        client = self._listener.accept() if self._listener.line is not None else None
        if client is None:
            return
        server = None if self._traffic.black else connected(self._target)
        if server is None and not self._traffic.black:
            End(client).close(reset=True)
        else:
            self._traffic.links.append(Link(client, server))

    def _turn(self, link: Link, end: End, events: int) -> None:
        if events & selectors.EVENT_WRITE and not end.closed:
            end.push()
        if events & selectors.EVENT_READ and not end.closed:
            self._traffic.came(link, end)

    def _stop(self) -> None:
        self._going = False
        for link in self._traffic.links:
            link.close()
        self._listener.close()
