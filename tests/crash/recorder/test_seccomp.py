"""The filter, evaluated by an interpreter of its own, for both architectures."""

from __future__ import annotations

import errno
import struct

import pytest

from conformance.crash.recorder import on_descriptors, on_names
from conformance.crash.recorder.seccomp import RET_ALLOW, RET_ERRNO, RET_NOTIFY, filter_program
from conformance.crash.recorder.syscalls import (
    ARCHITECTURES,
    FICLONE,
    FICLONERANGE,
    REFUSED,
    Architecture,
    architecture,
)

both = pytest.mark.parametrize("known", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())


def verdict(known: Architecture, number: int, *arguments: int, audit: int = 0) -> int:
    """Carry the filter out on a call, as linux/filter.h says."""
    call = struct.pack("iIQ6Q", number, audit or known.audit, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    program = list(struct.iter_unpack("HBBI", filter_program(known)))
    place = accumulator = 0
    while True:
        code, if_true, if_false, operand = program[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("I", call, operand)
        elif code == 0x15:
            place += if_true if accumulator == operand else if_false
        elif code == 0x45:
            place += if_true if accumulator & operand else if_false
        else:
            assert code == 0x06
            return int(operand)


@both
def test_calls_that_are_handled_wait(known: Architecture) -> None:
    """All in the table do, but for what is decided by an argument, and what is refused."""
    for name, number in known.numbers.items():
        if name in REFUSED:
            assert verdict(known, number) == RET_ERRNO | errno.ENOSYS
        elif name not in ("mmap", "ioctl"):
            assert verdict(known, number) == RET_NOTIFY, name


@both
def test_other_calls_pass(known: Architecture) -> None:
    """As do those of another architecture."""
    for number in set(range(500)) - set(known.numbers.values()):
        assert verdict(known, number) == RET_ALLOW
    assert verdict(known, known.numbers["write"], audit=0x40000003) == RET_ALLOW


@both
def test_a_mapping_waits_if_it_is_shared_and_writable(known: Architecture) -> None:
    """Nothing else of mmap matters; PROT_WRITE is 2 and MAP_SHARED 1, MAP_SHARED_VALIDATE 3."""
    number = known.numbers["mmap"]
    for protection, flags, expected in [
        (3, 1, RET_NOTIFY),
        (2, 3, RET_NOTIFY),
        (1, 1, RET_ALLOW),
        (3, 2, RET_ALLOW),
        (3, 0x22, RET_ALLOW),
    ]:
        assert verdict(known, number, 0, 4096, protection, flags) == expected


@both
def test_blocks_are_not_cloned(known: Architecture) -> None:
    """Other requests of ioctl pass."""
    number = known.numbers["ioctl"]
    assert verdict(known, number, 3, FICLONE) == RET_ERRNO | errno.EOPNOTSUPP
    assert verdict(known, number, 3, FICLONERANGE) == RET_ERRNO | errno.EOPNOTSUPP
    assert verdict(known, number, 3, 0x5401) == RET_ALLOW


@both
def test_each_call_has_a_handler(known: Architecture) -> None:
    """And each handler stands in the table of x86-64."""
    handled = {**on_descriptors.HANDLERS, **on_names.HANDLERS}
    assert set(known.numbers) - REFUSED - {"ioctl"} <= set(handled)
    assert set(handled) <= set(ARCHITECTURES["x86_64"].numbers)


def test_numbers_are_not_given_twice() -> None:
    """A name is found by its number."""
    for known in ARCHITECTURES.values():
        assert len(set(known.numbers.values())) == len(known.numbers)


def test_aarch64_has_no_old_calls() -> None:
    """It has only those that take a directory."""
    old = {"open", "creat", "rename", "mkdir", "rmdir", "link", "unlink", "symlink", "mknod"}
    assert not old & set(ARCHITECTURES["aarch64"].numbers)
    assert set(ARCHITECTURES["x86_64"].numbers) - set(ARCHITECTURES["aarch64"].numbers) == old


@pytest.mark.parametrize(
    ("machine", "platform", "found"),
    [("x86_64", "linux", True), ("aarch64", "linux", True), ("riscv64", "linux", False), ("x86_64", "darwin", False)],
)
def test_which_architecture(monkeypatch: pytest.MonkeyPatch, machine: str, platform: str, found: bool) -> None:  # noqa: FBT001
    """Others than the two are not known."""
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("sys.platform", platform)
    assert (architecture() is not None) == found
