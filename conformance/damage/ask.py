"""Asking a store on damaged files: all at once, each record alone, and what `verify()` says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.crash.perform import place_of
from conformance.crash.subjects import SUBJECTS, Content
from conformance.damage.records import MISSING, RECORDS, Answer, Name
from conformance.frames import store_frame
from conformance.recording import raised
from conformance.session import Handle, Session


@dataclass(frozen=True)
class Seen:
    """What a store showed.

    Args:
        refused: The exception of opening it; empty when it opened.
        whole: All that it held, read at once; None where that raised.
        unreadable: The exception of reading all at once.
        listed: What it listed all the same; None where that raised, too, or was not looked at.
        answers: For each record that was asked for alone.
        report: What `verify()` says is damaged, or that it raised; None where there is no `verify()`.
        frame: Where in the store's own code it raised first.
        later: The same after one more write, closing and opening again; only where that was wanted.
    """

    refused: str = ""
    whole: Content = None
    unreadable: str = ""
    listed: list[Any] | None = None
    answers: Mapping[Name, Answer] = field(default_factory=dict)
    report: tuple[str, ...] | None = None
    frame: str = ""
    later: Seen | None = None


def ask(
    backend: Backend, contract: str, folder: Path, names: Sequence[Name], *, again: bool = False, all_of_it: bool = True
) -> Seen:
    """Open a store, have it verify, read everything, ask for each record alone, and close it.

    Args:
        backend: Of the store.
        contract: Its contract, e.g. `state`.
        folder: Its files.
        names: The records that were acknowledged.
        again: Whether to do all this once more, after one more write.
        all_of_it: Whether to read what `verify()` has named damage in: it is noticed, whatever is read.
    """
    session = Session(backend, contract, place_of(folder))
    try:
        store = session.open()
    except Exception as error:  # noqa: BLE001 - a store may raise anything
        session.abandon()
        return Seen(refused=raised(error), frame=store_frame(error, backend))
    whole, unreadable, frame = None, "", ""
    report = _verified(store)
    if report and not all_of_it:
        session.abandon()
        return Seen(report=report)
    try:
        whole = SUBJECTS[contract].read(*store.reach())
    except Exception as error:  # noqa: BLE001 - as above
        unreadable, frame = raised(error), store_frame(error, backend)
    listed = _listing(contract, store) if unreadable else None
    answers = {name: _asked(backend, contract, store, name) for name in names}
    if again:
        _write_one_more(backend, contract, store)
    try:
        session.close()
    except Exception as error:  # noqa: BLE001 - it has said what it knew
        session.abandon()
        frame = frame or store_frame(error, backend)
    later = ask(backend, contract, folder, names) if again else None
    return Seen("", whole, unreadable, listed, answers, report, frame, later=later)


def _listing(contract: str, store: Handle) -> list[Any] | None:
    """Return what is listed where not all that is listed can be got: that a reader sees, too."""
    listed = SUBJECTS[contract].listed
    if listed is None:
        return None
    try:
        return listed(*store.reach())
    except Exception:  # noqa: BLE001 - as above
        return None


def repair(backend: Backend, contract: str, folder: Path) -> tuple[str, ...] | str | None:
    """Open a store, have it repair itself, and close it.

    Returns:
        What it says that it dropped; the exception that it raised; None where it can't be opened.
    """
    session = Session(backend, contract, place_of(folder))
    try:
        store = session.open()
    except Exception:  # noqa: BLE001 - a store may raise anything
        session.abandon()
        return None
    try:
        driver, plain = store.reach()
        dropped = _listed(driver.call(plain.repair), "dropped")
        session.close()
    except Exception as error:  # noqa: BLE001 - as above
        session.abandon()
        return raised(error)
    return dropped


def _asked(backend: Backend, contract: str, store: Handle, name: Name) -> Answer:
    try:
        return RECORDS[contract].asked(*store.reach(), name)
    except Exception as error:  # noqa: BLE001 - as above
        return MISSING if _says_missing(backend, error, name) else Answer("raised", raised(error))


def _says_missing(backend: Backend, error: Exception, name: Name) -> bool:
    # A KeyError about something else is one that damaged data led to.
    if "missing" in backend.errors:
        return isinstance(error, backend.errors["missing"])
    return type(error) is KeyError and error.args == (name,)


def _verified(store: Handle) -> tuple[str, ...] | None:
    driver, plain = store.reach()
    if not hasattr(plain, "verify"):
        return None
    try:
        return _listed(driver.call(plain.verify), "damaged")
    except Exception as error:  # noqa: BLE001 - as above
        return (raised(error),)


def _listed(report: Any, name: str) -> tuple[str, ...]:
    found: Iterable[Any] = report[name] if isinstance(report, Mapping) else getattr(report, name)
    return tuple(str(one) for one in found)


def _write_one_more(backend: Backend, contract: str, store: Handle) -> None:
    subject = SUBJECTS[contract]
    try:
        subject.perform(store, subject.probe(backend.values))
        store.acknowledge()
    except Exception:  # noqa: BLE001 - nothing may be built on damage: to refuse is honest
        pass
