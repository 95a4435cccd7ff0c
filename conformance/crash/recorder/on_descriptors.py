"""The system calls that take a descriptor: writing, resizing, syncing, mapping."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable

from conformance.crash.recorder import process
from conformance.crash.recorder import syscalls as sc
from conformance.crash.recorder.actions import status_flags
from conformance.crash.recorder.call import Answer, Call, signed
from conformance.crash.recorder.seccomp import c_library

#: Of a call that copies within the kernel, at most so much at a time; it may always do less than it was asked for.
_COPY_LENGTH_MAX = 1 << 24


def _write(call: Call) -> Answer:
    node = call.file(call.int32(0))
    if node is None:
        return None
    data = call.memory(call.arguments[1], call.arguments[2])
    offset = call.int64(3) if call.name == "pwrite64" else None
    if offset is not None and offset < 0:
        return None  # EINVAL, from the kernel itself
    return _written(call, node, data, offset)


def _write_vector(call: Call) -> Answer:
    node = call.file(call.int32(0))
    if node is None:
        return None
    vector = call.memory(call.arguments[1], 16 * call.arguments[2])
    data = b"".join(call.memory(*part) for part in struct.iter_unpack("QQ", vector))
    offset = None if call.name == "writev" else call.int64(3)
    flags = call.int32(5) if call.name == "pwritev2" else 0
    if offset == -1 and call.name == "pwritev2":
        offset = None
    if offset is not None and offset < 0:
        return None
    return _written(call, node, data, offset, flags)


def _written(call: Call, node: int, data: bytes, offset: int | None, flags: int = 0) -> Answer:
    with call.borrowed(call.int32(0)) as ours:
        if ours.shared or offset is not None or status_flags(ours.descriptor) & os.O_APPEND:
            return call.actions.write(node, ours.descriptor, data, offset, flags)
        call.actions.foresee_write(node, ours.descriptor, data)
    return None


def _sendfile(call: Call) -> Answer:
    # (to, from, where the offset in `from` is, count)
    return _copy(call, call.int32(0), 0, call.int32(1), call.arguments[2], call.arguments[3])


def _copy_file_range(call: Call) -> Answer:
    # (from, where its offset is, to, where its offset is, count, flags)
    return _copy(call, call.int32(2), call.arguments[3], call.int32(0), call.arguments[1], call.arguments[4])


def _copy(call: Call, target: int, target_offset_at: int, source: int, source_offset_at: int, count: int) -> Answer:
    node = call.file(target)
    if node is None:
        return None
    target_offset = _offset(call, target_offset_at)
    with call.borrowed(source) as reader, call.borrowed(target) as ours:
        given = _offset(call, source_offset_at)
        start = os.lseek(reader.descriptor, 0, os.SEEK_CUR) if given is None else given
        moves_theirs = given is None or target_offset is None
        if moves_theirs and not (reader.shared and ours.shared):
            if target_offset is not None:
                os.lseek(ours.descriptor, target_offset, os.SEEK_SET)
            length = min(count, max(0, os.fstat(reader.descriptor).st_size - start))
            call.actions.foresee_write(node, ours.descriptor, os.pread(reader.descriptor, length, start))
            return None
        data = os.pread(reader.descriptor, min(count, _COPY_LENGTH_MAX), start)
        done = call.actions.write(node, ours.descriptor, data, target_offset) if data else 0
        if given is None:
            os.lseek(reader.descriptor, start + done, os.SEEK_SET)
    for address, before in ((source_offset_at, given), (target_offset_at, target_offset)):
        if before is not None:
            process.write_memory(call.tid, address, struct.pack("q", before + done))
    return done


def _offset(call: Call, address: int) -> int | None:
    return signed(int.from_bytes(call.memory(address, 8), "little")) if address else None


def _splice(call: Call) -> Answer:
    if call.file(call.int32(2)) is not None:
        call.ledger.miss("writes by splice")
    return None


def _ftruncate(call: Call) -> Answer:
    node, size = call.file(call.int32(0)), call.int64(1)
    if node is None or size < 0:
        return None
    with call.borrowed(call.int32(0)) as ours:
        call.actions.resize(node, size, lambda: os.ftruncate(ours.descriptor, size))
    return 0


def _fallocate(call: Call) -> Answer:
    node, mode, start, length = call.file(call.int32(0)), call.int32(1), call.int64(2), call.int64(3)
    if node is None:
        return None
    with call.borrowed(call.int32(0)) as ours:

        def allocate() -> None:
            library = c_library()
            if library.fallocate(ours.descriptor, mode, ctypes.c_int64(start), ctypes.c_int64(length)):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

        call.actions.allocate(node, mode, start, length, allocate)
    return 0


def _fsync(call: Call) -> Answer:
    node = call.node(call.int32(0))
    if node is None:
        return None
    call.actions.sync([node])
    return 0


def _sync(call: Call) -> Answer:
    call.actions.sync_all()
    return 0


def _syncfs(call: Call) -> Answer:
    found = call.processes.status_of(call.tid, call.int32(0))
    if found is None or found.st_dev != os.stat(call.ledger.root).st_dev:
        return None
    call.actions.sync_all()
    return 0


def _mmap(call: Call) -> Answer:
    node = call.file(call.int32(4))
    if node is not None:
        call.actions.maps.add(node, f"/proc/{call.tid}/fd/{call.int32(4)}")
    return None


def _msync(call: Call) -> Answer:
    if not call.int32(2) & sc.MS_SYNC:
        return None
    inodes = process.inodes_mapped(call.tid, call.arguments[0], call.arguments[1])
    nodes = [node for node in call.ledger.nodes_of_inodes(inodes) if node in call.ledger.mapped]
    if nodes:
        call.actions.sync(nodes)
    return None


HANDLERS: dict[str, Callable[[Call], Answer]] = {
    "write": _write,
    "pwrite64": _write,
    "writev": _write_vector,
    "pwritev": _write_vector,
    "pwritev2": _write_vector,
    "sendfile": _sendfile,
    "copy_file_range": _copy_file_range,
    "splice": _splice,
    "ftruncate": _ftruncate,
    "fallocate": _fallocate,
    "fsync": _fsync,
    "fdatasync": _fsync,
    "sync": _sync,
    "syncfs": _syncfs,
    "mmap": _mmap,
    "msync": _msync,
}
