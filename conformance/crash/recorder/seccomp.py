"""Stopping another process at its system calls: the mechanics of seccomp user notification, with ctypes.

Sources: seccomp(2), seccomp_unotify(2), linux/seccomp.h, linux/filter.h, struct seccomp_data.
"""

from __future__ import annotations

import array
import ctypes
import errno
import os
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from conformance.crash.recorder.syscalls import FICLONE, FICLONERANGE, MAP_SHARED, PROT_WRITE, REFUSED, Architecture

RET_ALLOW = 0x7FFF0000
RET_NOTIFY = 0x7FC00000
RET_ERRNO = 0x00050000

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_BITS = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16

_RECEIVE = 0xC0502100
_SEND = 0xC0182101
_ADD_DESCRIPTOR = 0x40182103
_SET_FLAGS = 0x40082104
_CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
_ADD_AND_SEND = 2  # SECCOMP_ADDFD_FLAG_SEND, Linux 5.14
_SYNC_WAKE_UP = 1  # SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6
_NOTIFICATION = struct.Struct("QIIiIQ6Q")

_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE = 1 << 5  # Linux 5.19
_SET_MODE_FILTER = 1
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_SIGKILL = 9


@dataclass(frozen=True)
class Notification:
    """A thread that waits at a system call.

    Args:
        id: To answer it with.
        tid: The thread.
        number: Of the call.
        arguments: All six, unsigned.
    """

    id: int
    tid: int
    number: int
    arguments: tuple[int, ...]


def filter_program(architecture: Architecture) -> bytes:
    """Return the filter, an array of struct sock_filter: which calls wait for an answer, and which are refused.

    mmap(2) waits only when the mapping is shared and writable. Calls of another architecture pass.
    """
    numbers = architecture.numbers
    waiting = [numbers[name] for name in numbers if name not in REFUSED and name not in ("mmap", "ioctl")]
    # A line is (code, operand, label to go to if true, label to go to if false); without labels it falls through.
    lines: list[tuple[int, int, str, str] | str] = [
        (_LOAD, _AT_ARCHITECTURE, "", ""),
        (_IF_EQUAL, architecture.audit, "", "allow"),
        (_LOAD, _AT_NUMBER, "", ""),
        (_IF_EQUAL, numbers["mmap"], "mmap", ""),
        (_IF_EQUAL, numbers["ioctl"], "ioctl", ""),
        *((_IF_EQUAL, numbers[name], "refuse", "") for name in sorted(REFUSED)),
        *((_IF_EQUAL, number, "notify", "") for number in waiting),
        "allow",
        (_RETURN, RET_ALLOW, "", ""),
        "mmap",
        (_LOAD, _AT_ARGUMENTS + 8 * 2, "", ""),
        (_IF_BITS, PROT_WRITE, "", "pass"),
        (_LOAD, _AT_ARGUMENTS + 8 * 3, "", ""),
        (_IF_BITS, MAP_SHARED, "notify", "pass"),
        "ioctl",
        (_LOAD, _AT_ARGUMENTS + 8, "", ""),
        (_IF_EQUAL, FICLONE, "unsupported", ""),
        (_IF_EQUAL, FICLONERANGE, "unsupported", "pass"),
        "pass",
        (_RETURN, RET_ALLOW, "", ""),
        "unsupported",
        (_RETURN, RET_ERRNO | errno.EOPNOTSUPP, "", ""),
        "refuse",
        (_RETURN, RET_ERRNO | errno.ENOSYS, "", ""),
        "notify",
        (_RETURN, RET_NOTIFY, "", ""),
    ]
    places: dict[str, int] = {}
    count = 0
    for line in lines:
        if isinstance(line, str):
            places[line] = count
        else:
            count += 1
    program = bytearray()
    count = 0
    for line in lines:
        if isinstance(line, str):
            continue
        code, operand, if_true, if_false = line
        count += 1
        jumps = (places[label] - count if label else 0 for label in (if_true, if_false))
        program += struct.pack("HBBI", code, *jumps, operand)
    return bytes(program)


def c_library() -> ctypes.CDLL:
    """Return the C library of this process."""
    library = ctypes.CDLL(None, use_errno=True)
    # Without it ctypes passes an int of C, and cuts pointers and offsets in half.
    library.syscall.restype = ctypes.c_long
    return library


def die_with_parent() -> None:
    """Have this process killed when the thread that forked it ends; see PR_SET_PDEATHSIG in prctl(2)."""
    c_library().prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def install(architecture: Architecture) -> int:
    """Put the filter on this process and all it will start, and return the descriptor to listen at.

    Raises:
        OSError: It is refused here; EBUSY when the process has a filter with a listener already.
    """
    program = filter_program(architecture)
    held = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(held))
    head_held = ctypes.create_string_buffer(head, len(head))
    library = c_library()
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # With WAIT_KILLABLE a signal does not interrupt a call that is being carried out already, which the caller would
    # then make again. Older kernels do not know it.
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER):
        listener: int = library.syscall(
            ctypes.c_long(architecture.seccomp),
            ctypes.c_long(_SET_MODE_FILTER),
            ctypes.c_long(flags),
            ctypes.c_void_p(ctypes.addressof(head_held)),
        )
        if listener >= 0 or ctypes.get_errno() != errno.EINVAL:
            break
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return listener


def send_listener(connection: socket.socket, listener: int) -> None:
    """Give the listener to the process at the other end."""
    descriptors = array.array("i", [listener])
    connection.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors.tobytes())])


def receive_listener(connection: socket.socket) -> int:
    """Take the listener that `send_listener` gave.

    Raises:
        OSError: The other end says that seccomp refused, with its errno; or it went away, with errno 0.
    """
    said, with_it, _, _ = connection.recvmsg(16, socket.CMSG_SPACE(4))
    if with_it:
        listener: int = struct.unpack("i", with_it[0][2][:4])[0]
        _quicken(listener)
        return listener
    number = int(said or b"0")
    raise OSError(number, os.strerror(number) if number else "the process ended before its filter was in place")


def _quicken(listener: int) -> None:
    """Have the kernel switch to and fro on one processor, which it does since Linux 6.6."""
    import fcntl

    with suppress(OSError):  # an older kernel; it works all the same
        fcntl.ioctl(listener, _SET_FLAGS, _SYNC_WAKE_UP)


def receive(listener: int) -> Notification | None:
    """Take the next call that waits; None when there is none any more, since its thread died or was interrupted."""
    import fcntl

    buffer = bytearray(_NOTIFICATION.size)  # the kernel insists on zeros
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return None
        raise
    number_of_it, tid, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
    return Notification(number_of_it, tid, number, tuple(arguments))


def let_pass(listener: int, notification: Notification) -> bool:
    """Have the kernel carry the call out; tells whether somebody was still waiting."""
    return _send(listener, struct.pack("QqiI", notification.id, 0, 0, _CONTINUE))


def answer(listener: int, notification: Notification, value: int = 0, error: int = 0) -> bool:
    """Return from the call with a value or an errno; tells whether somebody was still waiting."""
    return _send(listener, struct.pack("QqiI", notification.id, value, -error, 0))


def answer_descriptor(listener: int, notification: Notification, descriptor: int, flags: int) -> bool:
    """Return from the call with a new descriptor that is a copy of ours; tells whether somebody was still waiting.

    Args:
        listener: As everywhere here.
        notification: As everywhere here.
        descriptor: Ours.
        flags: O_CLOEXEC or 0, for theirs.
    """
    import fcntl

    def add(how: int) -> int:
        request = struct.pack("QIIII", notification.id, how, descriptor, 0, flags)
        added: int = fcntl.ioctl(listener, _ADD_DESCRIPTOR, bytearray(request))
        return added

    try:
        add(_ADD_AND_SEND)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        if error.errno != errno.EINVAL:
            return answer(listener, notification, error=error.errno or errno.EIO)
        # Before Linux 5.14 adding and answering are two steps.
        return answer(listener, notification, add(0))
    return True


def _send(listener: int, response: bytes) -> bool:
    import fcntl

    try:
        fcntl.ioctl(listener, _SEND, response)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return False
    return True
