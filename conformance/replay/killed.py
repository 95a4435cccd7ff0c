"""Processes that append and are really killed in the midst of it, and what they had been told.

The kill comes from inside, at a C call of the store's code: so it lands in the midst of an append on any machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.backend import Where
from conformance.frames import is_of_store
from conformance.histories.drivers.processes import Member, MemberError, calls_in, kill, kill_at_call
from conformance.replay.errands import LIMIT_S
from conformance.session import Session
from conformance.workers import Bay


@dataclass(frozen=True)
class Life:
    """One process, from its opening of the log to its violent end.

    Args:
        where: The place of the log.
        events: What it appends; it is killed in the last of these appends, or right after it.
        call: Before which of its C calls in that append.
    """

    where: Where
    events: Sequence[Any]
    call: int


@dataclass(frozen=True)
class Report:
    """What is known of a life.

    Args:
        begun: The events that it began to append.
        acknowledged: How many of these appends returned: all, or all but the one in which it was killed.
        error: What the log raised, or why there is no report.
    """

    begun: Sequence[Any]
    acknowledged: int
    error: str = ""

    @property
    def in_flight(self) -> bool:
        """Whether the kill came in the midst of an append."""
        return self.acknowledged < len(self.begun)


def calls_of_an_append(bay: Bay, where: Where, events: Sequence[Any]) -> int:
    """Return how many C calls the last of some appends makes at which a kill can come; runs in a worker."""
    with closing(Member({"backend": bay.backend})) as member:
        member.tell(_count, where, events)
        try:
            calls: int = member.answer(LIMIT_S)
        except MemberError:
            return 0  # what is wrong shows when it is to be killed
    return calls


def live(bay: Bay, life: Life) -> Report:
    """Live a life in a process of its own, and return what it reported; runs in a worker."""
    path = bay.folder / "report"
    path.unlink(missing_ok=True)
    with closing(Member({"backend": bay.backend})) as member:
        member.tell(_append_and_die, life, path)
        try:
            member.wait_dead(LIMIT_S)
        except MemberError as error:
            return Report((), 0, str(error))
    return _read(path, life)


def _count(state: dict[str, Any], where: Where, events: Sequence[Any]) -> int:
    session = Session(state["backend"], "log", where)
    store = session.open()
    driver, bare = store.reach()
    for event in events[:-1]:
        store.append(event)
    calls = calls_in(lambda: driver.call(bare.append, events[-1]), is_of_store)
    session.close()
    return calls


def _append_and_die(state: dict[str, Any], life: Life, path: Path) -> None:
    report = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        store = Session(state["backend"], "log", life.where).open()
        driver, _ = store.reach()
        for number, event in enumerate(life.events):
            _tell(report, "begins")
            if number == len(life.events) - 1:
                # Called as the store is: the loop of an async one runs in a thread of its own.
                driver.call(kill_at_call, life.call, [os.getpid()], is_of_store)
            store.append(event)
            store.acknowledge()
            _tell(report, "returned")
    except Exception as error:  # noqa: BLE001 - the log's; told to who asked
        _tell(report, "raised", f"{type(error).__name__}: {error}")
    finally:
        kill([os.getpid()])


def _tell(report: int, *words: str) -> None:
    os.write(report, json.dumps(words).encode() + b"\n")


def _read(path: Path, life: Life) -> Report:
    begun, acknowledged, error = 0, 0, "the process died before its first append"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        match json.loads(line):
            case ["begins"]:
                begun, error = begun + 1, ""
            case ["returned"]:
                acknowledged += 1
            case ["raised", raised]:
                error = raised
    return Report(life.events[:begun], acknowledged, error)
