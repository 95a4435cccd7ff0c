"""Ports on 127.0.0.1."""

from __future__ import annotations

import socket
from contextlib import closing

#: Tries with another port when one was taken between the question and the start.
PORTS = 10
#: What every server says of such a port.
TAKEN = "ddress already in use"


def free_port() -> int:
    """Return a port that nobody listens on now; another program may be given it at any time."""
    with closing(socket.socket()) as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port
