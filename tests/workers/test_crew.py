"""Crews and workers: jobs are spread, what goes wrong is told, and nothing is left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.crash.observe import Observation
from conformance.crash.reopen import observe_all
from conformance.workers import Bay, Crew, WorkerError
from conformance.workers import crew as crews
from tests.crash import stores as s


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Two workers of the store that does what its trap says."""
    with closing(Crew(s.TRAPPED, "state", 2)) as found:
        yield found


# Carried out in workers.


def pid_of(bay: Bay, _job: object = None) -> int:
    """Return the worker's number."""
    return os.getpid()


def square(bay: Bay, number: int) -> int:
    """Return a result that tells which job it is of; negative numbers are refused."""
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


def die(bay: Bay) -> None:
    """End the worker."""
    os._exit(1)


def test_jobs_are_spread(crew: Crew) -> None:
    """Each job has its result, whatever the order; they are taken one by one, not all at once."""
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    results = crew.spread(square, jobs())
    done = [next(results)]
    assert len(taken) <= 3 * len(crew)
    done += results
    assert sorted(done) == [(number, number * number) for number in range(20)]
    assert len({pid for _, pid in crew.spread(pid_of, range(2))}) == len(crew) == 2


def test_who_has_seen_enough_may_stop(crew: Crew) -> None:
    """Workers that are still busy then are waited for, and can be asked again."""
    results = crew.spread(square, range(100))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert crew.call(square, 7) == 49


def test_what_raises_in_a_worker_is_told(crew: Crew) -> None:
    """With its traceback; the worker goes on."""
    with pytest.raises(WorkerError, match="ValueError: -1 is negative"):
        crew.call(square, -1)
    with pytest.raises(WorkerError, match="ValueError: -2 is negative"):
        list(crew.spread(square, (1, -2, 3)))
    assert sorted(crew.spread(square, (2, 3))) == [(2, 4), (3, 9)]


def test_a_dead_worker_is_told() -> None:
    """It is no finding against the store."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew, pytest.raises(WorkerError, match=r"a worker .* died"):
        crew.call(die)


def running(pid: int) -> bool:
    """Tell whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_closed_crew_leaves_nothing() -> None:
    """No process, and no file."""
    crew = Crew(s.TRAPPED, "state", 2)
    list(crew.spread(observe_all, [{b"": s.document(a=number)} for number in range(4)]))
    pids = {pid for _, pid in crew.spread(pid_of, range(4))}
    assert crew.folder.is_dir()
    assert all(map(running, pids))
    crew.close()
    assert not crew.folder.exists()
    assert not any(map(running, pids))
    crew.close()


def folders_left(around: Callable[[], object], root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return what is left in the directory that crews are told to use."""
    monkeypatch.setattr(crews, "quick_folder", lambda: str(root))
    around()
    return list(root.iterdir())


def test_a_backend_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what could not be imported, and nothing is left behind."""

    def start() -> None:
        with pytest.raises(WorkerError, match="nowhere"):
            Crew(s.NOWHERE, "state", 2)

    assert folders_left(start, tmp_path, monkeypatch) == []


def test_a_backend_without_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can be pickled is sent; one that can't is refused, with the reason."""
    with closing(Crew(replace(s.TRAPPED, address=""), "state", 1)) as crew:
        found: dict[bytes, Observation] = crew.call(observe_all, {b"": s.document(a=1)})
        assert found[b""].usable == "usable"

    def start() -> None:
        backend = replace(s.TRAPPED, address="", state=lambda where: None)
        with pytest.raises(WorkerError, match="'trapped' can't be opened in another process: it has no address"):
            Crew(backend, "state", 1)

    assert folders_left(start, tmp_path, monkeypatch) == []


def test_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no crew on Windows, and it is said why."""
    monkeypatch.delattr(os, "fork")
    with pytest.raises(WorkerError, match=r"without fork\(2\)"):
        Crew(s.TRAPPED, "state", 1)


def test_a_place_is_always_the_same_and_cleared(tmp_path: Path) -> None:
    """A store that writes down where it is finds itself there."""
    bay = Bay(s.TRAPPED, "state", tmp_path)
    bay.place.mkdir()
    (bay.place / "file").touch()
    assert bay.cleared() == bay.place == tmp_path / "place"
    assert not bay.place.exists()


def orphan(bay: Bay, asker: int) -> int:
    """End whoever asked, and answer."""
    os.kill(asker, signal.SIGKILL)
    return os.getpid()


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "crew.call(orphan, os.getpid())"], ids=["idle", "at work"])
def test_a_worker_that_is_let_go_ends(end: str) -> None:
    """A process that is killed before it can close its crew leaves no worker behind, and no files."""
    code = (
        "import os, sys\n"
        "from conformance.workers import Crew\n"
        "from tests.crash.stores import TRAPPED\n"
        "from tests.workers.test_crew import orphan, pid_of\n"
        "crew = Crew(TRAPPED, 'state', 1)\n"
        "print(crew.call(pid_of), crew.folder, flush=True)\n"
        f"{end}\n"
    )
    root = Path(__file__).parents[2]
    command = ["-c", code]
    done = subprocess.run([sys.executable, *command], cwd=root, capture_output=True, text=True, check=False)
    pid, folder = done.stdout.split()
    try:
        # Whoever adopts it reaps it; it ends as soon as it finds that nobody is there.
        descriptor = os.pidfd_open(int(pid)) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        descriptor = None
    if descriptor is not None:
        readable, _, _ = select.select([descriptor], [], [], 20)
        os.close(descriptor)
        assert readable
    assert not Path(folder).exists()
