"""Carrying out a workload: what happens inside the process whose system calls are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.backend import Backend, Where
from conformance.crash.recorder.recording import Mark
from conformance.crash.subjects import SUBJECTS, Step, Subject, canonical
from conformance.place import ManualClock
from conformance.session import Handle, Session

#: The marks of a trace. An attempt is one call of a step; a step that raised may be tried once more.
OPENING, OPEN, ARMED, DISARMED, CLOSED = "opening", "open", "armed", "disarmed", "closed"


@dataclass(frozen=True)
class Attempt:
    """One try of one step.

    Args:
        step: The place of the step in the workload.
        raised: The exception that it ended in; empty when it returned.
        seen: The content that the store showed right after an exception, as canonical text; empty when not looked at,
            or when reading raised.
    """

    step: int
    raised: str = ""
    seen: str = ""


def place_of(folder: Path) -> Where:
    """Return the place of a store whose files are all below `folder`."""
    return Where(folder, namespace="crash", clock=ManualClock())


def carry_out(
    backend: Backend, contract: str, steps: Sequence[Step], folder: Path, mark: Mark, *, retry: bool = False
) -> list[Attempt]:
    """Open the store, carry out the steps, close it; and mark what is begun and what is acknowledged.

    Args:
        backend: The store's backend.
        contract: `state` or `log`.
        steps: What is done.
        folder: Where the store lives.
        mark: Puts a word into the trace.
        retry: A step that raises is not the end: it is tried once more, what the store shows is noted, and the rest
            is carried out.
    """
    subject = SUBJECTS[contract]
    session = Session(backend, contract, place_of(folder))
    mark(OPENING)
    store = session.open()
    mark(OPEN)
    mark(ARMED)
    attempts: list[Attempt] = []
    for number, step in enumerate(steps):
        for _ in range(2 if retry else 1):
            mark(f"start {len(attempts)} {number}")
            try:
                store = _step(session, store, step)
                store.acknowledge()
            except Exception as error:
                if not retry:
                    raise
                mark(f"raised {len(attempts)}")
                attempts.append(Attempt(number, f"{type(error).__name__}: {error}", _seen(subject, store)))
                continue
            mark(f"done {len(attempts)}")
            attempts.append(Attempt(number))
            break
    mark(DISARMED)
    try:
        session.close()
    except Exception:
        if not retry:
            raise
    mark(CLOSED)
    return attempts


def _step(session: Session, store: Handle, step: Step) -> Handle:
    if step.verb == "reopen":
        return session.reopen(store)
    SUBJECTS[session.contract].perform(store, step)
    return store


def _seen(subject: Subject, store: Handle) -> str:
    try:
        return canonical(subject.read(*store.reach()))
    except Exception:  # noqa: BLE001 - a store that refuses everything after an error is honest
        return ""
