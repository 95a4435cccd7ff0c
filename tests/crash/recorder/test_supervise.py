"""The `seccomp` recorder: what it writes down makes, replayed, the files that are really there."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.crash.recorder import Recording, Unable
from conformance.crash.trace import Create, Link, Mark, Remove, Rename, Sync, SyncAll, Truncate, Write, replayed
from tests.crash.recorder import workloads as w
from tests.crash.recorder.server import Server

CALLS = [
    w.opens,
    w.opens_by_openat2,
    w.writes,
    w.sizes,
    w.copies,
    w.renames,
    w.links,
    w.reuses,
    w.relative,
    w.syncs,
    w.maps,
    w.threads,
    w.processes,
    w.signals,
    w.dumb,
]


def check(recording: Recording, ended: str = "returned") -> Recording:
    """Compare the trace with what is really there, and return the recording."""
    assert (recording.ended, recording.recorder) == (ended, "seccomp"), recording.detail
    assert replayed(recording.trace) == recording.real
    return recording


@pytest.mark.parametrize("workload", CALLS, ids=lambda workload: workload.__name__)
def test_every_call_is_recorded(server: Server, seccomp: str, root: Path, workload: Callable[..., None]) -> None:
    """For all calls that change files, whether they succeed or fail, nothing is missing."""
    assert check(server.record(workload, root, using=seccomp)).unseen == ()


def test_what_another_user_makes_is_its_own(server: Server, seccomp: str) -> None:
    """A server that was started by root and became somebody else must be able to open its own files again."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        os.chmod(folder, 0o777)
        check(server.record(w.another_user, Path(folder), using=seccomp))
        found = {name: os.stat(f"{folder}/{name}") for name in ("a", "d", "d/b")}
    assert {(one.st_uid, one.st_gid) for one in found.values()} == {(65533, 65534)}
    assert {name: oct(one.st_mode) for name, one in found.items()} == {
        "a": "0o100640",
        "d": "0o40750",
        "d/b": "0o100640",
    }


@pytest.mark.parametrize("journal", ["delete", "truncate", "persist", "wal", "memory"])
def test_sqlite(server: Server, seccomp: str, root: Path, journal: str) -> None:
    """SQLite is a C extension with locks, a mapped index and five kinds of journal."""
    recording = check(server.record(w.sqlite, root, journal, using=seccomp))
    syncs = [operation for operation in recording.trace.operations if isinstance(operation, Sync)]
    assert len(syncs) >= 30
    assert bool(recording.trace.mapped) == (journal == "wal")


@pytest.mark.parametrize("name", ["file", "sqlite", "wal"])
def test_reference_backends(server: Server, seccomp: str, root: Path, name: str) -> None:
    """The stores that come with the kit."""
    recording = check(server.record(w.reference, root, name, using=seccomp))
    assert recording.unseen == ()
    assert Mark("ok 11") in recording.trace.operations


def test_what_was_there_before(server: Server, seccomp: str, root: Path) -> None:
    """Files and directories that exist at the start are known, hard links among them."""
    (root / "folder").mkdir()
    (root / "folder" / "inner").write_bytes(b"inner")
    (root / "old").write_bytes(b"abcdef")
    (root / "empty").touch()
    os.link(root / "old", root / "twin")
    recording = check(server.record(w.existing, root, using=seccomp))
    assert Create(0, "folder", 2, is_directory=True) in recording.trace.initial
    assert recording.real["old"] == b"abXXefof both names"
    assert Link(0, "twin", 4) in recording.trace.initial


def plain(root: str, mark: Callable[[str], None]) -> None:
    """Make calls of all kinds."""
    os.mkdir(f"{root}/d")
    file = os.open(f"{root}/d/a", os.O_CREAT | os.O_RDWR)
    mark("one")
    os.write(file, b"abc")
    os.pwrite(file, b"X", 7)
    os.ftruncate(file, 2)
    mark("two")
    os.fsync(file)
    os.link(f"{root}/d/a", f"{root}/l")
    os.rename(f"{root}/l", f"{root}/r")
    os.unlink(f"{root}/r")
    os.fsync(os.open(f"{root}/d", os.O_RDONLY))
    os.sync()


def test_operations_and_marks_are_in_order(server: Server, seccomp: str, root: Path) -> None:
    """Each call is the operation it stands for, with the marks where they were made."""
    assert check(server.record(plain, root, using=seccomp)).trace.operations == (
        Create(0, "d", 1, is_directory=True),
        Create(1, "a", 2),
        Mark("one"),
        Write(2, 0, b"abc"),
        Write(2, 7, b"X"),
        Truncate(2, 2),
        Mark("two"),
        Sync(2),
        Link(0, "l", 2),
        Rename(0, "l", 0, "r"),
        Remove(0, "r"),
        Sync(1),
        SyncAll(),
    )


def synced_writes(root: str, mark: Callable[[str], None]) -> None:
    """Write so that it is synced."""
    file = os.open(f"{root}/a", os.O_CREAT | os.O_WRONLY | os.O_DSYNC)
    os.write(file, b"one")
    plain_file = os.open(f"{root}/a", os.O_WRONLY)
    os.pwritev(plain_file, [b"two"], 3, os.RWF_DSYNC)
    os.pwritev(plain_file, [b"three"], 6, os.RWF_SYNC)
    os.write(plain_file, b"four")


def test_synced_writes_are_writes_and_syncs(server: Server, seccomp: str, root: Path) -> None:
    """O_DSYNC and the flags of pwritev2 sync what they write."""
    operations = check(server.record(synced_writes, root, using=seccomp)).trace.operations
    assert [type(operation).__name__ for operation in operations[1:]] == ["Write", "Sync"] * 3 + ["Write"]


def test_stores_are_seen_at_the_next_mark_or_sync(server: Server, seccomp: str, root: Path) -> None:
    """A store to a mapped file is a write of its page, before the mark that follows it."""
    trace = check(server.record(w.maps, root, using=seccomp)).trace
    kinds = [type(operation).__name__ for operation in trace.operations]
    assert kinds[:5] == ["Create", "Truncate", "Write", "Mark", "Write"]
    assert "Sync" in kinds
    assert trace.mapped == {1}


def test_stores_of_a_process_that_died_are_seen(server: Server, seccomp: str, root: Path) -> None:
    """The pages of a mapped file outlive the process."""
    recording = check(server.record(w.maps_and_dies, root, using=seccomp), "died")
    assert recording.detail == "SIGKILL"
    assert recording.real["a"] is not None
    assert recording.real["a"][5:8] == b"abc"


def test_files_that_come_and_go(server: Server, seccomp: str, root: Path) -> None:
    """A file from outside arrives with its content; one that leaves loses its name."""
    recording = check(server.record(w.moves_in_and_out, root, using=seccomp))
    content = b"from outside and more"
    assert recording.real == {"in": content, "folder/": None, "folder/in": content, "folder/again": content}
    assert len(recording.unseen) == 1


def test_exchanged_names(server: Server, seccomp: str, root: Path) -> None:
    """An exchange is replayed right, and said to be two steps."""
    recording = check(server.record(w.exchanges, root, using=seccomp))
    assert recording.real == {"a": b"bb", "b": b"written after"}
    assert recording.unseen == ("that RENAME_EXCHANGE is one step, not two",)


def unmodelled(root: str, mark: Callable[[str], None]) -> None:
    """Do what no trace can tell."""
    os.symlink("target", f"{root}/symlink")
    file = os.open(root, os.O_TMPFILE | os.O_RDWR)
    w.c_call("linkat", -100, b"/proc/self/fd/%d" % file, -100, f"{root}/linked".encode(), 0x400)


def test_what_is_not_recorded_is_named(server: Server, seccomp: str, root: Path) -> None:
    """Symbolic links and files made with O_TMPFILE are told of."""
    recording = server.record(unmodelled, root, using=seccomp)
    assert recording.ended == "returned", recording.detail
    assert recording.unseen == (
        "symbolic links and special files",
        "files made with O_TMPFILE",
        "names given to open files by linkat",
    )


def refused(root: str, mark: Callable[[str], None]) -> list[int]:
    """Return the errors of calls that are refused."""
    import fcntl

    said = []
    one, two = (os.open(f"{root}/{name}", os.O_CREAT | os.O_RDWR) for name in "ab")
    for call in (
        lambda: fcntl.ioctl(one, 0x40049409, two),
        lambda: w.c_call("syscall", 425, 1, None),
    ):
        try:
            call()
        except OSError as error:
            said.append(error.errno or 0)
    return said


def test_unseen_ways_to_write_are_refused(server: Server, seccomp: str, root: Path) -> None:
    """Cloned blocks and io_uring are said not to be there, so that programs take another way."""
    assert check(server.record(refused, root, using=seccomp)).returned == [errno.EOPNOTSUPP, errno.ENOSYS]


def test_returned(server: Server, seccomp: str, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The result comes back, and nothing that was printed."""
    recording = check(server.record(w.returns, root, using=seccomp))
    assert recording.returned["pid"] != recording.returned["parent"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("workload", "ended", "detail"),
    [
        (w.raises, "raised", "KeyError: 'why'"),
        (w.exits, "died", "exit status 3"),
        (w.crashes, "died", "SIGSEGV"),
        (w.unpicklable, "raised", "TypeError: the result of the workload can't be pickled: "),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_other_ends(server: Server, seccomp: str, root: Path, workload: object, ended: str, detail: str) -> None:
    """However the child ends is told, with what was recorded until then."""
    recording = check(server.record(workload, root, using=seccomp), ended)
    assert recording.detail.startswith(detail)
    assert recording.returned is None


def test_a_hung_workload_is_killed(server: Server, seccomp: str, root: Path) -> None:
    """After the time that it has, what was recorded is returned."""
    recording = check(server.record(w.hangs, root, using=seccomp, timeout_s=0.3), "hung")
    assert recording.detail == "no end after 0.3 s"
    assert recording.real == {"a": b"x"}


def test_processes_left_behind_are_killed(server: Server, seccomp: str, root: Path) -> None:
    """Also one in a session of its own does not go on writing."""
    recording = check(server.record(w.leaves_others, root, using=seccomp))
    assert not os.path.exists(f"/proc/{recording.returned}/exe")


def deny_borrowing(workload: Callable[..., None], root: str) -> Recording:
    """Record as in a container that denies pidfd_getfd."""
    from conformance.crash.recorder import record
    from conformance.crash.recorder.process import Processes

    def denied(self: object, tid: int, descriptor: int) -> int:
        raise PermissionError(1, "Operation not permitted")

    before = Processes._borrow
    Processes._borrow = denied  # type: ignore[method-assign]
    try:
        return record(lambda mark: workload(root, mark), root, using="seccomp")
    finally:
        Processes._borrow = before  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "workload",
    [w.opens, w.sizes, w.copies, w.renames, w.links, w.maps, w.processes, w.dumb, w.sqlite],
    ids=lambda workload: workload.__name__,
)
def test_without_pidfd_getfd(server: Server, seccomp: str, root: Path, workload: Callable[..., None]) -> None:
    """Where descriptors can't be had from another process, writes are foreseen instead, and it is said."""
    recording = check(server.call(deny_borrowing, workload, str(root)))
    assert all("pidfd_getfd" in phrase for phrase in recording.unseen)


def test_an_unknown_recorder(server: Server, root: Path) -> None:
    """The valid names are told."""
    with pytest.raises(ValueError, match="Valid names: seccomp, strace, python"):
        server.record(w.returns, root, using="magic")
    with pytest.raises(Unable):
        server.record(w.returns, root, using="none")
