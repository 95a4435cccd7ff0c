"""The machine that was measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.benchmarks.machine import comparable, fingerprint

MACHINE = {
    "cpu_count": 2,
    "cpu": "AMD EPYC",
    "architecture": "x86_64",
    "system": "Linux",
    "filesystem": "ext4",
    "implementation": "CPython",
    "python": "3.11.7",
}


def test_a_machine_is_comparable_with_itself(tmp_path: Path) -> None:
    """What this machine tells of itself is complete on Linux, and the same twice; a patch release is no matter."""
    assert comparable(MACHINE, MACHINE | {"python": "3.11.9", "release": "6.1"}) == ""
    found = fingerprint(tmp_path)
    assert found["cpu_count"] >= 1
    if found["system"] == "Linux":
        assert comparable(found, fingerprint(tmp_path)) == ""


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"cpu_count": 8}, "not comparable: another number of cores (2 and 8)"),
        ({"filesystem": "tmpfs"}, "not comparable: another file system (ext4 and tmpfs)"),
        ({"python": "3.12.1"}, "not comparable: another Python version (3.11 and 3.12)"),
        ({"filesystem": ""}, "not comparable: the file system of one is not known"),
        ({"cpu": "M4", "architecture": "arm64"}, "another processor (AMD EPYC and M4), another architecture"),
    ],
)
def test_other_machines_are_not_comparable(other: dict[str, object], reason: str) -> None:
    """The sentence says what is different, or not known."""
    assert reason in comparable(MACHINE, MACHINE | other)


def test_nothing_known_is_not_comparable() -> None:
    """Two machines of which nothing is known may be two."""
    assert "the processor of both is not known" in comparable({}, {})
