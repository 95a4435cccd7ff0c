"""One connection of a client through the proxy, and the one to the server that belongs to it."""

from __future__ import annotations

import socket
import struct
from collections import deque
from contextlib import suppress

#: Bytes that are taken from a socket at once.
_PIECE = 1 << 16
#: Closing sends a reset instead of an end.
_RESET = struct.pack("ii", 1, 0)


class End:
    """One side of a link: a socket that does not block, and what has still to be sent on it."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.waiting: deque[bytes] = deque()
        #: Whether nothing is sent any more, once all that waits is sent.
        self.ending = False
        self.closed = False
        line.settimeout(0)

    def send(self, data: bytes) -> None:
        """Send, now or as soon as there is room."""
        if not self.ending and not self.closed:
            self.waiting.append(data)
            self.push()

    def push(self) -> None:
        """Send what waits, as far as there is room."""
        try:
            while self.waiting:
                sent = self.line.send(self.waiting[0])
                rest = self.waiting.popleft()[sent:]
                if rest:
                    self.waiting.appendleft(rest)
        except BlockingIOError:
            return
        except OSError:  # the other side is gone, which reading will tell
            self.waiting.clear()
        if self.ending and not self.waiting:
            with suppress(OSError):
                self.line.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Tell the other side that nothing more comes, behind all that waits."""
        if not self.ending:
            self.ending = True
            self.push()

    def take(self) -> bytes | None:
        """Return what has come; empty for nothing yet, and None for the end."""
        try:
            return self.line.recv(_PIECE) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def close(self, *, reset: bool = False) -> None:
        """Close the socket."""
        if not self.closed:
            self.closed = True
            if reset:
                with suppress(OSError):
                    self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.line.close()


class Link:
    """A client's connection.

    Attributes:
        client: The side of the client.
        server: The side of the server; None where none was asked.
        asked: Whether a request is out whose reply has not begun.
        fault: What becomes of the reply that is due; empty for nothing.
        held: Replies that are kept back; None when they are passed on.
        with_next: Whether they are kept back until the next request is answered.
        deaf: Whether nothing is passed on any more, in either direction.
        severed: Whether the client is told the end as soon as the server has ended.
        parts: How many parts of slow replies are still to be sent; nothing may overtake them.
        due_s: When the last of them is.
    """

    def __init__(self, client: socket.socket, server: socket.socket | None) -> None:
        self.client = End(client)
        self.server = End(server) if server is not None else None
        self.asked = False
        self.fault = ""
        self.held: list[bytes] | None = None
        self.with_next = False
        self.deaf = server is None
        self.severed = False
        self.parts = 0
        self.due_s = 0.0

    @property
    def ends(self) -> list[End]:
        """The sides that are open."""
        return [end for end in (self.client, self.server) if end is not None and not end.closed]

    def sever(self) -> None:
        """Have the server do all that it was asked, and the client get nothing but the end, behind it."""
        self.deaf = self.severed = True
        if self.server is None or self.server.closed:
            self.client.end()
        else:
            self.server.end()

    def close(self, *, reset: bool = False) -> None:
        """Close both sides."""
        for end in self.ends:
            end.close(reset=reset)


def hurry(line: socket.socket) -> None:
    """Have what is sent leave at once: halves are to arrive as halves."""
    if line.family in (socket.AF_INET, socket.AF_INET6):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
