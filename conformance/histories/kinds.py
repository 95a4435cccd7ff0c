"""The kinds of rounds: what is asked in them, and who decides on what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from conformance.histories.checkers.counts import check_counts, lost
from conformance.histories.checkers.invariants import check_phantoms, check_totals
from conformance.histories.checkers.isolation import check_isolation
from conformance.histories.checkers.listing import check_listing
from conformance.histories.checkers.log import check_log
from conformance.histories.checkers.register import check_register
from conformance.histories.checkers.sessions import check_sessions
from conformance.histories.checkers.transactions import LEVELS
from conformance.histories.operation import UPKEEP, History
from conformance.histories.plans import log, records, state, transactions, upkeep, weak
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.round import Round
from conformance.histories.verdict import Verdict

#: Decides on what no checker is asked about: what hung, died or raised.
DRIVER = "the driver"
#: How many calls are told of a round that never came to its end.
_LATEST = 10
#: Calls that only look: no other call may make them fail.
_LOOKS = ("get", "list", "read", "restore")


@dataclass(frozen=True)
class Kind:
    """A kind of round.

    Args:
        plan: Drawn from a seed, for so many workers that ask so often, of a store that is up to so many calls old.
        judge: Decides on a history.
        expected: What it asks for, in words.
        counts: What is counted of a history, for whoever wants to know; it decides nothing.
    """

    plan: Callable[[int, int, int, int], Plan]
    judge: Callable[[History], Verdict]
    expected: str = "an order of these calls, one after the other, in which each answers as it did"
    counts: Callable[[History], int] = lambda _: 0


#: What sessions are promised.
_SESSION = "each worker to read its own writes, and nothing older than it has read"


def _without_upkeep(history: History) -> History:
    return [operation for operation in history if operation.verb not in UPKEEP]


def _accepted(history: History) -> History:
    """Leave out saves that were refused: a token is superseded by whoever comes, also where nobody has saved since."""
    return [operation for operation in history if operation.outcome != "fail"]


def _appends(history: History) -> History:
    return [operation for operation in history if operation.verb in ("append", "read")]


def _cleared(history: History) -> History:
    """Put deletes in the place of each clear: one of every key of its scope that anybody has asked for."""
    keys = dict.fromkeys(operation.key for operation in history if operation.verb != "clear")
    return [
        one
        for operation in history
        for one in (
            [operation._replace(verb="delete", key=key) for key in keys if key[0] == operation.key]
            if operation.verb == "clear"
            else [operation]
        )
    ]


def _saved(history: History) -> int:
    return sum(operation.verb == "cas" and operation.outcome == "ok" for operation in history)


def _totals_in_the_end(history: History) -> Verdict:
    """Judge what is there when all is quiet; of what was under way, a transaction may have been cancelled."""
    verdict = check_totals([operation for operation in history if operation.verb != "transaction"])
    ambiguous = [operation for operation in history if operation.verb == "transaction" and operation.outcome == "info"]
    return replace(verdict, witness=(*ambiguous, *verdict.witness)) if verdict.broken else verdict


KINDS: Mapping[str, Kind] = {
    "registers": Kind(state.registers, check_register),
    "overwrites": Kind(state.overwrites, check_register),
    "distinct keys": Kind(state.distinct_keys, check_register),
    "swaps": Kind(state.swaps, check_register),
    "updates": Kind(state.updates, check_register),
    "listings": Kind(state.listings, check_listing),
    "appends": Kind(log.appends, check_log),
    **{
        f"{level} transactions": Kind(transactions.lists, partial(check_isolation, level=level), f"{level} isolation")
        for level in LEVELS
    },
    "transfers": Kind(transactions.transfers, check_totals, "the same total in each transaction that gets all"),
    "cancelled transfers": Kind(transactions.transfers, _totals_in_the_end, "the same total in the end"),
    "replacements": Kind(transactions.replacements, check_phantoms, "the same keys throughout a transaction"),
    "sessions": Kind(weak.sessions, check_sessions, _SESSION),
    "overwrites in sessions": Kind(state.overwrites, check_sessions, _SESSION),
    "increments by hand": Kind(weak.counts, check_counts, "a count that the counter may have had", lost),
    "writes": Kind(upkeep.writes, check_register),
    "upkeep": Kind(upkeep.upkeep, lambda history: check_register(_without_upkeep(history))),
    "log upkeep": Kind(upkeep.log_upkeep, lambda history: check_log(_without_upkeep(history))),
    "saves": Kind(records.saves, check_register),
    "lasting saves": Kind(records.lasting, check_register),
    "new runs": Kind(records.listings, check_listing),
    "events of a run": Kind(records.events, lambda history: check_log(_appends(history))),
    "saves with tokens": Kind(
        records.fenced,
        lambda history: check_register(_accepted(history)),
        "each save with a token to replace what was there when the token was given",
        _saved,
    ),
    "forks": Kind(records.forks, check_register),
    "a scope beside another": Kind(
        records.scopes,
        lambda history: check_register(_cleared(history)),
        "for each key an order of these calls, in which a clear deletes the keys of its own scope and no other",
    ),
}


def judged(kind: str, one: Round) -> Verdict:
    """Return what is to be said of a round of a kind."""
    if one.stuck:
        # Nobody knows which call it was: the latest are told.
        return Verdict("not linearizable", one.stuck, tuple(one.history[-_LATEST:]), checker=DRIVER)
    for worker, verb, error in one.raised:
        if verb in _LOOKS:
            # Whose call raised is not heard of again.
            last = max((each for each in one.history if each.worker == worker), key=lambda each: each.call)
            why = f"a {verb} raised {error} while others wrote"
            return Verdict("not linearizable", why, (last,), checker=DRIVER)
    return KINDS[kind].judge(one.history)
