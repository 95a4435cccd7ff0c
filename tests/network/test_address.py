"""Where the server of a URL listens, and the same URL for another listener."""

from __future__ import annotations

import pytest

from conformance.network.address import Address, AddressUnknown, address_in, redirected

PORT = Address("127.0.0.1", 5)
SOCKET = Address(path="/new/.s.PGSQL.6")


@pytest.mark.parametrize(
    ("url", "address", "other", "changed"),
    [
        ("redis://127.0.0.1:6379/0", Address("127.0.0.1", 6379), PORT, "redis://127.0.0.1:5/0"),
        ("redis://me:p%40@db:1/0?a=b%2Fc", Address("db", 1), PORT, "redis://me:p%40@127.0.0.1:5/0?a=b%2Fc"),
        ("redis://[::1]:3/0", Address("::1", 3), PORT, "redis://127.0.0.1:5/0"),
        ("unix:///tmp/x/redis.sock?db=1", Address(path="/tmp/x/redis.sock"), SOCKET, "unix:///new/.s.PGSQL.6?db=1"),
        ("unix://u:p@/tmp/a%20b", Address(path="/tmp/a b"), SOCKET, "unix://u:p@/new/.s.PGSQL.6"),
        (
            "postgresql://me@/db?host=/tmp/x&sslmode=disable",
            Address(path="/tmp/x/.s.PGSQL.5432"),
            SOCKET,
            "postgresql://me@/db?host=%2Fnew&sslmode=disable&port=6",
        ),
        (
            "postgresql:///db?host=/tmp/x&port=99",
            Address(path="/tmp/x/.s.PGSQL.99"),
            SOCKET,
            "postgresql:///db?host=%2Fnew&port=6",
        ),
        (
            "postgresql://me@%2Ftmp%2Fx:77/db",
            Address(path="/tmp/x/.s.PGSQL.77"),
            SOCKET,
            "postgresql://me@/db?host=%2Fnew&port=6",
        ),
        ("postgresql://me@db:7/x?host=other&port=8", Address("other", 8), PORT, "postgresql://me@127.0.0.1:5/x"),
    ],
)
def test_address_of_a_url(url: str, address: Address, other: Address, changed: str) -> None:
    """Hosts with ports and Unix sockets are found, and replaced by others of their kind; all else stays."""
    assert address_in(url) == address
    assert redirected(url, other) == changed
    assert address_in(changed) == other


@pytest.mark.parametrize("url", ["", "redis://localhost/0", "memory:", "file:///tmp/x", "/tmp/x.sock"])
def test_no_address(url: str) -> None:
    """A URL without a host and a port, or a socket, is refused, with what to write."""
    with pytest.raises(AddressUnknown, match="write scheme://host:port"):
        address_in(url)
