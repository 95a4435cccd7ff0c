"""A sweep comes to the same whoever opens the damaged copies, and loses none of them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from conformance.backend import Backend
from conformance.crash.recorded import Unmeasured
from conformance.damage import campaign
from conformance.damage.campaign import silent, sweep_damages
from conformance.damage.damage import Operator
from conformance.damage.examine import Case, Shown
from conformance.damage.judge import SILENT, Judged
from conformance.damage.operators import damages
from conformance.damage.sweep import Budget, sweep
from conformance.workers import Crew, WorkerError
from tests.crash import stores as crash_stores
from tests.damage import stores
from tests.damage.conftest import Benches

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
FLIPS: tuple[Operator, ...] = ("bit flipped", "byte changed")
Change = Callable[[list[Any]], list[Any]]


class Own(Executor):
    """Carries out tasks at once with a crew that is there already, and then does something to the answers."""

    def __init__(self, crew: Crew, change: Change = lambda answers: answers) -> None:
        self.crew = crew
        self.change = change

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        task = pickle.loads(args[0])
        future: Future[Any] = Future()
        answers = [self.crew.call(task.function, one) for one in task.arguments]
        future.set_result(pickle.dumps(self.change(answers)))
        return future


@pytest.mark.parametrize("backend", [stores.LINES, stores.CHECKED], ids=lambda backend: backend.name)
def test_executors_come_to_the_same(backend: Backend, benches: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    """With threads, without an executor, and as a crew does it: the same classes, and the same finding."""
    monkeypatch.setattr(campaign, "CHUNK", 20)
    crew, (closed, *_) = benches.of(backend)
    here = sweep_damages(backend.address, "state", operators=FLIPS, count=50, executor=Own(crew))
    with ThreadPoolExecutor(2) as pool:
        assert sweep_damages(backend.address, "state", operators=FLIPS, count=50, executor=pool) == here
    cases = (Case(damage) for damage in damages(closed.tree, FLIPS, older=closed.older, seed=0))
    by_crew = sweep(crew, closed, cases, Budget(50, 60.0), lambda _: None)
    assert here.classes == by_crew.classes
    assert (here.tried, here.left) == (50, 0)
    if backend is stores.CHECKED:
        assert here.finding is None
    else:
        assert here.finding is not None
        assert here.finding.shown.judged.kind in SILENT
        assert here.finding.case.damage.length == 1


def test_without_an_executor_too() -> None:
    """One after the other, in this process; each damage is told of."""
    seen: list[int] = []
    found = sweep_damages(stores.LINES.address, "state", operators=FLIPS, count=5, progress=seen.append)
    assert (found.tried, sum(seen)) == (5, 5)


def test_what_does_not_come_back_is_an_error(benches: Benches) -> None:
    """An answer that has not all that was asked for is none, unless the store hung: then the rest is counted."""
    crew, _ = benches.of(stores.CHECKED)
    short = Own(crew, lambda answers: [answers[0][:-2]])
    with pytest.raises(WorkerError, match="2 of 10 damages that a worker was given did not come back"):
        sweep_damages(stores.CHECKED.address, "state", operators=FLIPS, count=10, executor=short)
    hung = Own(crew, lambda answers: [[*answers[0][:3], Shown(Judged("hung"))]] if len(answers[0]) > 3 else answers)
    found = sweep_damages(stores.CHECKED.address, "state", operators=FLIPS, count=10, executor=hung)
    assert (found.tried, found.left, found.hung) == (4, 6, True)
    assert found.finding is None  # in a process of its own it does not hang


def test_a_store_that_is_wrong_undamaged_is_not_measured() -> None:
    """What is missing without any damage is no fault of one."""
    with pytest.raises(Unmeasured):
        sweep_damages(crash_stores.FORGETFUL.address, "state", count=5)


def test_what_breaks_the_usual_rule() -> None:
    """Lies, deaths and hangs do; an error does not."""
    kinds = ("harmless", "detected", "died", "hung", *SILENT)
    assert [kind for kind in kinds if silent(Shown(Judged(kind))) is None] == ["harmless", "detected"]
