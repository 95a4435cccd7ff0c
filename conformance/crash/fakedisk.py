"""A full and a read-only disk on pyfakefs, which needs no recorder, so that these two run on any platform.

It is a fake: the file system lives in memory, and only what Python's own functions do is seen. A store that writes
through a C extension does not work on it, and is told so; the checks with real system calls judge it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from conformance.crash.history import History, Moment, Verdict
from conformance.crash.observe import Observation, observe
from conformance.crash.perform import Attempt, carry_out, place_of
from conformance.crash.recorded import Unmeasured
from conformance.crash.subjects import SUBJECTS, Step
from conformance.recording import raised
from conformance.session import Session
from conformance.workers import Bay, Crew
from conformance.workers.forked import HANG_S

#: An ordinary user: nothing is read-only for root.
_USER = 1_000
_ROOM = 1 << 30


@dataclass(frozen=True)
class Fake:
    """A workload on a fake disk, and what came of it.

    Args:
        how: What was wrong with the disk.
        attempts: How the steps went.
        observation: What a store shows that is opened when the disk is sound again.
        verdict: What is wrong, or `fine`.
    """

    how: str
    attempts: Sequence[Attempt]
    observation: Observation
    verdict: Verdict


class NotOnFakes(Exception):
    """The store does not work on a fake disk; the text says why."""


def full_disks(crew: Crew, steps: Sequence[Step], count: int) -> list[Fake]:
    """Carry out a workload on disks of several sizes, none large enough, and judge what is left.

    Args:
        crew: Of the store.
        steps: The workload.
        count: How many sizes are tried, spread over what the workload needs.

    Raises:
        NotOnFakes: The store writes past Python, or does not work on a fake disk for another reason.
        Unmeasured: pyfakefs is not installed, or no process could be forked.
    """
    return _judged(crew, steps, crew.call(_in_child, _fill, steps, count))


def read_only_disks(crew: Crew, steps: Sequence[Step]) -> list[Fake]:
    """Carry out a workload up to its middle and its last reopening, make everything read-only, and carry out the rest.

    Raises:
        NotOnFakes: As above.
        Unmeasured: As above.
    """
    return _judged(crew, steps, crew.call(_in_child, _protect, steps, 1))


@dataclass(frozen=True)
class _Ended:
    how: str
    attempts: Sequence[Attempt]
    observation: Observation


def _judged(crew: Crew, steps: Sequence[Step], ended: Sequence[_Ended] | str) -> list[Fake]:
    if isinstance(ended, str):
        raise (Unmeasured if ended.startswith("pyfakefs") else NotOnFakes)(ended)
    found = []
    for one in ended:
        history = History(crew.contract, steps, one.attempts, SUBJECTS[crew.contract].empty)
        acknowledged = sum(not attempt.raised for attempt in one.attempts)
        moment = Moment(settled=len(one.attempts), acknowledged=acknowledged, running=False)
        found.append(Fake(one.how, one.attempts, one.observation, history.judge(one.observation, moment)))
    return found


_Play = Callable[[Bay, Any, Sequence[Step], int], "list[_Ended]"]


def _in_child(bay: Bay, play: _Play, steps: Sequence[Step], count: int) -> list[_Ended] | str:
    """Play on a fake disk in a forked child: pyfakefs patches every module, and must not patch the worker's."""
    try:
        import pyfakefs.fake_filesystem_unittest  # noqa: F401 - is it there?
    except ImportError:
        return "pyfakefs is not installed: pip install 'pytest-backend-conformance[fakefs]'"
    here, there = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        _play_here(bay, play, steps, count, there)
    there.close()
    with here:
        try:
            answer: list[_Ended] | str = here.recv() if here.poll(10 * HANG_S) else "the store hung on a fake disk"
        except EOFError:
            answer = "the process died on a fake disk"
    if isinstance(answer, str):
        os.kill(child, 9)
    os.waitpid(child, 0)
    return answer


def _play_here(bay: Bay, play: _Play, steps: Sequence[Step], count: int, answers: Connection) -> None:
    from pyfakefs.fake_filesystem_unittest import Patcher
    from pyfakefs.helpers import set_gid, set_uid

    answer: list[_Ended] | str
    try:
        with Patcher() as patcher:
            set_uid(_USER)
            set_gid(_USER)
            answer = play(bay, patcher.fs, steps, count)
    except NotOnFakes as error:
        answer = str(error)
    except Exception as error:  # noqa: BLE001 - whatever pyfakefs can't do with the store
        answer = f"the store does not run on a fake disk: {raised(error)}"
    answers.send(answer)
    os._exit(0)


def _fill(bay: Bay, fs: Any, steps: Sequence[Step], count: int) -> list[_Ended]:
    needed = _needed(bay, fs, steps)
    found = []
    for number in range(count):
        size = max(1, needed * (number + 1) // (count + 1))
        with _disk(fs, f"/full-{number}", size) as (folder, grow):
            attempts = _attempted(bay, steps, folder)
            grow()
            found.append(_Ended(f"a disk of {size:,} bytes", attempts, observe(bay.backend, bay.contract, folder)))
    return found


def _protect(bay: Bay, fs: Any, steps: Sequence[Step], _count: int) -> list[_Ended]:
    _needed(bay, fs, steps)
    # On pyfakefs a read-only file can be written to once it was opened for reading, so the store is opened only once.
    half = max(len(steps) // 2, *(place for place, step in enumerate(steps, 1) if step.verb == "reopen"), 0)
    with _disk(fs, "/protected", _ROOM) as (folder, _):
        attempts = carry_out(bay.backend, bay.contract, steps[:half], folder, lambda _: None)
        _protected(folder, yes=True)
        try:
            more = carry_out(bay.backend, bay.contract, steps[half:], folder, lambda _: None, retry=True)
        except Exception:  # noqa: BLE001 - a store that refuses to be opened for reading only is loud enough
            more = []
        finally:
            _protected(folder, yes=False)
        attempts += [Attempt(half + attempt.step, attempt.raised, attempt.seen) for attempt in more]
        return [_Ended("a read-only directory", attempts, observe(bay.backend, bay.contract, folder))]


def _protected(folder: Path, *, yes: bool) -> None:
    folders, files = (0o555, 0o444) if yes else (0o755, 0o644)
    if not yes:
        folder.chmod(folders)
    for path in sorted(folder.rglob("*")):
        path.chmod(folders if path.is_dir() else files)
    if yes:
        folder.chmod(folders)


def _attempted(bay: Bay, steps: Sequence[Step], folder: Path) -> list[Attempt]:
    try:
        return carry_out(bay.backend, bay.contract, steps, folder, lambda _: None, retry=True)
    except Exception:  # noqa: BLE001 - the disk may be too small for an empty store; then nothing was acknowledged
        return []


def _needed(bay: Bay, fs: Any, steps: Sequence[Step]) -> int:
    """Return the bytes that the workload needs; it must work when nothing is wrong."""
    with _disk(fs, "/roomy", _ROOM) as (folder, _):
        before = fs.get_disk_usage("/roomy").used
        carry_out(bay.backend, bay.contract, steps, folder, lambda _: None)
        needed = int(fs.get_disk_usage("/roomy").used - before)
        store = Session(bay.backend, bay.contract, place_of(folder))
        content = SUBJECTS[bay.contract].read(*store.open().reach())
        store.close()
    history = History(
        bay.contract, steps, [Attempt(place) for place in range(len(steps))], SUBJECTS[bay.contract].empty
    )
    if needed <= 0 or len(steps) not in history.reached(content):
        raise NotOnFakes("the store does not keep its data in files that Python itself writes")
    return needed


@contextmanager
def _disk(fs: Any, path: str, size: int) -> Iterator[tuple[Path, Callable[[], None]]]:
    fs.add_mount_point(path, total_size=size, can_exist=True)
    folder = Path(path) / "place"
    folder.mkdir()
    folder.chmod(stat.S_IRWXU)
    yield folder, lambda: fs.set_disk_usage(_ROOM, path)
