"""Observing a store after a crash: open it, read it, write once more, close it, open it again, and read it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from conformance.backend import Backend
from conformance.crash.perform import place_of
from conformance.crash.subjects import SUBJECTS, Content, Subject, canonical
from conformance.frames import store_frame
from conformance.recording import raised
from conformance.session import Session
from conformance.values.equality import same

Usable = Literal["usable", "cannot open", "cannot read", "breaks after one more write", "died", "hung"]


@dataclass(frozen=True)
class Observation:
    """What became of a store after a crash.

    Args:
        usable: How far it can be used.
        content: What it held right after recovery; None where it could not be read.
        detail: What went wrong: the exception, the signal, the difference.
        frame: Where in the store's own code: `file:line in function`.
    """

    usable: Usable
    content: Content = None
    detail: str = ""
    frame: str = ""


def observe(backend: Backend, contract: str, folder: Path) -> Observation:
    """Return what the store at `folder` shows; whatever it raises is part of that."""
    subject = SUBJECTS[contract]
    session = Session(backend, contract, place_of(folder))
    usable: Usable = "cannot open"
    content: Content = None
    try:
        store = session.open()
        usable = "cannot read"
        content = subject.read(*store.reach())
        usable = "breaks after one more write"
        probe = subject.probe(backend.values)
        subject.perform(store, probe)
        store.acknowledge()
        session.close()
        driver, plain = session.open().reach()
        again = subject.read(driver, plain)
        seen = content if subject.last_of in backend.lacks else subject.last(driver, plain, content)
        session.close()
    except Exception as error:  # noqa: BLE001 - a store may raise anything
        session.abandon()
        return Observation(usable, content, raised(error), store_frame(error, backend))
    expected = subject.apply(content, probe)
    if not same(again, expected) and not subject.agrees(again, expected):
        return Observation(usable, content, _difference(subject, expected, again))
    return Observation("usable", seen)


def _difference(subject: Subject, expected: Content, got: Content) -> str:
    due, there = ({canonical(part) for part in subject.parts(content)} for content in (expected, got))
    missing, extra = sorted(due - there), sorted(there - due)
    told = [f"{len(some)} {what}" for some, what in ((missing, "missing"), (extra, "not written")) if some]
    return f"after one more write, closing and reopening: {' and '.join(told) or 'another order or another length'}"
