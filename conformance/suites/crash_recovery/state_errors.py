"""Errors of the disk and the `state` contract: each call of a class fails once, and from then on, at every place."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.crash.fakedisk import full_disks, read_only_disks
from conformance.suites.crash_recovery.faults import survives_errors, survives_fake_disks

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-01")
_PROMISE = "durability:process-crash"
_WORKLOAD = "some puts and deletes"


@check(
    "STATE-CRASH-51",
    sources="KV-51; Rebello et al., USENIX ATC 2020; PostgreSQL fsyncgate 2018; mutant fsync_error_ignored",
    promise="durability:power-loss",
    capability="failed-sync",
    needs=(*_NEEDS, "STATE-CRASH-11", "STATE-CRASH-21"),
)
def test_a_failed_sync_is_never_acknowledged(trial: Trial) -> None:
    """After a failed sync no write is acknowledged that power loss would take, at once or after a retry.

    Why: a system that fails to write a page marks it clean all the same. The next sync succeeds, and the page is on no
    disk. Only what is written again is safe.

    Breaks it:

        while True:
            try:
                os.fsync(self._file)                   # succeeds the second time, and has written nothing
                return
            except OSError:
                continue
    """
    survives_errors(trial, _WORKLOAD, "sync", errno.EIO)


@check("STATE-CRASH-52", sources="SQLite ioerr tests; CORDS, FAST 2017", promise=_PROMISE, needs=_NEEDS)
def test_a_failed_write_is_never_acknowledged(trial: Trial) -> None:
    """When a write to the disk fails, the call raises or has its effect all the same, and the old data stay readable.

    Why: a swallowed error is a lost write that nobody hears of until the next start.

    Breaks it:

        except OSError:
            logger.warning("could not save")           # and returns as if it had
    """
    survives_errors(trial, _WORKLOAD, "write", errno.EIO)


@check("STATE-CRASH-53", sources="KV-50; mutant dump_fail_destroys", promise=_PROMISE, needs=_NEEDS)
def test_a_full_disk_takes_nothing(trial: Trial) -> None:
    """When the disk is full, writes raise and the old data stay; when there is room again, the store works.

    Why: disks are full at night. A store that truncates before it writes has nothing left then.

    Breaks it:

        with open(self._path, "wb") as file:           # the old content is gone
            file.write(data)                           # no space left on device
    """
    survives_errors(trial, _WORKLOAD, "write", errno.ENOSPC)


@check("STATE-CRASH-54", sources="POSIX write()", promise=_PROMISE, needs=_NEEDS)
def test_a_short_write_is_noticed(trial: Trial) -> None:
    """When the system writes less than it was given, the rest is written too, or the call raises.

    Why: `write` may write less, and says so in what it returns. A full disk does this before it reports an error.

    Breaks it:

        os.write(self._file, record)                   # what it returned is not looked at
    """
    survives_errors(trial, _WORKLOAD, "write", 0)


@check("STATE-CRASH-55", sources="KV-50; SQLite ioerr tests", promise=_PROMISE, needs=_NEEDS)
def test_a_full_disk_takes_nothing_in_other_calls(trial: Trial) -> None:
    """When a full disk makes creating, renaming or truncating a file fail, writes raise and the old data stay.

    Why: a directory needs room too. The step between two files is where a store has neither.

    Breaks it:

        os.rename(self._path, self._backup)
        os.rename(temporary, self._path)               # fails; the store has no file now
    """
    survives_errors(trial, _WORKLOAD, "create rename truncate", errno.ENOSPC)


@check(
    "STATE-CRASH-56",
    sources="mutant read_error_then_wipe; EMFILE",
    promise=_PROMISE,
    capability="too-many-files",
    needs=_NEEDS,
)
def test_too_many_open_files_take_nothing(trial: Trial) -> None:
    """When no file can be opened, because too many are open, calls raise; nothing is taken for missing or empty.

    Why: a server at its limit of descriptors is common. To take "can't open" for "is not there" wipes what is there.

    Breaks it:

        try:
            data = json.load(open(self._path))
        except OSError:
            data = {}                                  # and the next save writes only the new key
    """
    survives_errors(trial, _WORKLOAD, "open", errno.EMFILE)


@check("STATE-CRASH-57", sources="KV-50; pyfakefs", promise=_PROMISE, needs=_NEEDS)
def test_a_full_fake_disk_takes_nothing(trial: Trial) -> None:
    """On a disk of any size that is too small, simulated by pyfakefs, writes raise and acknowledged data stay.

    Why: a disk runs full at any byte, and stays full. This one is simulated, so that it runs on every platform; a store
    that writes past Python, such as one on SQLite, is judged by the checks with real system calls alone.

    Breaks it:

        with suppress(OSError):
            self._save()                               # "will be saved with the next write"
    """
    survives_fake_disks(trial, lambda crew, steps: full_disks(crew, steps, trial.effort.faults), _WORKLOAD)


@check("STATE-CRASH-58", sources="KV-53; pyfakefs", promise=_PROMISE, needs=_NEEDS)
def test_a_read_only_fake_disk_takes_nothing(trial: Trial) -> None:
    """When its directory has become read-only, simulated by pyfakefs, the store refuses writes and loses nothing.

    Why: a file system that meets an error is remounted read-only, under the feet of the processes that use it.

    Breaks it:

        except PermissionError:
            self._data = {}                            # starts afresh, in memory, and acknowledges
    """
    survives_fake_disks(trial, read_only_disks, _WORKLOAD)
