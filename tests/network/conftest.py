"""What the tests of the network engine share."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.network.address import Address, address_in
from conformance.network.proxy import Proxy

#: Seconds after which a test client stops waiting for what must come.
PATIENT_S = 10.0


@dataclass
class Shouting:
    """A server that answers what it is sent with the same in capitals; what ends in `-` together with what follows."""

    url: str
    listener: socket.socket
    #: All requests, in order.
    seen: list[bytes] = field(default_factory=list)
    #: Set when a connection has ended on the server's side.
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        """Take connections until the listener is shut down."""
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(line,), daemon=True).start()

    def answer(self, line: socket.socket) -> None:
        """Answer on one connection until it ends."""
        answer = b""
        with line:
            try:
                while data := line.recv(1 << 16):
                    self.seen.append(data)
                    answer += data.upper()
                    if not data.endswith(b"-"):
                        line.sendall(answer)
                        answer = b""
            except OSError:
                pass
        self.ended.set()

    def stop(self) -> None:
        """Take no connection any more."""
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.thread.join()
            self.listener.close()


@pytest.fixture(params=["port", "socket"])
def server(request: pytest.FixtureRequest) -> Iterator[Shouting]:
    """Give a server at a port, and one at a Unix socket."""
    folder = Path(tempfile.mkdtemp())  # the path of a socket must be short
    if request.param == "port":
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"shout://127.0.0.1:{listener.getsockname()[1]}/x"
    else:
        path = folder / "shout.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        url = f"unix://{path}"
    one = Shouting(url, listener)
    yield one
    one.stop()
    shutil.rmtree(folder)


@pytest.fixture
def proxy(server: Shouting) -> Iterator[Proxy]:
    """Give a proxy before the server."""
    with Proxy(server.url) as one:
        yield one


class Client:
    """A connection to an address."""

    def __init__(self, address: Address) -> None:
        self.line = socket.socket(socket.AF_UNIX if address.path else socket.AF_INET)
        self.line.settimeout(PATIENT_S)
        try:
            self.line.connect(address.path or (address.host, address.port))
        except OSError:
            self.line.close()
            raise

    def send(self, data: bytes) -> None:
        """Send a request."""
        self.line.sendall(data)

    def receive(self, size: int = 1 << 16) -> bytes:
        """Return what comes next; empty for the end, and for a connection that was reset."""
        try:
            return self.line.recv(size)
        except ConnectionResetError:
            return b""

    def exactly(self, size: int) -> bytes:
        """Return so many bytes, in however many parts they come; fewer for the end."""
        data = b""
        while len(data) < size and (part := self.receive(size - len(data))):
            data += part
        return data

    def ask(self, data: bytes) -> bytes:
        """Return what comes next after a request."""
        self.send(data)
        return self.receive()

    def close(self) -> None:
        """Close the connection."""
        self.line.close()


@pytest.fixture
def connect(proxy: Proxy) -> Iterator[Callable[[], Client]]:
    """Give a function that connects to the proxy; all connections are closed in the end."""
    made: list[Client] = []

    def new() -> Client:
        made.append(Client(address_in(proxy.url)))
        return made[-1]

    yield new
    for client in made:
        client.close()
