"""The user that a server runs as: an ordinary one when this process is root, for engines that refuse root."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import pwd

#: Users without rights of their own, the best one first.
_NAMES = ("postgres", "nobody")


@dataclass(frozen=True)
class User:
    """An unprivileged user."""

    name: str
    uid: int
    gid: int


def unprivileged() -> User | None:
    """Return the user for a server that refuses root; None when this process is not root."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    for name in _NAMES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, found.pw_uid, found.pw_gid)
    return User("nobody", 65534, 65534)


@contextmanager
def visible(folder: Path, user: User | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Give a path by which a process of a user gets to a folder, and the descriptors that the process must inherit.

    A folder above it may be closed to the user, such as pytest's for temporary files: then the way is by a descriptor.
    """
    if user is None or not os.path.isdir("/proc/self/fd"):
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def give(path: Path, user: User | None) -> None:
    """Make a user the owner of a folder and all that is in it; nothing is done for None."""
    if user is None:
        return
    waiting = [str(path)]
    _own(waiting[0], os.lstat(path), user)
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                _own(entry.path, entry.stat(follow_symlinks=False), user)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def reachable(folder: Path, user: User | None) -> bool:
    """Return whether a user may go through a folder and all above it."""
    if user is None:
        return True
    for one in (folder, *folder.parents):
        facts = os.stat(one)
        bit = stat.S_IXUSR if facts.st_uid == user.uid else (stat.S_IXGRP if facts.st_gid == user.gid else stat.S_IXOTH)
        if not facts.st_mode & bit:
            return False
    return True


def _own(path: str, facts: os.stat_result, user: User) -> None:
    if (facts.st_uid, facts.st_gid) != (user.uid, user.gid):
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
