"""Errands: what processes of other worlds are asked to do with a store.

The tasks here are those of logs: replay, restore, append; and to fold without any log.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from conformance.backend import Backend, Where
from conformance.histories.drivers.processes import Member, MemberError
from conformance.histories.operation import Operation
from conformance.place import ManualClock
from conformance.replay.appends import appended, attempted
from conformance.replay.folds import FoldError, fold_of
from conformance.replay.replay import Entry, Replay, replayed
from conformance.replay.worlds import World, inside
from conformance.session import Session
from conformance.workers import Bay

#: Seconds after which a process hangs; on a machine that is busy otherwise, many do little.
LIMIT_S = 60.0
Done = TypeVar("Done")


@dataclass(frozen=True)
class Errand:
    """What a process does, in a world.

    Args:
        task: A function that can be imported by its name. It is given a session, or the backend if there is no place,
            and what lets the clock of its world step.
        world: Where.
        where: The place of the store; None for what needs no store.
        arguments: The rest of what the task is given.
    """

    task: Callable[..., Any]
    world: World
    where: Where | None = None
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of an errand.

    Args:
        value: What the task returned.
        error: What the store raised, or how the process ended; empty if all went well.
        fold_error: What is wrong with the fold.
    """

    value: Any = None
    error: str = ""
    fold_error: str = ""


def carry_out(bay: Bay, errand: Errand) -> Outcome:
    """Carry out an errand in a process that has done nothing else; runs in a worker of the errand's world.

    The process is gone when this returns, so that of errands that follow each other no two have the store open.
    """
    folder = bay.folder / "elsewhere"
    folder.mkdir(exist_ok=True)
    if errand.world.shift is not None:
        with suppress(ImportError):
            import time_machine  # noqa: F401 - the processes that are forked here have it then
    with closing(Member({"backend": bay.backend, "contract": bay.contract})) as member:
        # A world may have another working directory.
        where = errand.where and replace(errand.where, path=errand.where.path.absolute())
        member.tell(_in_world, replace(errand, where=where), folder)
        try:
            outcome: Outcome = member.answer(LIMIT_S)
        except MemberError as error:
            return Outcome(error=str(error))
    return outcome


def _in_world(state: dict[str, Any], errand: Errand, folder: Path) -> Outcome:
    backend: Backend = state["backend"]
    clock = ManualClock()
    with inside(errand.world, folder) as travel:

        def step() -> None:
            travel()
            clock.now += errand.world.step

        try:
            if errand.where is None:
                return Outcome(errand.task(backend, step, *errand.arguments))
            clock.now = errand.where.clock() + (errand.world.shift or 0.0)
            session = Session(backend, state["contract"], replace(errand.where, clock=clock))
            try:
                return Outcome(errand.task(session, step, *errand.arguments))
            finally:
                session.close()
        except FoldError as error:
            return Outcome(fold_error=str(error))
        except Exception as error:  # noqa: BLE001 - the store's; told to who asked
            return Outcome(error=f"{type(error).__name__}: {error}")


def fold_again(backend: Backend, step: Callable[[], None], events: Sequence[Any]) -> Replay:
    """Fold events that come from no log."""
    step()
    return replayed(_stepping(enumerate(events, 1), step), fold_of(backend))


def replay_again(session: Session, step: Callable[[], None]) -> Replay:
    """Open the log, read all that is left, and fold it."""
    store = session.open()
    step()
    return replayed(_pairs(store.read(*_start(store))), fold_of(session.backend))


def restore_again(session: Session, step: Callable[[], None]) -> Replay:
    """Open the log, and fold what follows its latest checkpoint into the state that it keeps."""
    store = session.open()
    step()
    state, upto = store.latest_checkpoint() or (None, 0)
    return replayed(_pairs(store.read(upto + 1)), fold_of(session.backend), state)


@dataclass(frozen=True)
class Start:
    """Where processes meet before they begin, each with a file of its own there.

    Args:
        folder: An empty one.
        worker: The number of this one.
        workers: How many there are.
    """

    folder: Path
    worker: int
    workers: int = 1

    def wait(self) -> None:
        """Return when all are here, or never will be."""
        (self.folder / str(self.worker)).touch()
        until = time.monotonic() + LIMIT_S
        while len(os.listdir(self.folder)) < self.workers and time.monotonic() < until:
            pass


def append_again(
    session: Session, step: Callable[[], None], events: Sequence[Any], start: Start, every: int
) -> list[Operation]:
    """Open the log, wait for the others, and append; the clock steps after so many appends."""
    store = session.open()
    start.wait()
    done: list[Operation] = []
    for number, event in enumerate(events, 1):
        begun = time.monotonic_ns()
        try:
            position = store.append(event)
        except Exception:  # noqa: BLE001 - a log may be busy; nobody knows then whether the event is there
            done.append(attempted(start.worker, event, begun))
            continue
        done.append(appended(start.worker, event, begun, time.monotonic_ns(), position))
        if number % every == 0:
            step()
    store.acknowledge()
    return done


def _start(store: Any) -> tuple[int, ...]:
    return (store.first,) if hasattr(type(store.reach()[1]), "first") else ()


def _pairs(found: Sequence[Any]) -> list[Entry]:
    return [(position, event) for position, event in found]


def _stepping(entries: Any, step: Callable[[], None]) -> Any:
    for entry in entries:
        step()
        yield entry
