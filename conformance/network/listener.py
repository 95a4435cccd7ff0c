"""Where a proxy listens, stops listening, and listens again; and how it reaches the server."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from conformance.network.address import Address
from conformance.network.link import hurry

#: Seconds that a server has to take a connection.
CONNECT_S = 1.0


class Listener:
    """Listens at an address of its own, of the same kind as another: a port, or a Unix socket.

    Args:
        like: The other address.
    """

    def __init__(self, like: Address) -> None:
        #: The socket that listens; None while connections are refused.
        self.line: socket.socket | None = None
        self._folder: Path | None = None
        self._keeper: socket.socket | None = None
        if like.path:
            self._folder = Path(tempfile.mkdtemp(prefix="proxy-"))
            self.address = Address(path=str(self._folder / Path(like.path).name))
            return
        # Bound to the port for as long as the proxy is there, and never listening: so nobody else is given the port
        # while connections are refused.
        self._keeper = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.address = Address("127.0.0.1", self._keeper.getsockname()[1])

    def listen(self) -> None:
        """Take connections."""
        if self.line is not None:
            return
        family, address = _of_socket(self.address)
        self.line = socket.socket(family, socket.SOCK_STREAM)
        if self.address.path:
            Path(self.address.path).unlink(missing_ok=True)
        else:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.line.bind(address)
        self.line.listen(64)
        self.line.settimeout(0)

    def accept(self) -> socket.socket | None:
        """Return the next connection; None when it is gone again."""
        assert self.line is not None
        try:
            client, _ = self.line.accept()
        except OSError:
            return None
        hurry(client)
        return client

    def refuse(self) -> None:
        """Refuse connections, those too that nobody has taken yet."""
        if self.line is not None:
            self.line.close()
            self.line = None

    def close(self) -> None:
        """Give the address up."""
        self.refuse()
        if self._keeper is not None:
            self._keeper.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def connected(address: Address) -> socket.socket | None:
    """Return a connection to an address; None when nobody takes it."""
    family, where = _of_socket(address)
    line = socket.socket(family, socket.SOCK_STREAM)
    line.settimeout(CONNECT_S)
    try:
        line.connect(where)
    except OSError:
        line.close()
        return None
    hurry(line)
    return line


def _of_socket(address: Address) -> tuple[int, Any]:
    if address.path:
        return socket.AF_UNIX, address.path
    family, _, _, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    return family, where
