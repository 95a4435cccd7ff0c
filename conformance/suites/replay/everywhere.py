"""What the checks of records share: one life of a store, looked at again, elsewhere, and lived again elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.replay.difference import difference
from conformance.replay.errands import Errand
from conformance.replay.files import kept
from conformance.replay.records import (
    BYTES,
    Look,
    claim_again,
    claim_records,
    ids_of,
    live_again,
    live_records,
    look_again,
    look_at_records,
)
from conformance.replay.worlds import WORLDS
from conformance.result import Violation
from conformance.suites.replay.elsewhere import blamed, sent, worlds_of
from conformance.suites.replay.laboratory import is_durable
from conformance.values.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.session import Handle
    from conformance.trial import Trial

_NAMES = ("then", "at first")


def reads_the_same(trial: Trial) -> None:
    """Require that what was read once is read again: in the same handle, after a reopen, and in processes elsewhere."""
    contract, offers, missing = _of(trial)
    with trial.fresh() as session:
        store = session.open()
        live_records(store, contract, offers)
        first = look_at_records(store, contract, offers, missing)
        _require(trial, first, look_at_records(store, contract, offers, missing), "reading once more")
        store = session.reopen(store)
        after = look_at_records(store, contract, offers, missing)
        _require(trial, first, after, "reading after the store was closed and opened again")
        store.close()
        crew = worlds_of(trial)
        with kept(session.where.path) as restore:
            for number, world in enumerate(WORLDS):
                errand = Errand(look_again, world, session.where, (contract, offers, missing))
                outcome = sent(trial, crew, number, errand)
                with _blaming(trial, errand, restore):
                    if outcome.error:
                        raise Violation("reading", expected="what this process reads", got=outcome.error)
                    for look in outcome.value:
                        _require(trial, first, look, "reading")


def lives_the_same(trial: Trial) -> None:
    """Require that the same calls leave the same records in an empty place, in processes elsewhere."""
    contract, offers, missing = _of(trial)

    def here(store: Handle) -> Look:
        live_records(store, contract, offers)
        return look_at_records(store, contract, offers, missing)

    _lived(trial, here, live_again, (contract, offers, missing))


def saves_anew(trial: Trial, clear: Callable[[Handle], None], expected: Mapping[str, Any]) -> None:
    """Require that what is saved under ids that were used before is all that is read under them.

    Args:
        trial: The trial.
        clear: Saves something under the ids, takes it away, and saves what is expected.
        expected: Each record, as a look has it.
    """
    contract, offers, missing = _of(trial)

    def looks(store: Handle, what: str) -> None:
        if contract == "layers":
            found = Look(dict(store.entries()), [{"id": key} for key, _ in store.entries()])
        else:
            found = look_at_records(store, contract, offers, missing)
        for part, got, due in (
            ("", found.records, dict(expected)),
            (", listed", sorted(ids_of(found.listed)), sorted(expected)),
        ):
            trial.count("comparisons")
            if wrong := difference(got, due, ("read", "saved last")):
                raise Violation(f"{what}{part}", expected="what was saved last, and nothing of before", got=wrong)

    with trial.fresh() as session:
        store = session.open()
        clear(store)
        store.acknowledge()
        looks(store, "reading what was deleted and saved again")
        if is_durable(trial):
            looks(session.reopen(store), "reading it after the store was closed and opened again")


def claims_the_same(trial: Trial) -> None:
    """Require that the same claims at the same times hand out the same jobs, and leave the same records."""
    _, _, missing = _of(trial)

    def here(store: Handle) -> Look:
        answers = claim_records(store)
        return Look(look_at_records(store, "jobs", (), missing).records, (), answers)

    _lived(trial, here, claim_again, (missing,))


def _lived(trial: Trial, life: Callable[[Handle], Look], task: Callable[..., Look], arguments: tuple[Any, ...]) -> None:
    contract, offers, missing = _of(trial)
    with trial.fresh() as session:
        first = _settled(life(session.open()))
    crew = worlds_of(trial)
    for number, world in enumerate(WORLDS):
        with trial.fresh() as session, kept(session.where.path) as restore:
            errand = Errand(task, world, session.where, arguments)
            outcome = sent(trial, crew, number, errand)
            with _blaming(trial, errand, restore):
                if outcome.error:
                    raise Violation("the same calls", expected="what they come to here", got=outcome.error)
                _require(trial, first, _settled(outcome.value), "the same calls")
            if is_durable(trial):
                later = look_at_records(session.open(), contract, offers, missing)
                there = Look(later.records, (), later.answers or first.answers)
                _require(trial, first, there, f"reading here what was written by a process elsewhere ({world.name})")


def _settled(look: Look) -> Look:
    """Leave the listing out: in another place its order may be another one."""
    return Look(look.records, (), look.answers)


def _of(trial: Trial) -> tuple[str, tuple[str, ...], tuple[type[BaseException], ...]]:
    contract = trial.check.contract
    domain = (BYTES,) if trial.backend.values == BYTES else ()
    return contract, (*trial.bench.profile.offered(contract), *domain), trial.errors("missing")


def _require(trial: Trial, first: Look, look: Look, what: str) -> None:
    trial.count("comparisons")
    trial.count("records", len(first.records))
    for part in ("records", "answers", "listed"):
        found = difference(getattr(look, part), getattr(first, part), _NAMES)
        if found:
            shown = {"records": "records", "answers": "answers of the calls", "listed": "listing, in the same order"}
            raise Violation(what, expected=f"the same {shown[part]}", got=found)


@contextmanager
def _blaming(trial: Trial, errand: Errand, restore: Callable[[], None]) -> Iterator[None]:
    """Say of what is found in a process elsewhere where that was, and what of its surroundings is enough."""
    try:
        yield
    except Violation as found:
        story: tuple[str, ...] = (f"the process: {errand.world.name}",)
        if trial.backend.server is None:  # what is in a server can't be made as it was
            restore()
            story = blamed(trial, errand, _differ, restore)
            restore()
        what = f"{found.what}, in another process"
        raise Violation(what, expected=found.expected, got=found.got, story=story) from None


def _differ(one: Look | tuple[Look, ...], other: Look | tuple[Look, ...]) -> bool:
    return _text(one) != _text(other)


def _text(found: Look | tuple[Look, ...]) -> str:
    looks = (_settled(found),) if isinstance(found, Look) else found
    return digest([[look.records, list(look.listed), list(look.answers)] for look in looks])
