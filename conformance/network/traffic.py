"""What becomes of the bytes that go through a proxy: passed on, or met by a fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from conformance.network.fault import Fault
from conformance.network.link import End, Link

#: Seconds that a server has to end a connection that was cut.
_END_S = 1.0
#: Parts of a reply that comes slowly, and the seconds between two of them.
_PARTS, _PART_S = 3, 0.02

#: Has something done after so many seconds.
Later = Callable[[float, Callable[[], None]], None]


@dataclass
class Traffic:
    """All connections through a proxy; one thread has it.

    Args:
        later: Has something done later, by that thread.
    """

    later: Later
    links: list[Link] = field(default_factory=list)
    #: The fault that is to come, what is called when it does, and how many requests were made since it is waited for.
    fault: Fault | None = None
    hook: Callable[[], None] = lambda: None
    seen: int = 0
    #: Whether nothing is passed on, on any connection.
    black: bool = False
    slow: bool = False
    #: How many requests were made, and how many have met a fault.
    requests: int = 0
    fired: int = 0

    def let_go(self) -> None:
        """Deliver all replies that are kept back."""
        for link in self.links:
            self._send_back(link, _taken(link))

    def came(self, link: Link, end: End) -> None:
        """Take what has come on one side of a connection, and pass it on."""
        data = end.take()
        if end is link.client:
            self._from_client(link, data)
        else:
            self._from_server(link, data)

    def _from_client(self, link: Link, data: bytes | None) -> None:
        if data is None:
            link.close()
        elif data and link.server is not None and not link.deaf:
            if not link.asked:
                link.asked = True
                self.requests += 1
                data = self._met(link, data)
            if not link.deaf:
                link.server.send(data)

    def _met(self, link: Link, data: bytes) -> bytes:
        """Have a new request meet the fault, if its time has come, and return what is still to be passed on."""
        self.seen += 1
        if self.fault is None or self.seen != self.fault.request:
            return data
        kind, self.fault = self.fault.kind, None
        self.fired += 1
        assert link.server is not None
        match kind:
            case "cut before the request" | "cut in the request":
                if kind == "cut in the request":
                    link.server.send(data[: len(data) // 2])
                self._sever(link)
            case "lost requests":
                self.black = True
                for one in self.links:
                    one.deaf = True
            case "nothing":
                link.server.send(data)
                data = b""
            case _:
                link.fault = kind
        self.hook()
        return data

    def _from_server(self, link: Link, data: bytes | None) -> None:
        assert link.server is not None
        if data is None:
            link.server.close()
            if link.severed or not link.deaf:
                self._in_turn(link, link.client.end)
            return
        if not data or link.deaf:
            return
        first, link.asked = link.asked, False
        if link.fault:
            self._met_by_reply(link, data)
        elif link.held is None:
            self._send_back(link, data)
        else:
            link.held.append(data)
            if first and link.with_next:
                self._send_back(link, _taken(link))

    def _met_by_reply(self, link: Link, data: bytes) -> None:
        kind, link.fault = link.fault, ""
        match kind:
            case "lost reply":
                link.deaf = True
            case "late reply" | "late reply, with the next":
                link.held = [data]
                link.with_next = kind != "late reply"
            case "cut in the reply":
                link.client.send(data[: len(data) // 2])
                self._sever(link)
            case _:
                self._sever(link)

    def _sever(self, link: Link) -> None:
        link.sever()
        self.later(_END_S, link.client.end)  # a server may not notice that its client is gone

    def _send_back(self, link: Link, data: bytes) -> None:
        if not self.slow:
            self._in_turn(link, lambda: link.client.send(data))
            return
        size = max(1, -(-len(data) // _PARTS))
        for place in range(0, len(data), size):
            link.due_s = max(link.due_s, time.monotonic()) + _PART_S
            self._when_due(link, partial(link.client.send, data[place : place + size]))

    def _in_turn(self, link: Link, what: Callable[[], None]) -> None:
        """Do something to a client at once, or behind the parts that are still to be sent."""
        if link.parts:
            self._when_due(link, what)
        else:
            what()

    def _when_due(self, link: Link, what: Callable[[], None]) -> None:
        def do() -> None:
            link.parts -= 1
            what()

        link.parts += 1
        self.later(link.due_s - time.monotonic(), do)


def _taken(link: Link) -> bytes:
    held, link.held = link.held or [], None
    return b"".join(held)
