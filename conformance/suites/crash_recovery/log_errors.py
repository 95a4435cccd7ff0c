"""Errors of the disk and the `log` contract: each call of a class fails once, and from then on, at every place."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.crash.fakedisk import full_disks, read_only_disks
from conformance.suites.crash_recovery.faults import survives_errors, survives_fake_disks

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01")
_PROMISE = "durability:process-crash"
_WORKLOAD = "some appends"


@check(
    "LOG-CRASH-51",
    sources="KV-51; Rebello et al., USENIX ATC 2020; mutant fsync_error_ignored",
    promise="durability:power-loss",
    capability="failed-sync",
    needs=(*_NEEDS, "LOG-CRASH-11", "LOG-CRASH-21"),
)
def test_a_failed_sync_of_a_log_is_never_acknowledged(trial: Trial) -> None:
    """After a failed sync no event is acknowledged that power loss would take, at once or after a retry.

    Why: the pages of the failed sync are marked clean and are on no disk. A second record behind them is synced, and
    after power loss reading stops at the hole before it.

    Breaks it:

        except OSError:
            raise                                      # the caller tries again, behind a record that is not there
    """
    survives_errors(trial, _WORKLOAD, "sync", errno.EIO)


@check("LOG-CRASH-52", sources="LOG-41; NATS WriteFailures", promise=_PROMISE, needs=_NEEDS)
def test_a_failed_append_leaves_the_log_sound(trial: Trial) -> None:
    """When a write to the disk fails, the append raises or takes effect all the same, and later appends are readable.

    Why: half of a record is in the file. What is appended behind it can't be found unless the half is cut off.

    Breaks it:

        self._file.write(record)                       # raises; the next append goes behind the half record
    """
    survives_errors(trial, _WORKLOAD, "write", errno.EIO)


@check("LOG-CRASH-53", sources="KV-50, LOG-41", promise=_PROMISE, needs=_NEEDS)
def test_a_full_disk_leaves_the_log_sound(trial: Trial) -> None:
    """When the disk is full, appends raise and the events stay; when there is room again, the log goes on.

    Why: logs are what fills disks.

    Breaks it:

        except OSError as error:
            if error.errno == errno.ENOSPC:
                self._path.unlink()                    # "make room"
    """
    survives_errors(trial, _WORKLOAD, "write", errno.ENOSPC)


@check("LOG-CRASH-54", sources="LOG-41; POSIX write()", promise=_PROMISE, needs=_NEEDS)
def test_a_short_append_is_noticed(trial: Trial) -> None:
    """When the system writes less than it was given, the rest is written too, or the append raises.

    Why: `write` may write less, and says so in what it returns. A full disk does this before it reports an error.

    Breaks it:

        os.write(self._file, record)                   # what it returned is not looked at
        os.fsync(self._file)
    """
    survives_errors(trial, _WORKLOAD, "write", 0)


@check("LOG-CRASH-55", sources="KV-50, LOG-25", promise=_PROMISE, needs=_NEEDS)
def test_a_full_disk_leaves_the_log_sound_in_other_calls(trial: Trial) -> None:
    """When a full disk makes creating, renaming or truncating a file fail, appends raise and the events stay.

    Why: a new segment needs a name, and a name needs room.

    Breaks it:

        self._segment.close()
        self._segment = open(next_name, "xb")          # fails; the next append goes to a closed file, or nowhere
    """
    survives_errors(trial, _WORKLOAD, "create rename truncate", errno.ENOSPC)


@check(
    "LOG-CRASH-56",
    sources="mutant read_error_then_wipe; EMFILE",
    promise=_PROMISE,
    capability="too-many-files",
    needs=_NEEDS,
)
def test_too_many_open_files_take_no_event(trial: Trial) -> None:
    """When no file can be opened, because too many are open, calls raise; nothing is taken for missing or empty.

    Why: to take "can't open" for "is not there" starts a second log over the first.

    Breaks it:

        try:
            self._events = load(self._path)
        except OSError:
            self._events = []                          # position 1 is given again
    """
    survives_errors(trial, _WORKLOAD, "open", errno.EMFILE)


@check("LOG-CRASH-57", sources="KV-50; pyfakefs", promise=_PROMISE, needs=_NEEDS)
def test_a_full_fake_disk_takes_no_event(trial: Trial) -> None:
    """On a disk of any size that is too small, simulated by pyfakefs, appends raise and acknowledged events stay.

    Why: a disk runs full at any byte, and stays full. This one is simulated, so that it runs on every platform; a log
    that writes past Python, such as one on SQLite, is judged by the checks with real system calls alone.

    Breaks it:

        with suppress(OSError):
            self._file.write(record)
        return position
    """
    survives_fake_disks(trial, lambda crew, steps: full_disks(crew, steps, trial.effort.faults), _WORKLOAD)


@check("LOG-CRASH-58", sources="KV-53; pyfakefs", promise=_PROMISE, needs=_NEEDS)
def test_a_read_only_fake_disk_takes_no_event(trial: Trial) -> None:
    """When its directory has become read-only, simulated by pyfakefs, the log refuses appends and loses nothing.

    Why: a file system that meets an error is remounted read-only, under the feet of the processes that use it.

    Breaks it:

        except PermissionError:
            self._memory.append(event)                 # acknowledged, and gone at the next start
    """
    survives_fake_disks(trial, read_only_disks, _WORKLOAD)
