"""Crews and workers: a store may die, hang or print, and only the tree at which it did is blamed for it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.crash import worker, workers
from conformance.crash.observe import Observation
from conformance.crash.tree import Tree, digest
from conformance.crash.worker import Batch, Bay, observe_all, observe_batch
from conformance.crash.workers import Crew, WorkerError
from tests.crash import stores as s
from tests.crash.conftest import CrewOf


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


def impatient(bay: Bay, batch: Mapping[bytes, Tree]) -> dict[bytes, Observation]:
    """Observe, but give up on a store that hangs much sooner."""
    before, worker.HANG_S = worker.HANG_S, 1.0
    try:
        return observe_all(bay, batch)
    finally:
        worker.HANG_S = before


def impatient_batch(bay: Bay, batch: Batch) -> dict[bytes, Observation]:
    """Do the same with a batch."""
    before, worker.HANG_S = worker.HANG_S, 1.0
    try:
        return observe_batch(bay, batch)
    finally:
        worker.HANG_S = before


def child_of(bay: Bay) -> int:
    """Return the number of the child that observes."""
    return bay.children[0].process


def leftovers(bay: Bay) -> list[int]:
    """Return the dead processes that the worker has started and not waited for; its living child is in use."""
    with suppress(ChildProcessError):
        return [process for process in [os.waitpid(-1, os.WNOHANG)[0]] if process]
    return []


def named(*trees: Tree) -> dict[bytes, Tree]:
    """Return trees by their digests."""
    return {digest(tree): tree for tree in trees}


def holding(**entries: Any) -> Observation:
    """Return the observation of a usable store."""
    return Observation("usable", {"entries": [[key, value] for key, value in entries.items()], "length": len(entries)})


def test_a_batch_is_observed(crew: Crew) -> None:
    """Each tree has its observation, by its name."""
    one, two = s.document(a=1), s.document(a=2)
    assert crew.call(observe_all, named(one, two)) == {digest(one): holding(a=1), digest(two): holding(a=2)}
    assert crew.call(observe_all, {}) == {}


@pytest.mark.parametrize(
    ("trap", "detail"),
    [
        ("exit", "the process ended itself with exit code 3"),
        ("segfault", "the process was killed by SIGSEGV"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_only_the_tree_at_which_a_store_dies_is_blamed(crew: Crew, trap: str, detail: str, place: int) -> None:
    """The others of its batch are observed all the same."""
    trees = [s.document(a=1), s.document(a=2)]
    trees.insert(place, s.document(trap))
    found = list(crew.call(observe_all, named(*trees)).values())
    assert found.pop(place) == Observation("died", detail=detail)
    assert found == [holding(a=1), holding(a=2)]
    assert crew.call(leftovers) == []


def test_every_tree_may_be_deadly(crew: Crew) -> None:
    """Each has a process of its own then."""
    trees = named(*(s.document("exit", a=number) for number in range(3)))
    assert {found.usable for found in crew.call(observe_all, trees).values()} == {"died"}


def test_a_tree_at_which_a_store_hangs_ends_its_batch(crew: Crew) -> None:
    """What came before it is observed; what comes after it is left out, since each may take as long."""
    trees = named(s.document(a=1), s.document("hang"), s.document(a=2))
    found = list(crew.call(impatient, trees).values())
    assert found == [holding(a=1), Observation("hung", detail="no answer within 1 s")]
    assert crew.call(leftovers) == []
    assert list(crew.call(observe_all, named(s.document(a=2))).values()) == [holding(a=2)]


def test_a_hang_ends_its_exploration_in_that_worker() -> None:
    """Batches of it that were at hand already are left out, each of which may take as long; others are not."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        batches = [Batch(1, named(s.document("hang"))), Batch(1, named(s.document(a=1)))]
        (_, hung), (_, left_out) = crew.spread(impatient_batch, batches, ahead=1)
        assert [found.usable for found in hung.values()] == ["hung"]
        assert left_out == {}
        assert list(crew.call(observe_batch, Batch(2, named(s.document(a=1)))).values()) == [holding(a=1)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="nobody tells what a process has open")
@pytest.mark.parametrize(("backend", "children"), [(s.TRAPPED, 1), (s.LEAVES_OPEN, 3)])
def test_a_child_is_used_until_what_it_holds_open_adds_up(backend: Backend, children: int) -> None:
    """A fork costs many openings; but a store that leaves files open would run out of them."""
    with closing(Crew(backend, "state", 1)) as crew:
        seen = []
        for number in range(3):
            trees = [s.document(a=number, b=other) for other in range(100)]
            crew.call(observe_all, named(*trees))
            seen.append(crew.call(child_of))
        assert len(set(seen)) == children


def test_nothing_that_a_store_prints_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what goes through Python nor what goes past it."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        (found,) = crew.call(observe_all, named(s.document("print"))).values()
        assert found == holding()
    assert capfd.readouterr() == ("", "")


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
    list(crew.spread(observe_all, [named(s.document(a=number)) for number in range(4)]))
    pids = {pid for _, pid in crew.spread(pid_of, range(4))}
    assert crew.folder.is_dir()
    assert all(map(running, pids))
    crew.close()
    assert not crew.folder.exists()
    assert not any(map(running, pids))
    crew.close()


def folders_left(around: Callable[[], object], root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return what is left in the directory that crews are told to use."""
    monkeypatch.setattr(workers, "_quick_folder", lambda: str(root))
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
        assert list(crew.call(observe_all, named(s.document(a=1))).values()) == [holding(a=1)]

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


def test_a_worker_that_is_let_go_ends() -> None:
    """A process that is killed before it can close its crew leaves no worker behind, and no files."""
    code = (
        "import os, sys\n"
        "from conformance.crash.workers import Crew\n"
        "from tests.crash.stores import TRAPPED\n"
        "from tests.crash.test_workers import pid_of\n"
        "crew = Crew(TRAPPED, 'state', 1)\n"
        "print(crew.call(pid_of), crew.folder, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
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


def test_stores_of_both_contracts_are_observed(crew_of: CrewOf) -> None:
    """A crew is of one contract."""
    (found,) = crew_of(s.JOURNAL_LOG, "log").call(observe_all, {b"": {}}).values()
    assert found == Observation("usable", {"events": [], "head": 0, "checkpoint": None})
    assert load(s.JOURNAL_LOG).contracts == ("log",)
