"""Workloads for the recorders: each makes certain system calls below a directory. They are sent to other processes."""

from __future__ import annotations

import ctypes
import dbm.dumb
import errno
import importlib
import mmap
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path

from conformance import Where
from conformance.crash.recorder import Mark
from tests.crash.recorder.calls import c_call, fails_with

_AT_FDCWD = -100


def put(path: str, data: bytes = b"x") -> None:
    """Write a file."""
    with open(path, "wb") as file:
        file.write(data)


# -- one per group of calls


def opens(root: str, mark: Mark) -> None:
    """All ways to make and empty a file."""
    os.close(os.open(f"{root}/a", os.O_CREAT | os.O_WRONLY, 0o640))
    assert os.stat(f"{root}/a").st_mode & 0o777 == 0o640 & ~0o022
    put(f"{root}/a", b"some content")
    os.close(os.open(f"{root}/a", os.O_WRONLY | os.O_CREAT))
    os.close(os.open(f"{root}/a", os.O_WRONLY | os.O_TRUNC))
    fails_with(errno.EEXIST, os.open, f"{root}/a", os.O_CREAT | os.O_EXCL)
    fails_with(errno.ENOENT, os.open, f"{root}/no/a", os.O_CREAT)
    fails_with(errno.ENOENT, os.open, f"{root}/no", os.O_WRONLY | os.O_TRUNC)
    fails_with(errno.EISDIR, os.open, root, os.O_WRONLY | os.O_TRUNC)
    fails_with(errno.ENOTDIR, os.open, f"{root}/a/b", os.O_CREAT | os.O_WRONLY)
    fails_with(errno.EISDIR, os.open, f"{root}/c/", os.O_CREAT | os.O_WRONLY)
    os.close(c_call("creat", f"{root}/creat".encode(), 0o600))
    os.close(c_call("openat", os.open(root, os.O_RDONLY), b"at", os.O_CREAT | os.O_WRONLY, 0o600))
    put(f"{root}/kept", b"kept")
    with open(f"{root}/kept", "rb") as file:
        assert file.read() == b"kept"
    # O_CLOEXEC arrives, or the lack of it.
    closes = os.open(f"{root}/e", os.O_CREAT | os.O_WRONLY)
    assert not os.get_inheritable(closes)
    assert os.get_inheritable(c_call("open", f"{root}/e".encode(), os.O_WRONLY | os.O_CREAT, 0o600))


def opens_by_openat2(root: str, mark: Mark) -> None:
    """openat2, which has no function in the C library."""
    how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o600, 0)
    os.write(c_call("syscall", 437, _AT_FDCWD, f"{root}/a".encode(), how, 24), b"two")
    how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600, 0)
    os.write(c_call("syscall", 437, _AT_FDCWD, f"{root}/a".encode(), how, 24), b"2")


def writes(root: str, mark: Mark) -> None:
    """All ways to write, at places and with flags of all kinds."""
    file = os.open(f"{root}/a", os.O_CREAT | os.O_RDWR)
    os.write(file, b"0123456789")
    os.write(file, b"")
    os.pwrite(file, b"AB", 3)
    os.writev(file, [b"x", b"", b"yz"])
    os.pwritev(file, [b"p", b"q"], 20)
    os.pwritev(file, [b"sync"], 30, os.RWF_DSYNC)
    os.pwritev(file, [b"end"], 2, os.RWF_APPEND) if hasattr(os, "RWF_APPEND") else None
    os.lseek(file, 40, os.SEEK_SET)
    twin = os.dup(file)
    os.write(twin, b"by its twin")
    os.write(file, b"behind it")
    os.close(twin)
    appender = os.open(f"{root}/a", os.O_WRONLY | os.O_APPEND)
    os.write(appender, b"the end")
    os.pwrite(appender, b"there too", 0)
    reader = os.open(f"{root}/a", os.O_RDONLY)
    fails_with(errno.EBADF, os.write, reader, b"no")
    fails_with(errno.EINVAL, os.pwrite, file, b"no", -1)
    synced = os.open(f"{root}/s", os.O_CREAT | os.O_WRONLY | os.O_SYNC)
    os.write(synced, b"synced")
    os.unlink(f"{root}/a")
    os.write(file, b"to a file without a name")
    os.pwrite(os.open(f"{root}/big", os.O_CREAT | os.O_WRONLY), bytes(range(256)) * 2048, 5)


def sizes(root: str, mark: Mark) -> None:
    """All ways to change a size, and those that do not."""
    file = os.open(f"{root}/a", os.O_CREAT | os.O_RDWR)
    os.write(file, b"x" * 10000)
    os.ftruncate(file, 100)
    os.ftruncate(file, 100)
    os.truncate(f"{root}/a", 200)
    os.posix_fallocate(file, 150, 1000)
    keep, punch, zero = 1, 2, 16
    long = ctypes.c_long
    os.pwrite(file, b"y" * 9000, 0)
    c_call("fallocate", file, keep, long(0), long(90000))
    c_call("fallocate", file, keep | punch, long(4096), long(4096))
    with suppress(OSError):  # tmpfs does not know it
        c_call("fallocate", file, zero, long(0), long(20000))
    os.posix_fallocate(file, 0, 1)
    fails_with(errno.EINVAL, os.ftruncate, file, -1)
    fails_with(errno.EINVAL, os.ftruncate, os.open(f"{root}/a", os.O_RDONLY), 1)
    fails_with(errno.ENOENT, os.truncate, f"{root}/no", 1)
    fails_with(errno.EISDIR, os.truncate, root, 1)


def copies(root: str, mark: Mark) -> None:
    """Copies within the kernel, with and without offsets given."""
    put(f"{root}/from", b"0123456789" * 1000)
    source, target = os.open(f"{root}/from", os.O_RDONLY), os.open(f"{root}/to", os.O_CREAT | os.O_RDWR)
    assert os.sendfile(target, source, 5, 10) == 10
    assert os.sendfile(target, source, None, 10) == 10
    assert os.lseek(source, 0, os.SEEK_CUR) == 10
    if hasattr(os, "copy_file_range"):
        assert os.copy_file_range(source, target, 7) == 7
        assert os.copy_file_range(source, target, 100, 3, 50) == 100
        assert os.lseek(target, 0, os.SEEK_CUR) == 27
        assert os.copy_file_range(source, target, 100, 99999) == 0
    shutil.copyfile(f"{root}/from", f"{root}/whole")


def renames(root: str, mark: Mark) -> None:
    """Renames that succeed, that do nothing, and that fail."""
    for name in "abcd":
        put(f"{root}/{name}", name.encode())
    os.rename(f"{root}/a", f"{root}/A")
    os.replace(f"{root}/b", f"{root}/c")
    os.mkdir(f"{root}/d1")
    put(f"{root}/d1/in")
    os.mkdir(f"{root}/empty")
    os.rename(f"{root}/d1", f"{root}/empty")
    os.rename(f"{root}/empty/in", f"{root}/out")
    os.link(f"{root}/A", f"{root}/A2")
    os.rename(f"{root}/A", f"{root}/A2")  # two names of one file: nothing happens
    os.rename(f"{root}/d", f"{root}/d")
    put(f"{root}/empty/full")
    os.mkdir(f"{root}/d2")
    fails_with(errno.ENOTEMPTY, os.rename, f"{root}/d2", f"{root}/empty")
    fails_with(errno.ENOENT, os.rename, f"{root}/no", f"{root}/c")
    fails_with(errno.EISDIR, os.rename, f"{root}/c", f"{root}/empty")
    fails_with(errno.EINVAL, os.rename, f"{root}/empty", f"{root}/empty/in")
    old, new = f"{root}/c".encode(), f"{root}/d".encode()
    fails_with(errno.EEXIST, c_call, "renameat2", _AT_FDCWD, old, _AT_FDCWD, new, 1)
    c_call("renameat2", _AT_FDCWD, old, _AT_FDCWD, f"{root}/e".encode(), 1)
    folder = os.open(root, os.O_RDONLY)
    os.rename("e", "f", src_dir_fd=folder, dst_dir_fd=folder)


def exchanges(root: str, mark: Mark) -> None:
    """Two names exchanged in one step."""
    put(f"{root}/a", b"a")
    put(f"{root}/b", b"bb")
    c_call("renameat2", _AT_FDCWD, f"{root}/a".encode(), _AT_FDCWD, f"{root}/b".encode(), 2)
    put(f"{root}/b", b"written after")


def links(root: str, mark: Mark) -> None:
    """Names of files, given and taken away."""
    put(f"{root}/a", b"a")
    os.link(f"{root}/a", f"{root}/b")
    put(f"{root}/b", b"by its other name")
    fails_with(errno.EEXIST, os.link, f"{root}/a", f"{root}/b")
    fails_with(errno.ENOENT, os.link, f"{root}/no", f"{root}/c")
    os.unlink(f"{root}/a")
    fails_with(errno.ENOENT, os.unlink, f"{root}/a")
    os.mkdir(f"{root}/d")
    os.makedirs(f"{root}/d/e/f")
    fails_with(errno.EEXIST, os.mkdir, f"{root}/d")
    fails_with(errno.ENOTEMPTY, os.rmdir, f"{root}/d")
    fails_with(errno.ENOENT, os.mkdir, f"{root}/no/d")
    fails_with(errno.EISDIR, os.unlink, f"{root}/d")
    fails_with(errno.ENOTDIR, os.rmdir, f"{root}/b")
    os.rmdir(f"{root}/d/e/f")
    put(f"{root}/d/x")
    shutil.rmtree(f"{root}/d")
    os.mknod(f"{root}/node", 0o600)


def reuses(root: str, mark: Mark) -> None:
    """Files whose inode numbers are given to others as soon as they are free."""
    for round_number in range(20):
        put(f"{root}/{round_number}", b"%d" % round_number)
        os.mkdir(f"{root}/d")
        os.unlink(f"{root}/{round_number}")
        os.rmdir(f"{root}/d")
        put(f"{root}/k{round_number}", b"new")


def moves_in_and_out(root: str, mark: Mark) -> None:
    """Files that come from outside, and go there."""
    outside = root + ".outside"
    put(outside, b"from outside")
    os.rename(outside, f"{root}/in")
    with open(f"{root}/in", "ab") as file:
        file.write(b" and more")
    os.rename(f"{root}/in", outside)
    put(f"{root}/in", b"another")
    os.rename(outside, f"{root}/in")
    shutil.copytree(root, outside)
    os.link(f"{root}/in", f"{outside}/again")
    os.rename(outside, f"{root}/folder")


def relative(root: str, mark: Mark) -> None:
    """Paths that are relative, roundabout, or not UTF-8."""
    os.mkdir(f"{root}/d")
    os.chdir(f"{root}/d")
    put("here")
    put("../up")
    put(f"../../{os.path.basename(root)}/./d/roundabout")
    os.rename("here", "../there")
    put(b"caf\xe9")
    put("/proc/self/cwd/by proc")
    os.chdir("..")
    os.makedirs("e/f//g/")


def syncs(root: str, mark: Mark) -> None:
    """All kinds of sync."""
    file = os.open(f"{root}/a", os.O_CREAT | os.O_RDWR)
    os.write(file, b"x")
    os.fsync(file)
    os.fdatasync(file)
    c_call("syncfs", file)
    c_call("sync_file_range", file, ctypes.c_long(0), ctypes.c_long(1), 7)
    os.sync()
    os.fsync(os.open(root, os.O_RDONLY))
    fails_with(errno.EBADF, os.fsync, 9999)


def maps(root: str, mark: Mark) -> None:
    """Stores to memory."""
    with open(f"{root}/a", "w+b") as file:
        file.truncate(3 * mmap.PAGESIZE)
        with mmap.mmap(file.fileno(), 3 * mmap.PAGESIZE) as memory:
            memory[5:8] = b"abc"
            mark("stored")
            memory[mmap.PAGESIZE] = 7
            memory.flush()
            memory[0] = 1
            file.truncate(2 * mmap.PAGESIZE)
            memory[1] = 2
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            assert memory[1] == 2


def maps_and_dies(root: str, mark: Mark) -> None:
    """Stores that nothing follows but the end."""
    with open(f"{root}/a", "w+b") as file:
        file.truncate(100)
        memory = mmap.mmap(file.fileno(), 100)
        memory[5:8] = b"abc"
        os.kill(os.getpid(), signal.SIGKILL)


def threads(root: str, mark: Mark) -> None:
    """Many threads in one file and in files of their own."""
    shared = os.open(f"{root}/shared", os.O_CREAT | os.O_WRONLY)

    def work(number: int) -> None:
        for turn in range(20):
            os.write(shared, b"%d:%d " % (number, turn))
            os.pwrite(shared, b"%d" % number, 3 * turn)
            with open(f"{root}/{turn % 3}", "a") as file:
                file.write(f"{number} ")
            with suppress(OSError):
                os.rename(f"{root}/{turn % 3}", f"{root}/x")
            with suppress(OSError):
                os.mkdir(f"{root}/d")
            with suppress(OSError):
                os.rmdir(f"{root}/d")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def processes(root: str, mark: Mark) -> None:
    """Other programs, and forks without exec."""
    script = "mkdir d; echo one > d/a; cat d/a >> b; cp b c; mv c d; ln b l; rm b; echo two >> d/a"
    subprocess.run(["sh", "-e", "-c", script], cwd=root, check=True)
    put(f"{root}/shared")
    file = os.open(f"{root}/shared", os.O_WRONLY)
    pid = os.fork()
    if not pid:
        os.write(file, b"of the child")
        os._exit(0)
    os.waitpid(pid, 0)
    os.write(file, b", of the parent")


def another_user(root: str, mark: Mark) -> None:
    """A process that has become another user, as a server does that root starts."""
    if pid := os.fork():
        assert os.waitpid(pid, 0)[1] == 0
        return
    os.umask(0o027)
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65533, 65533, 65533)
    put(f"{root}/a")
    os.mkdir(f"{root}/d")
    os.close(os.open(f"{root}/a", os.O_RDONLY))
    put(f"{root}/d/b")
    os._exit(0)


def signals(root: str, mark: Mark) -> None:
    """Signal handlers that write, while others write."""
    file = os.open(f"{root}/a", os.O_CREAT | os.O_WRONLY)
    signal.signal(signal.SIGALRM, lambda *_: os.write(file, b"!"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    for number in range(200):
        os.write(file, b"%d " % number)
    signal.setitimer(signal.ITIMER_REAL, 0)


def existing(root: str, mark: Mark) -> None:
    """What was there before is changed."""
    with open(f"{root}/old", "r+b") as file:
        file.seek(2)
        file.write(b"XX")
    os.rename(f"{root}/folder/inner", f"{root}/inner")
    os.link(f"{root}/inner", f"{root}/second")
    with open(f"{root}/twin", "ab") as file:
        file.write(b"of both names")


# -- stores


def sqlite(root: str, mark: Mark, journal: str = "delete", synchronous: str = "full", rows: int = 30) -> None:
    """Insert and replace rows."""
    """Insert and replace rows."""
    with closing(sqlite3.connect(f"{root}/a.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)")
        mark("armed")
        for key in range(rows):
            connection.execute("INSERT OR REPLACE INTO t VALUES (?, ?)", (key % 7, "v" * 30 * key))
            mark(f"ok {key}")


def dumb(root: str, mark: Mark) -> None:
    """The simplest store of the standard library."""
    with dbm.dumb.open(f"{root}/d", "c") as store:
        for number in range(10):
            store[f"k{number % 3}"] = b"v" * number
            store.sync()
        del store["k0"]


def reference(root: str, mark: Mark, name: str = "file") -> None:
    """A few changes of the state store of a reference backend."""
    module = importlib.import_module(f"reference_backends.{name}")
    with closing(module.open_state(Where(Path(root)))) as store:
        for number in range(12):
            store[f"key {number % 4}"] = {"value": "v" * 100 * number}
            mark(f"ok {number}")
        del store["key 1"]


def append_log(root: str, mark: Mark, count: int = 200) -> None:
    """Append records, each synced."""
    with open(f"{root}/log", "ab", buffering=0) as file:
        mark("armed")
        for number in range(count):
            file.write(b"record %d\n" % number)
            os.fsync(file.fileno())
            mark(f"ok {number}")
        mark("disarmed")


# -- ends


def returns(root: str, mark: Mark) -> dict[str, int]:
    """Return something, and print."""
    print("not to be seen")  # noqa: T201
    return {"pid": os.getpid(), "parent": os.getppid()}


def raises(root: str, mark: Mark) -> None:
    """Raise."""
    put(f"{root}/a")
    raise KeyError("why")


def hangs(root: str, mark: Mark) -> None:
    """Wait for ever."""
    put(f"{root}/a")
    threading.Event().wait()


def exits(root: str, mark: Mark) -> None:
    """End without a word."""
    os._exit(3)


def crashes(root: str, mark: Mark) -> None:
    """Die."""
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves_others(root: str, mark: Mark) -> int:
    """A process of another session that would go on for ever, and its number."""
    process = subprocess.Popen(
        ["sh", "-c", f"echo x > {root}/a; while :; do echo y >> {root}/a; done"], start_new_session=True
    )
    while not os.path.exists(f"{root}/a"):
        os.sched_yield()
    process.returncode = 0  # it is left behind on purpose
    return process.pid


def unpicklable(root: str, mark: Mark) -> object:
    """Return what can't be sent."""
    return threading.Lock()


# -- steps from a list


def steps(root: str, mark: Mark, todo: list[tuple[str, str, str, int]]) -> list[str]:
    """Carry out steps such as ("write", "a", "text"), and return how each ended."""
    folders = [root, f"{root}/d", f"{root}/d/e"]
    files: dict[str, int] = {}
    ends = []
    try:
        for name, first, second, number in todo:
            path, other = f"{root}/{first}", f"{root}/{second}"
            try:
                match name:
                    case "open":
                        files[first] = os.open(path, number | os.O_RDWR, 0o600)
                    case "write" if first in files:
                        os.write(files[first], second.encode() * number)
                    case "pwrite" if first in files:
                        os.pwrite(files[first], second.encode(), number)
                    case "truncate" if first in files:
                        os.ftruncate(files[first], number)
                    case "seek" if first in files:
                        os.lseek(files[first], number, os.SEEK_SET)
                    case "fsync" if first in files:
                        os.fsync(files[first])
                    case "close" if first in files:
                        os.close(files.pop(first))
                    case "rename":
                        os.rename(path, other)
                    case "link":
                        os.link(path, other)
                    case "unlink":
                        os.unlink(path)
                    case "mkdir":
                        os.mkdir(path)
                    case "rmdir":
                        os.rmdir(path)
                    case "chdir":
                        os.chdir(folders[number % 3])
                    case "mark":
                        mark(first)
            except OSError as error:
                ends.append(errno.errorcode[error.errno])
            else:
                ends.append("ok")
    finally:
        for file in files.values():
            os.close(file)
    return ends
