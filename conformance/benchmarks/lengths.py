"""Stores of several lengths, written once and opened again and again: as they were closed, and after a kill."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

from conformance.backend import Backend, Where
from conformance.benchmarks.contracts import FILLS
from conformance.benchmarks.guest import Guest
from conformance.benchmarks.payload import Payload
from conformance.place import place_of

#: Parts into which the longest length is divided; growth is seen at each.
PARTS = 5
#: Bytes that are copied, or read, at once.
_PIECE = 1 << 20
#: So many files are synced one by one.
_FEW = 20
#: Records that are written at once while it is found out how long writing takes.
_TRIED = 20


class LostError(Exception):
    """A store was opened and does not hold what was written: how fast that goes is of no interest."""


@dataclass(frozen=True)
class Filled:
    """A store of several lengths.

    Args:
        backend: Whose.
        contract: Which.
        where: Its place. It is always opened there: stores may write down where they are.
        closed: A directory with its files as a clean close left them; None where it is in a server.
        killed: For each length a directory with the files as they were while the store was open and idle, which is
            what a killed process leaves; empty where it is in a server.
        bytes_on_disk: What the file system has allocated for the files of the closed store; 0 for none.
        bytes_empty: The same of a store that was opened and closed.
        block: Bytes that the file system may have allocated beyond what is in the files: one block of each.
        payload: What was written.
        length: Records of the closed store.
    """

    backend: Backend
    contract: str
    where: Where
    closed: Path | None
    killed: dict[int, Path]
    bytes_on_disk: int
    bytes_empty: int
    block: int
    payload: Payload
    length: int


def seconds_per_record(backend: Backend, contract: str, folder: Path, payload: Payload) -> float:
    """Return how long it takes to write one record, by a few."""
    guest = Guest(backend, contract, place_of(backend, folder))
    try:
        fill = FILLS[contract]
        took = guest.perform(fill, [fill.arguments(payload, number) for number in range(_TRIED)])
    finally:
        guest.close()
    return took / _TRIED / 1e9


def filled(backend: Backend, contract: str, folder: Path, payload: Payload, length: int) -> Filled:
    """Write a store of `length` records, one by one, each acknowledged, and keep its files at each part of the way.

    Args:
        backend: Whose.
        contract: Which.
        folder: For it all; exists.
        payload: What is written; its keys are as many as the length.
        length: A multiple of `PARTS`.
    """
    home = folder / "home"
    home.mkdir()
    where = place_of(backend, home)
    guest = Guest(backend, contract, where)
    killed: dict[int, Path] = {}
    fill = FILLS[contract]
    try:
        for part in range(PARTS):
            begin, end = length * part // PARTS, length * (part + 1) // PARTS
            guest.perform(fill, [fill.arguments(payload, number) for number in range(begin, end)])
            if backend.server is None:
                killed[end] = folder / f"killed-{end}"
                copy_files(home, killed[end])
    finally:
        guest.close()
    closed = None
    if backend.server is None:
        closed = home.rename(folder / "closed")
    empty = _empty(backend, contract, home)
    return Filled(
        backend, contract, where, closed, killed, _allocated(closed), empty, _rounded_up(closed), payload, length
    )


def _empty(backend: Backend, contract: str, home: Path) -> int:
    if backend.server is not None:
        return 0
    home.mkdir()
    Guest(backend, contract, place_of(backend, home)).close()
    return _allocated(home)


def _allocated(folder: Path | None) -> int:
    found = [path.stat() for path in _files(folder)] if folder is not None else []
    return sum(getattr(one, "st_blocks", -(-one.st_size // 512)) * 512 for one in found)


def _rounded_up(folder: Path | None) -> int:
    found = [path.stat() for path in _files(folder)] if folder is not None else []
    return sum(getattr(one, "st_blksize", 4096) for one in found)


def opening(of: Filled, *, killed: int = 0, cold: bool = False) -> Callable[[int], int]:
    """Return what opens a fresh copy of a store, reads its last record, and returns the nanoseconds of that.

    Args:
        of: The store.
        killed: The length at which it was killed; 0 for the store that was closed.
        cold: Whether the files have to be read from the disk, as far as the system follows the advice.

    Raises:
        LostError: The last record is not there.
    """
    source = of.killed[killed] if killed else of.closed
    last = (killed or of.length) - 1

    def perform(_count: int) -> int:
        if source is not None:
            _fresh_copy(source, of.where.path, cold=cold)
        start = perf_counter_ns()
        guest = Guest(of.backend, of.contract, of.where)
        try:
            _read_last(guest, of, last)
            return perf_counter_ns() - start
        finally:
            guest.close()

    return perform


def bare_reading(source: Path, *, cold: bool) -> Callable[[int], int]:
    """Return what reads all bytes of some files with pread(2), and returns the nanoseconds of that."""

    def perform(_count: int) -> int:
        if cold:
            forget(source)
        start = perf_counter_ns()
        for path in _files(source):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                offset = 0
                while piece := os.pread(descriptor, _PIECE, offset):
                    offset += len(piece)
            finally:
                os.close(descriptor)
        return perf_counter_ns() - start

    return perform


def _read_last(guest: Guest, of: Filled, last: int) -> None:
    try:
        if of.contract == "log":
            found = guest.items("read", last + 1, last + 2)[0][1]
        else:
            found = guest.ask("__getitem__", of.payload.known(last))
    except _missing(of.backend) as error:
        raise LostError(f"the store was opened and does not hold record {last + 1}, the last one written") from error
    if found != of.payload.value(last):
        raise LostError(f"the store was opened, and its last record, {last + 1}, is another than was written")


def _missing(backend: Backend) -> tuple[type[BaseException], ...]:
    types = backend.errors.get("missing", ())
    return (LookupError, *(types if isinstance(types, tuple) else (types,)))


def _fresh_copy(source: Path, folder: Path, *, cold: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    copy_files(source, folder)
    if cold:
        forget(folder)


def forget(folder: Path) -> None:
    """Have the system drop what it keeps of files in memory, as far as it follows the advice."""
    if not hasattr(os, "posix_fadvise"):
        return
    files = _files(folder)
    if len(files) > _FEW:
        os.sync()  # a sync of each of them would take much longer than one of everything
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if len(files) <= _FEW:
                os.fsync(descriptor)  # what is not on the disk yet can't be dropped
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def copy_files(source: Path, target: Path) -> None:
    """Copy a directory with its plain files; holes stay holes, since some stores reserve gigabytes of them."""
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        mode = path.lstat().st_mode
        there = target / path.relative_to(source)
        if stat.S_ISDIR(mode):
            there.mkdir(parents=True, exist_ok=True)
        elif stat.S_ISLNK(mode):
            there.symlink_to(os.readlink(path))
        elif stat.S_ISREG(mode):
            _copy(path, there)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as reader, target.open("wb") as writer:
        size, offset = os.fstat(reader.fileno()).st_size, 0
        writer.truncate(size)
        while offset < size:
            begin, end = _data(reader.fileno(), offset, size)
            reader.seek(begin)
            writer.seek(begin)
            while begin < end and (piece := reader.read(min(_PIECE, end - begin))):
                writer.write(piece)
                begin += len(piece)
            offset = end
    shutil.copymode(source, target)


def _data(descriptor: int, offset: int, size: int) -> tuple[int, int]:
    """Return where the next data from `offset` on begin and end; lseek(2), SEEK_DATA."""
    if not hasattr(os, "SEEK_DATA"):
        return offset, size
    with suppress(OSError):  # ENXIO: there is a hole up to the end
        begin = os.lseek(descriptor, offset, os.SEEK_DATA)
        return begin, os.lseek(descriptor, begin, os.SEEK_HOLE)
    return size, size


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
