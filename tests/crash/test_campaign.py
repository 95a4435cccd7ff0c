"""An exploration finds the same whoever recovers its states, and loses none of them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.crash import campaign
from conformance.crash.again import crashed_twice
from conformance.crash.campaign import Prepared, States, explore, explored, prepared
from conformance.crash.campaign_twice import explored_twice, record_recoveries
from conformance.crash.explore import Budget, Explored, Explorer
from conformance.crash.observe import Observation
from conformance.crash.subjects import Step
from conformance.hosting import finding
from conformance.workers import Crew, WorkerError, executors
from conformance.workers.executors import Task, spread_over
from tests.crash import stores as s
from tests.crash.conftest import CrewOf, ExplorerOf

STEPS = (Step("set", ("a", 1)), Step("set", ("b", 2)), Step("delete", ("a",)))
BUDGET = Budget(states=1_000, seconds=float("inf"))
POWER = ("ext4", "xfs")
#: Honest, and one that power loss takes acknowledged writes from.
HONEST, BROKEN = s.TRAPPED.address, s.UNSYNCED.address
#: What becomes of the answers to a task.
Change = Callable[[Task, list[Any]], list[Any]]


@cache
def work(address: str) -> Prepared:
    """Return the workload of a store, which is recorded once."""
    return prepared(address, "state", STEPS)


@cache
def serial(address: str) -> list[Explored]:
    """Return what is found in this process, one state after the other."""
    return explored(work(address), POWER, BUDGET, 0, None)


@contextmanager
def processes() -> Iterator[Executor]:
    """Give a pool of processes, which share nothing with this one."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def threads() -> Iterator[Executor]:
    """Give a pool of threads."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@contextmanager
def dask() -> Iterator[Executor]:
    """Give Dask's client of a cluster of two processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        yield executor


class Own(Executor):
    """Carries out tasks at once with a crew that is there already, and then does something to the answers."""

    def __init__(self, crew: Crew, change: Change = lambda _, answers: answers) -> None:
        self.crew = crew
        self.change = change
        self.tasks: list[Task] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        task: Task = pickle.loads(args[0])
        self.tasks.append(task)
        try:
            answers = [self.crew.call(task.function, one) for one in task.arguments]
            future.set_result(pickle.dumps(self.change(task, answers)))
        except Exception as error:  # noqa: BLE001 - an executor keeps whatever was raised
            future.set_exception(error)
        return future


@pytest.mark.parametrize("executor", [threads, processes, dask])
def test_executors_find_the_same(executor: Callable[[], Any]) -> None:
    """Threads, processes and a cluster of Dask find what is found in one process: each finding, and each count."""
    with executor() as pool:
        for address in (HONEST, BROKEN):
            assert explored(work(address), POWER, BUDGET, 0, pool) == serial(address)


@pytest.mark.parametrize(("address", "verdicts"), [(HONEST, set()), (BROKEN, {"lost", "cannot open"})])
def test_a_campaign_finds_what_a_crew_finds(address: str, verdicts: set[str], crew_of: CrewOf) -> None:
    """The findings and counts are those of the engine that the checks use."""
    one = work(address)
    explorer = Explorer(crew_of(address), one.recorded, one.scratch)
    found = serial(address)
    assert found == explorer.explore_all(POWER, BUDGET, 0)
    assert all(each.trees > 5 for each in found)
    assert {finding.verdict for each in found for finding in each.findings} == verdicts


def test_the_order_of_answers_does_not_matter(crew_of: CrewOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked last may come first."""

    def last_first(at_hand: dict[Future[bytes], Any], **_: Any) -> SimpleNamespace:
        return SimpleNamespace(done=[list(at_hand)[-1]])

    monkeypatch.setattr(campaign, "CHUNK", 4)
    monkeypatch.setattr(executors, "wait", last_first)
    pool = Own(crew_of(BROKEN))
    assert explored(work(BROKEN), POWER, BUDGET, 0, pool) == serial(BROKEN)
    assert len(pool.tasks) > 5


def test_states_are_data_of_bounded_size(crew_of: CrewOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task has a whole chunk at most twice, the tasks have each state once, and no content but that of the trace."""
    monkeypatch.setattr(campaign, "CHUNK", 4)
    pool = Own(crew_of(HONEST))
    found = explored(work(HONEST), POWER, BUDGET, 0, pool)
    states = [[states for states in task.arguments if isinstance(states, States)] for task in pool.tasks]
    assert all(sum(len(one.kept) for one in some) < 2 * 4 for some in states)
    names = [name for some in states for one in some for name in one.kept]
    assert len(names) == len(set(names)) >= found[0].trees
    assert {type(atom) for some in states for one in some for kept in one.kept.values() for atom in kept} == {int}


def test_progress_and_budget(crew_of: CrewOf) -> None:
    """Each state is told of once, and no more than the budget has are tried."""
    seen: list[int] = []
    budget = replace(BUDGET, states=5, counted=3)
    (found,) = explored(work(HONEST), ["ext4"], budget, 0, Own(crew_of(HONEST)), seen.append)
    assert (found.trees, found.left, sum(seen)) == (5, 3, 5)


def test_what_a_dead_worker_lost_is_done_again(crew_of: CrewOf) -> None:
    """Every first attempt fails, one by a cancellation, and nothing is missing."""
    tried: list[int] = []

    class Unlucky(Own):
        """Loses every task the first time."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            tried.append(args[1])
            if args[1] > 1:
                return super().submit(fn, *args)
            lost: Future[Any] = Future()
            if len(tried) == 1:
                lost.cancel()
                lost.set_running_or_notify_cancel()
            else:
                lost.set_exception(OSError("the machine is gone"))
            return lost

    assert explored(work(BROKEN), POWER, BUDGET, 0, Unlucky(crew_of(BROKEN))) == serial(BROKEN)
    assert tried.count(1) == tried.count(2) > 0


def test_what_is_lost_again_is_an_error(crew_of: CrewOf) -> None:
    """A task that fails twice ends the exploration: nothing is told of what the others found."""

    def lose(_task: Task, _answers: list[Any]) -> list[Any]:
        raise OSError("the machine is gone")

    with pytest.raises(WorkerError, match="a task failed 2 times, at last with OSError: the machine is gone"):
        explored(work(HONEST), POWER, BUDGET, 0, Own(crew_of(HONEST), lose))


@dataclass(frozen=True)
class Deadly:
    """Ends the process in which a backend is looked for."""

    def __call__(self) -> Any:
        os._exit(1)


def test_a_pool_that_broke_is_an_error() -> None:
    """The process of a pool ends, and the pool takes nothing any more."""
    one = replace(work(HONEST), found=Deadly())  # type: ignore[arg-type]
    with processes() as pool, pytest.raises(WorkerError, match="the executor takes no more tasks: BrokenProcessPool"):
        explored(one, POWER, BUDGET, 0, pool)


def test_a_state_that_does_not_come_back_is_an_error(crew_of: CrewOf) -> None:
    """An answer that has not all that was asked for is none."""

    def drop(_task: Task, answers: list[Any]) -> list[Any]:
        answers[0].popitem()
        return answers

    with pytest.raises(WorkerError, match=r"1 of \d+ crash states that a worker was given did not come back"):
        explored(work(HONEST), POWER, BUDGET, 0, Own(crew_of(HONEST), drop))


def test_states_after_one_that_hangs_are_counted(crew_of: CrewOf) -> None:
    """The rest of its chunk is left out, and said to be."""

    def hang(_task: Task, answers: list[Any]) -> list[Any]:
        kept = dict(list(answers[0].items())[:3])
        return [{**kept, list(kept)[-1]: Observation("hung")}, *answers[1:]]

    (found,) = explored(work(HONEST), ["ext4"], BUDGET, 0, Own(crew_of(HONEST), hang))
    (whole, _) = serial(HONEST)
    assert found.trees == 3
    assert found.trees + found.left == whole.trees
    assert {finding.verdict for finding in found.findings} == {"hung"}


def test_a_finding_counts_only_if_it_is_so_alone(crew_of: CrewOf) -> None:
    """What a store shows after many others were opened is asked again in a process that has opened nothing else."""

    def break_some(task: Task, answers: list[Any]) -> list[Any]:
        if not task.arguments[0].alone:
            answers[0].update(dict.fromkeys(list(answers[0])[:4], Observation("cannot open")))
        return answers

    pool = Own(crew_of(HONEST), break_some)
    assert explored(work(HONEST), POWER, BUDGET, 0, pool) == serial(HONEST)
    assert sum(len(states.kept) for task in pool.tasks for states in task.arguments if states.alone) == 4


def test_a_function_that_raises_is_an_error() -> None:
    """What an engine raises in a worker is told with its traceback."""
    task = Task(work(HONEST).found, "state", fail, (1,))
    with pytest.raises(WorkerError, match="ZeroDivisionError"):
        list(spread_over(None, [task]))


def fail(_bay: object, number: int) -> float:
    """Raise."""
    return number / 0


def test_a_plain_script_explores_a_file(tmp_path: Path) -> None:
    """One call does all: an address relative to a directory, a workload, a model, and no executor."""
    (tmp_path / "shop.py").write_text(
        "from pathlib import Path\n\n\nclass Shop(dict):\n    def __init__(self, path):\n"
        "        self.path = Path(path)\n"
        "        super().__init__(eval(self.path.read_text()) if self.path.exists() else {})\n\n"
        "    def __setitem__(self, key, value):\n        super().__setitem__(key, value)\n"
        "        self.path.write_text(repr(dict(self)))\n\n"
        "    def close(self):\n        pass\n"
    )
    (found,) = explore("shop.py:Shop", "state", STEPS[:2], models=["kill"], base=tmp_path)
    assert {finding.verdict for finding in found.findings if not finding.in_creation} == {"cannot open"}


@pytest.mark.parametrize(("address", "broken"), [(s.mutant("recovery_moves_the_journal"), True), (s.JOURNAL, False)])
def test_crashes_during_recovery_are_those_of_a_crew(
    address: str, explorer_of: ExplorerOf, crew_of: CrewOf, *, broken: bool
) -> None:
    """The first crashes, what their recoveries do, and what comes of crashing those."""
    explorer = explorer_of(address, "state", "some puts and deletes")
    one = Prepared(finding(explorer.crew.backend), "state", explorer.recorded, explorer.scratch)
    pool = Own(crew_of(address))
    budget = Budget(states=60, seconds=float("inf"), representatives=1)
    found = explored_twice(one, "kill", 2, budget, 0, pool)
    by_crew = [(twice.first, twice.explored) for twice in crashed_twice(explorer, "kill", 2, budget, 0)]
    assert found == by_crew
    assert all(explored_one.trees for _, explored_one in found)
    assert any(explored_one.findings for _, explored_one in found) == broken
    assert any(task.function is record_recoveries for task in pool.tasks)
