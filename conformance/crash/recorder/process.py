"""Looking into another process: its memory, its paths and its open files, by /proc and pidfds.

All of it needs the right to trace that process, which one has over the processes one started, unless Yama or a filter
of a container denies it. Sources: proc(5), pidfd_open(2), pidfd_getfd(2), ptrace(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conformance.crash.recorder.seccomp import c_library
from conformance.crash.recorder.syscalls import AT_FDCWD, Architecture

_PAGE = 4096


@dataclass(frozen=True)
class Borrowed:
    """A descriptor of ours for a file that another process has open.

    Args:
        descriptor: Ours.
        shared: It is the very same open file description. Otherwise it is a new one, with the flags and at the place
            that the other has now.
    """

    descriptor: int
    shared: bool


class Processes:
    """The threads that are being recorded, each named by its thread id.

    Nothing that the kernel knows is remembered here, neither open memory files nor descriptors: exec(2), close(2) and
    dup(2) would make it wrong.
    """

    def __init__(self, architecture: Architecture) -> None:
        self._library = c_library()
        self._number = ctypes.c_long(architecture.pidfd_getfd)
        self._handles: dict[int, int] = {}

    def meet(self, tid: int) -> None:
        """Remember a thread, so that its process can be killed at the end."""
        if tid not in self._handles:
            with suppress(OSError, StopIteration):  # it is gone, or has ended and is not yet waited for
                self.handle(tid)

    def handle(self, tid: int) -> int:
        """Return a pidfd of the process that a thread belongs to."""
        if tid not in self._handles:
            group = int(_status(tid)["Tgid"])
            self._handles[tid] = os.pidfd_open(group)
        return self._handles[tid]

    def forget(self, tid: int) -> None:
        """Let go of the pidfd of a thread."""
        handle = self._handles.pop(tid, None)
        if handle is not None:
            os.close(handle)

    def borrow(self, tid: int, descriptor: int) -> Borrowed:
        """Return a descriptor of our own for a file that a process has open.

        Raises:
            OSError: It is not open, or the process is gone.
        """
        try:
            return Borrowed(self._borrow(tid, descriptor), shared=True)
        except ProcessLookupError:
            # The thread's number has been given to a new one since we asked for the handle.
            self.forget(tid)
            return Borrowed(self._borrow(tid, descriptor), shared=True)
        except OSError as error:
            # EPERM in containers, where only CAP_SYS_PTRACE allows it; ENOSYS before Linux 5.6.
            if error.errno not in (errno.EPERM, errno.ENOSYS):
                raise
        return Borrowed(_opened_again(tid, descriptor), shared=False)

    def _borrow(self, tid: int, descriptor: int) -> int:
        found: int = self._library.syscall(
            self._number, ctypes.c_long(self.handle(tid)), ctypes.c_long(descriptor), ctypes.c_long(0)
        )
        if found < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return found

    def status_of(self, tid: int, descriptor: int) -> os.stat_result | None:
        """Return the status of an open file, None if the descriptor is not open."""
        try:
            return os.stat(f"/proc/{tid}/fd/{descriptor}")
        except OSError:
            return None

    def kill(self) -> None:
        """Kill every process that was ever met."""
        for handle in self._handles.values():
            with suppress(OSError):  # it is gone, or has become somebody else's
                signal.pidfd_send_signal(handle, signal.SIGKILL)

    def close(self) -> None:
        """Let go of all of them."""
        for tid in tuple(self._handles):
            self.forget(tid)


def _opened_again(tid: int, descriptor: int) -> int:
    with open(f"/proc/{tid}/fdinfo/{descriptor}", encoding="ascii") as file:
        about = dict(line.split(maxsplit=1) for line in file if line.startswith(("pos:", "flags:")))
    # Without the flags that would change the file.
    flags = int(about["flags:"], 8) & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC) | os.O_CLOEXEC
    ours = os.open(f"/proc/{tid}/fd/{descriptor}", flags & ~os.O_NOFOLLOW)
    os.lseek(ours, int(about["pos:"]), os.SEEK_SET)
    return ours


def read_memory(tid: int, address: int, length: int) -> bytes:
    """Return what is in the memory of a thread, less where less can be read."""
    memory = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    found = b""
    try:
        while len(found) < length:
            # The kernel stops at the first page that is not there; what it has read so far comes first.
            part = os.pread(memory, length - len(found), address + len(found))
            if not part:
                break
            found += part
    except OSError as error:
        if error.errno != errno.EIO:  # which it says of an address where nothing is
            raise
    finally:
        os.close(memory)
    return found


def write_memory(tid: int, address: int, data: bytes) -> None:
    """Put bytes into the memory of a thread.

    Raises:
        OSError: It can't be written.
    """
    memory = os.open(f"/proc/{tid}/mem", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(memory, data, address)
    finally:
        os.close(memory)


def read_path(tid: int, directory: int, address: int) -> str:
    """Return the absolute path that a thread gives to a call; symbolic links in it are not followed.

    Args:
        tid: The thread.
        directory: The descriptor that a relative path is meant from, or AT_FDCWD.
        address: Where the path is in memory.

    Raises:
        OSError: There is no such descriptor.
    """
    found = b""
    while b"\0" not in found:
        at = address + len(found)
        part = read_memory(tid, at, _PAGE - at % _PAGE)
        if not part:
            raise OSError(errno.EFAULT, "a path that can't be read")
        found += part
    path = os.fsdecode(found[: found.index(b"\0")])
    if not path:
        raise FileNotFoundError(errno.ENOENT, "an empty path")
    if not path.startswith("/"):
        base = "cwd" if directory == AT_FDCWD else f"fd/{directory}"
        path = os.path.join(os.readlink(f"/proc/{tid}/{base}"), path)
    # Two names that mean somebody else when we use them.
    for own, theirs in (("/proc/self/", f"/proc/{tid}/"), ("/proc/thread-self/", f"/proc/{tid}/")):
        if path.startswith(own):
            path = theirs + path[len(own) :]
    return path


@dataclass(frozen=True)
class Creator:
    """What a thread makes files with.

    Args:
        mask: Permissions that they do not get.
        user: Their owner.
        group: Their group.
    """

    mask: int
    user: int
    group: int

    def own(self, made: int | str) -> None:
        """Give a thread what was made for it, by its descriptor or path: another user's it could not open again."""
        if self.user != os.geteuid():
            os.chown(made, self.user, self.group, follow_symlinks=isinstance(made, int))


def creator_of(tid: int) -> Creator:
    """Return what a thread makes files with."""
    status = _status(tid)
    # The last of four numbers is that of the file system; see setfsuid(2).
    return Creator(int(status["Umask"], 8), int(status["Uid"].split()[3]), int(status["Gid"].split()[3]))


def inodes_mapped(tid: int, address: int, length: int) -> set[int]:
    """Return the inode numbers of the files that a range of memory is mapped from."""
    found = set()
    for line in Path(f"/proc/{tid}/maps").read_text(errors="replace").splitlines():
        span, _, _, _, inode, *_ = line.split(maxsplit=5)
        start, end = (int(bound, 16) for bound in span.split("-"))
        if start < address + max(length, 1) and address < end:
            found.add(int(inode))
    return found - {0}


def _status(tid: int) -> dict[str, str]:
    with open(f"/proc/{tid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
