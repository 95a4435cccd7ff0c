"""The system calls that change files, by name and number, and the flags that decide what they do.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux. The table of aarch64 is
checked by reading only; nothing here has been run on that architecture.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

O_CREAT = 0o100
O_EXCL = 0o200
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_DSYNC = 0o10000
O_CLOEXEC = 0o2000000
O_PATH = 0o10000000
#: Of O_TMPFILE, the bit that is not O_DIRECTORY, which has another value on aarch64.
O_TMPFILE_BIT = 0o20000000

AT_FDCWD = -100
AT_REMOVEDIR = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_EMPTY_PATH = 0x1000

RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

FALLOC_FL_KEEP_SIZE = 0x01
FALLOC_FL_PUNCH_HOLE = 0x02
FALLOC_FL_COLLAPSE_RANGE = 0x08
FALLOC_FL_ZERO_RANGE = 0x10
FALLOC_FL_INSERT_RANGE = 0x20

RWF_DSYNC = 0x02
RWF_SYNC = 0x04
RWF_APPEND = 0x10

MS_SYNC = 4
PROT_WRITE = 2
MAP_SHARED = 1

#: Requests of ioctl(2) that make two files share their blocks, so that data arrives without a write.
FICLONE = 0x40049409
FICLONERANGE = 0x4020940D

#: Calls that are refused, since what they start does its writing unseen. Programs have another way for each.
REFUSED = frozenset({"io_uring_setup", "io_setup"})

_X86_64 = {
    "write": 1,
    "open": 2,
    "mmap": 9,
    "ioctl": 16,
    "pwrite64": 18,
    "writev": 20,
    "msync": 26,
    "sendfile": 40,
    "fsync": 74,
    "fdatasync": 75,
    "truncate": 76,
    "ftruncate": 77,
    "rename": 82,
    "mkdir": 83,
    "rmdir": 84,
    "creat": 85,
    "link": 86,
    "unlink": 87,
    "symlink": 88,
    "mknod": 133,
    "sync": 162,
    "io_setup": 206,
    "openat": 257,
    "mkdirat": 258,
    "mknodat": 259,
    "unlinkat": 263,
    "renameat": 264,
    "linkat": 265,
    "symlinkat": 266,
    "splice": 275,
    "fallocate": 285,
    "pwritev": 296,
    "syncfs": 306,
    "renameat2": 316,
    "copy_file_range": 326,
    "pwritev2": 328,
    "io_uring_setup": 425,
    "openat2": 437,
}

_AARCH64 = {
    "io_setup": 0,
    "ioctl": 29,
    "mknodat": 33,
    "mkdirat": 34,
    "unlinkat": 35,
    "symlinkat": 36,
    "linkat": 37,
    "renameat": 38,
    "truncate": 45,
    "ftruncate": 46,
    "fallocate": 47,
    "openat": 56,
    "write": 64,
    "writev": 66,
    "pwrite64": 68,
    "pwritev": 70,
    "sendfile": 71,
    "splice": 76,
    "sync": 81,
    "fsync": 82,
    "fdatasync": 83,
    "mmap": 222,
    "msync": 227,
    "syncfs": 267,
    "renameat2": 276,
    "copy_file_range": 285,
    "pwritev2": 287,
    "io_uring_setup": 425,
    "openat2": 437,
}


@dataclass(frozen=True)
class Architecture:
    """What seccomp has to know of a processor.

    Args:
        name: As platform.machine() says it.
        audit: The AUDIT_ARCH number of linux/audit.h, which tells its system calls from those of another.
        numbers: The calls that are looked at.
        seccomp: The number of seccomp(2).
        pidfd_getfd: The number of pidfd_getfd(2).
    """

    name: str
    audit: int
    numbers: Mapping[str, int]
    seccomp: int
    pidfd_getfd: int = 438


ARCHITECTURES = {
    "x86_64": Architecture("x86_64", 0xC000003E, _X86_64, seccomp=317),
    "aarch64": Architecture("aarch64", 0xC00000B7, _AARCH64, seccomp=277),
}


def architecture() -> Architecture | None:
    """Return the architecture of this process, None where its system calls are not known here."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return None
    return ARCHITECTURES.get(platform.machine())
