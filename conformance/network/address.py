"""Where the server of a URL listens, and the same URL for another listener."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

#: The file in the directory that `?host=/directory` names, by the port; libpq's rule.
_SOCKET_FILE = ".s.PGSQL.{}"
_USUAL_PORT = "5432"


class AddressUnknown(Exception):
    """A URL does not tell where the server listens; the text says what is missing."""


@dataclass(frozen=True)
class Address:
    """Where a server listens: at a port of a host, or at a Unix socket.

    Args:
        host: Its name or number; empty for a Unix socket.
        port: 0 for a Unix socket.
        path: Of the Unix socket; empty for none.
    """

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def address_in(url: str) -> Address:
    """Return where the server of a URL listens.

    Three forms are known: `scheme://user@host:port/rest`, `unix:///path/of/socket` and
    `scheme://user@/rest?host=/directory&port=number`, as libpq has it.

    Raises:
        AddressUnknown: The URL has none of them.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "unix" and parts.path:
        return Address(path=unquote(parts.path))
    host = query.get("host") or parts.hostname or ""
    if unquote(host).startswith("/"):
        file = _SOCKET_FILE.format(query.get("port") or parts.port or _USUAL_PORT)
        return Address(path=str(Path(unquote(host)) / file))
    port = query.get("port") or parts.port
    if not host or not port:
        raise AddressUnknown(
            f"the address {url!r} names no host with a port, and no Unix socket, so no proxy can be put in between: "
            f"write scheme://host:port/..., or unix:///path"
        )
    return Address(host, int(port))


def redirected(url: str, address: Address) -> str:
    """Return a URL that is the same but for where its server listens; of the same kind, a port or a Unix socket.

    Raises:
        AddressUnknown: As above.
    """
    address_in(url)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    user, at, _ = parts.netloc.rpartition("@")
    path = parts.path
    if parts.scheme == "unix":
        host, path = "", quote(address.path)
    elif address.path:
        file = Path(address.path)
        host, query = "", {**query, "host": str(file.parent), "port": file.name.rpartition(".")[2]}
    else:
        host = f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"
        query = {name: value for name, value in query.items() if name not in ("host", "port")}
    return f"{parts.scheme}://{user}{at}{host}{path}" + (f"?{urlencode(query)}" if query else "")
