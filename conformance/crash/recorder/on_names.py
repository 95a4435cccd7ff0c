"""The system calls that take a path: opening, making, linking, removing, renaming."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Callable
from contextlib import nullcontext

from conformance.crash.recorder import syscalls as sc
from conformance.crash.recorder.call import Answer, Call, Opened
from conformance.crash.recorder.ledger import Place
from conformance.crash.recorder.seccomp import c_library


def _open(call: Call) -> Answer:
    return _opened(call, None, 0, call.int32(1), call.int32(2))


def _creat(call: Call) -> Answer:
    return _opened(call, None, 0, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, call.int32(1))


def _openat(call: Call) -> Answer:
    return _opened(call, 0, 1, call.int32(2), call.int32(3))


def _openat2(call: Call) -> Answer:
    # struct open_how of linux/openat2.h
    flags, mode, resolve = struct.unpack("QQQ", call.memory(call.arguments[2], 24))
    if resolve and flags & (os.O_CREAT | os.O_TRUNC):
        if call.place(0, 1) is not None:
            call.ledger.miss("files made by openat2 with a way to resolve paths")
        return None
    return _opened(call, 0, 1, flags, mode)


def _opened(call: Call, directory: int | None, index: int, flags: int, mode: int) -> Answer:
    if flags & sc.O_PATH:
        return None
    temporary = bool(flags & sc.O_TMPFILE_BIT)
    exclusive = flags & os.O_CREAT and flags & os.O_EXCL
    path = call.path(directory, index)
    place = call.ledger.find(path, follow=not exclusive and not flags & os.O_NOFOLLOW)
    if temporary and (place is not None or os.path.realpath(path) == call.ledger.root):
        call.ledger.miss("files made with O_TMPFILE")
    if place is None:
        return None
    if temporary or not flags & (os.O_CREAT | os.O_TRUNC) or _is_special(place):
        # This changes nothing that is recorded; only the fault is of interest.
        call.actions.faults.meet(("open", "create") if temporary else ("open",))
        return None
    # The mask takes a look into /proc, and matters only to new files.
    with call.as_creator() if place.node is None else nullcontext() as creator:
        descriptor = call.actions.open(place, flags, mode & 0o7777)
        if creator is not None:
            creator.own(descriptor)
    return Opened(descriptor, flags & os.O_CLOEXEC)


def _is_special(place: Place) -> bool:
    """Tell whether to open it may wait for another process, as that of a FIFO does."""
    if place.node is not None:
        return False
    try:
        mode = os.stat(place.path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _truncate(call: Call) -> Answer:
    place, size = call.place(None, 0, follow=True), call.int64(1)
    if place is None or place.node not in call.ledger.volume.contents or size < 0:
        return None
    call.actions.resize(place.node, size, lambda: os.truncate(place.path, size))
    return 0


def _mkdir(call: Call) -> Answer:
    return _made(call, call.place(None, 0), call.int32(1))


def _mkdirat(call: Call) -> Answer:
    return _made(call, call.place(0, 1), call.int32(2))


def _made(call: Call, place: Place | None, mode: int) -> Answer:
    if place is None:
        return None
    with call.as_creator() as creator:
        call.actions.make_directory(place, mode & 0o7777)
        creator.own(place.path)
    return 0


def _mknod(call: Call) -> Answer:
    return _made_node(call, call.place(None, 0), call.int32(1))


def _mknodat(call: Call) -> Answer:
    return _made_node(call, call.place(0, 1), call.int32(2))


def _made_node(call: Call, place: Place | None, mode: int) -> Answer:
    if place is None or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return None
    with call.as_creator() as creator:
        call.actions.make_file(place, stat.S_IFREG | stat.S_IMODE(mode))
        creator.own(place.path)
    return 0


def _unlink(call: Call) -> Answer:
    return _removed(call, call.place(None, 0), os.unlink)


def _rmdir(call: Call) -> Answer:
    return _removed(call, call.place(None, 0), os.rmdir)


def _unlinkat(call: Call) -> Answer:
    return _removed(call, call.place(0, 1), os.rmdir if call.int32(2) & sc.AT_REMOVEDIR else os.unlink)


def _removed(call: Call, place: Place | None, remove: Callable[[str], None]) -> Answer:
    if place is None:
        return None
    call.actions.remove(place, remove)
    return 0


def _symlink(call: Call) -> Answer:
    return _symlinked(call, call.place(None, 1))


def _symlinkat(call: Call) -> Answer:
    return _symlinked(call, call.place(1, 2))


def _symlinked(call: Call, place: Place | None) -> Answer:
    if place is not None:
        call.actions.make_symlink(place)
    return None


def _link(call: Call) -> Answer:
    return _linked(call, (None, 0), (None, 1), 0)


def _linkat(call: Call) -> Answer:
    return _linked(call, (0, 1), (2, 3), call.int32(4))


def _linked(call: Call, old: tuple[int | None, int], new: tuple[int | None, int], flags: int) -> Answer:
    place = call.place(*new)
    if place is None:
        return None
    path = "" if flags & sc.AT_EMPTY_PATH else call.path(*old)
    if not path or path.startswith("/proc/"):
        call.ledger.miss("names given to open files by linkat")
        return None
    follow = bool(flags & sc.AT_SYMLINK_FOLLOW)
    source = call.ledger.find(path, follow=follow)
    call.actions.link(
        path,
        None if source is None else source.node,
        place,
        lambda one, other: os.link(one, other, follow_symlinks=follow),
    )
    return 0


def _rename(call: Call) -> Answer:
    return _renamed(call, (None, 0), (None, 1), 0)


def _renameat(call: Call) -> Answer:
    return _renamed(call, (0, 1), (2, 3), 0)


def _renameat2(call: Call) -> Answer:
    return _renamed(call, (0, 1), (2, 3), call.int32(4))


def _renamed(call: Call, old: tuple[int | None, int], new: tuple[int | None, int], flags: int) -> Answer:
    old_path, new_path = call.path(*old), call.path(*new)
    before, after = call.ledger.find(old_path), call.ledger.find(new_path)
    if before is None and after is None:
        return None
    if flags & sc.RENAME_WHITEOUT:
        call.ledger.miss("renames that leave a whiteout")
        return None
    # The paths that were resolved here, so that what is done is what is logged.
    old_path = old_path if before is None else before.path
    new_path = new_path if after is None else after.path

    def rename() -> None:
        _rename_with_flags(old_path, new_path, flags)

    if flags & sc.RENAME_EXCHANGE and before is not None and after is not None:
        call.actions.exchange(before, after, rename)
    else:
        call.actions.rename(before, after, rename)
    return 0


def _rename_with_flags(old: str, new: str, flags: int) -> None:
    if not flags:
        os.rename(old, new)
        return
    failed = c_library().renameat2(
        sc.AT_FDCWD, os.fsencode(old), sc.AT_FDCWD, os.fsencode(new), ctypes.c_uint(flags & 0xFFFFFFFF)
    )
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


HANDLERS: dict[str, Callable[[Call], Answer]] = {
    "open": _open,
    "creat": _creat,
    "openat": _openat,
    "openat2": _openat2,
    "truncate": _truncate,
    "mkdir": _mkdir,
    "mkdirat": _mkdirat,
    "mknod": _mknod,
    "mknodat": _mknodat,
    "unlink": _unlink,
    "rmdir": _rmdir,
    "unlinkat": _unlinkat,
    "symlink": _symlink,
    "symlinkat": _symlinkat,
    "link": _link,
    "linkat": _linkat,
    "rename": _rename,
    "renameat": _renameat,
    "renameat2": _renameat2,
}
