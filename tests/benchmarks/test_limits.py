"""The bare disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.benchmarks.limits import APPENDED, IN_PLACE, READ, WRITTEN, BareDisk, limits_of
from conformance.benchmarks.payload import Payload


@pytest.mark.parametrize(
    ("durability", "reads", "expected"),
    [
        ("power-loss", False, (IN_PLACE, APPENDED)),
        ("prefix", False, (WRITTEN,)),
        ("process-crash", False, (WRITTEN,)),
        ("volatile", False, (WRITTEN,)),
        ("power-loss", True, (READ,)),
        ("volatile", True, (READ,)),
    ],
)
def test_what_a_store_is_measured_beside(durability: str, *, reads: bool, expected: tuple[str, ...]) -> None:
    """Only who survives a power loss is measured beside a sync of every write; reads are beside reads."""
    assert limits_of(durability, reads=reads) == expected


@pytest.mark.parametrize(
    ("name", "grows"), [(APPENDED, 300 * 7), (WRITTEN, 300 * 7), (IN_PLACE, 1 << 20), (READ, 1 << 20)]
)
@pytest.mark.parametrize("workers", [1, 3])
def test_the_bytes_are_written(name: str, grows: int, workers: int, tmp_path: Path) -> None:
    """So many bytes of so many writes are in the file, by whomever; in place and for reading it gets no longer."""
    disk = BareDisk(name, tmp_path / "bare", 300)
    with disk.opened(workers) as perform:
        assert perform(7) > 0
    size = (tmp_path / "bare").stat().st_size
    assert size == (grows if grows == 1 << 20 else grows * workers)
    written = 1 << 20 if name == READ else sum(1 for byte in (tmp_path / "bare").read_bytes() if byte)
    assert written > 300 * 6


def test_payloads_have_one_size() -> None:
    """Every value has as many bytes as the first, as JSON and as bytes; texts differ, keys as well."""
    for domain in ("json", "bytes"):
        payload = Payload(domain, 3, keys=10)
        assert len({payload.size(payload.value(number)) for number in range(2_000)}) == 1
        assert len({payload.key(number) for number in range(100)}) == 100
        assert len({payload.known(number) for number in range(100)}) == 10
        assert payload.value(1) != payload.value(2)
    assert Payload("json", 1, 1).value(0) != Payload("json", 2, 1).value(0)
