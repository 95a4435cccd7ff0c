"""Nurseries: workers are forked from a process that never had a store, and are what a new interpreter would be."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import pytest

from conformance.crash.reopen import observe_all
from conformance.workers import Bay, Crew, WorkerError
from conformance.workers.nursery import nursery_of
from tests.crash import stores as s

# Carried out in workers.


def about(bay: Bay) -> dict[str, object]:
    """Return what a worker is."""
    return {
        "parent": os.getppid(),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "variable": os.environ.get("OF_THIS_TEST"),
        "hash": hash("a text"),
        "modules": set(sys.modules),
    }


def test_workers_have_one_parent() -> None:
    """It is a process of this one, whose threads and handles no worker has."""
    with closing(Crew(s.TRAPPED, "state", 1)) as one, closing(Crew(s.TRAPPED, "state", 1)) as other:
        parents = {crew.call(about)["parent"] for crew in (one, other)}
    assert len(parents) == 1
    assert os.getpid() not in parents


def test_a_worker_is_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directory, path of modules and variables are those that this process has when the crew is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "more"))
    monkeypatch.setenv("OF_THIS_TEST", "told")
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        found = crew.call(about)
    assert found["folder"] == str(tmp_path)
    assert str(tmp_path / "more") in found["path"]
    assert found["variable"] == "told"


def test_a_variable_that_an_interpreter_is_started_with() -> None:
    """Such as the seed of hashes: it has the effect that it has on a new interpreter."""
    environments = [{"PYTHONHASHSEED": seed} for seed in ("1", "2", "1")]
    with closing(Crew(s.TRAPPED, "state", environments=environments)) as crew:
        found = [crew.call(about, worker=number)["hash"] for number in range(3)]
    assert found[0] == found[2] != found[1]


def test_what_a_worker_finds_imported() -> None:
    """An engine that another crew was asked for; neither a store nor this test."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        list(crew.spread(observe_all, [{b"": {}}]))
        nursery = crew._processes[0][0]
    assert observe_all.__module__ in nursery.modules
    assert not [name for name in nursery.modules if not name.startswith("conformance.")]
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        found = crew.call(about)["modules"]
    assert isinstance(found, set)
    assert observe_all.__module__ in found


def test_a_dead_nursery_is_told_once() -> None:
    """The crew that asks for a worker of it has none; the next crew has one of a new nursery."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        nursery = crew._processes[0][0]
        os.kill(nursery.pid, signal.SIGKILL)
    here, there = Pipe()
    with here, there, pytest.raises(WorkerError, match="died"):
        nursery.worker(there, os.environ)
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        assert crew.call(about)["parent"] != nursery.pid


class Closing(str):
    """A text that ends a crew when it is pickled, as a collection of garbage may at any time."""

    crew: Crew

    def __reduce__(self) -> Any:
        self.crew.close()
        return str, ("",)


def test_a_crew_ends_in_the_midst_of_a_question() -> None:
    """Collected garbage may hold a crew: its end does not wait for the answer that its own thread is about to get."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew, closing(Crew(s.TRAPPED, "state", 1)) as other:
        nursery, gone = other._processes[0]
        text = Closing()
        text.crew = other
        here, there = Pipe()
        with here, there:
            assert nursery.worker(there, {**os.environ, "OF_THIS_TEST": text}) != gone
        assert crew._processes[0][0] is nursery
        with pytest.raises(ProcessLookupError):
            os.kill(gone, 0)  # it is waited for when the question is answered


def test_variables_of_pytest_need_no_other_nursery(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sets one for each test, and a crew may be made in any; another variable may mean something."""
    one = nursery_of(os.environ)
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "another")
    assert nursery_of(os.environ) is one
    monkeypatch.setenv("OF_THIS_TEST", "another")
    assert nursery_of(os.environ) is not one
