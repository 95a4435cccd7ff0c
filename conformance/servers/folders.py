"""Folders of the kit's own for servers: one for a process and those it starts, gone when that process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.servers.users import User, reachable, unprivileged

#: Tells the processes that this one starts where the folder is.
VARIABLE = "CONFORMANCE_SERVERS_FOLDER"
#: A longer folder for temporary files leaves too little of the 104 bytes that the path of a socket may have.
_LENGTH_MAX = 60
#: The longest folder for a socket: its path may have 107 bytes on Linux, 103 elsewhere, and its name takes 20.
RUN_LENGTH_MAX = 83

_lock = threading.Lock()
#: The folders that this process made, and its number: a forked child has not made them.
_made: list[tuple[Path, int]] = []


def shared() -> Path:
    """Return the folder that a process and all those it starts share; made when it is not there.

    It holds what is made once and used often: an empty data directory to copy, and the folders of sockets.
    """
    with _lock:
        known = os.environ.get(VARIABLE)
        if known and os.path.isdir(known):
            return Path(known)
        folder = Path(tempfile.mkdtemp(prefix="conformance-servers-", dir=_base()))
        folder.chmod(0o711)  # a server that runs as another user goes through it
        os.environ[VARIABLE] = str(folder)
        _made.append((folder, os.getpid()))
        atexit.register(_remove, folder, os.getpid())
        return folder


def made_here() -> list[Path]:
    """Return the folders that go with this process."""
    return [folder for folder, maker in _made if maker == os.getpid()]


@contextmanager
def passing(parent: str | None) -> Iterator[Path]:
    """Have a new folder for a server for as long as the block takes; when this process is killed, it goes with it.

    Args:
        parent: Where it is made; None for where temporary files go.
    """
    made = Path(tempfile.mkdtemp(prefix="conformance-server-", dir=parent)), os.getpid()
    _made.append(made)
    try:
        yield made[0]
    finally:
        _made.remove(made)
        shutil.rmtree(made[0], ignore_errors=True)


def for_sockets(user: User | None) -> Path:
    """Return a new folder with a short path that belongs to a server's user."""
    folder = Path(tempfile.mkdtemp(dir=shared()))
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def copy(source: str | Path, target: str | Path, user: User | None = None) -> None:
    """Copy a folder with all in it to one that is not there, or is empty, for a user; nothing is synced.

    It does less than `shutil.copytree`, and takes half its time: a data directory has hundreds of small files.
    """
    mode = os.stat(source).st_mode & 0o777
    os.makedirs(target, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            there = os.path.join(target, entry.name)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), there)
            elif entry.is_dir():
                copy(entry.path, there, user)
            else:
                _copy_file(entry.path, there, user)
    os.chmod(target, mode)
    if user is not None:
        os.chown(target, user.uid, user.gid)


def _copy_file(source: str, target: str, user: User | None) -> None:
    with open(source, "rb", buffering=0) as old, open(target, "xb", buffering=0) as new:
        while block := old.read(1 << 20):
            new.write(block)
        os.fchmod(new.fileno(), os.fstat(old.fileno()).st_mode & 0o777)
        if user is not None:
            os.fchown(new.fileno(), user.uid, user.gid)


def _base() -> str | None:
    """Return where temporary files go, if sockets have room there and a server's user gets there."""
    usual = tempfile.gettempdir()
    for folder in (usual, "/tmp", "/var/tmp"):
        if len(folder) <= _LENGTH_MAX and os.access(folder, os.W_OK) and reachable(Path(folder), unprivileged()):
            return folder
    return usual


def _remove(folder: Path, maker: int) -> None:
    if os.getpid() == maker:  # a forked child that ends leaves it alone
        shutil.rmtree(folder, ignore_errors=True)
