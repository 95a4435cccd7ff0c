"""What every transaction that sees all must see: the same total, and the same number of keys from its begin to its end.

Source: Jepsen's bank test; Berenson et al., A critique of ANSI SQL isolation levels, SIGMOD 1995 (phantoms).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.histories.operation import History, Operation, Step
from conformance.histories.verdict import Verdict

#: Transactions that are shown beside one that can't be, at most.
_BESIDE = 4


def check_totals(history: History) -> Verdict:
    """Return whether all accounts together always hold what they held at first.

    Args:
        history: Of `put` of the first balances, of transactions that `add` to accounts or `get` all, and at the very
            end, when all is quiet, of `get`.
    """
    first = [one for one in history if one.verb == "put"]
    if not first or any(one.outcome != "ok" for one in first):
        return Verdict("unknown", "not all accounts were there from the start", checker="totals")
    total = sum(one.value for one in first)
    accounts = {one.key for one in first}
    for operation in _answered(history):
        balances = {key: balance for verb, key, balance in operation.answer if verb == "get"}
        changed = any(verb == "add" for verb, *_ in operation.answer)
        if why := _unlike(balances, total if balances.keys() == accounts and not changed else None):
            return _broken(why, "totals", operation, *_beside(operation, history))
    last = [one for one in history if one.verb == "get" and one.outcome == "ok"]
    balances = {one.key: one.answer for one in last}
    if why := _unlike(balances, total if balances.keys() == accounts else None):
        return _broken(f"{why} when all is quiet", "totals", *last)
    return Verdict("linearizable", checker="totals")


def check_phantoms(history: History) -> Verdict:
    """Return whether no key comes or goes within a transaction, where each replaces as many keys as it deletes.

    Args:
        history: Of `put` of the first keys, and of transactions that `list` keys, `get` what they listed, and may then
            `delete` one and `put` another one in its place.
    """
    first = [one for one in history if one.verb == "put"]
    if not first or any(one.outcome != "ok" for one in first):
        return Verdict("unknown", "not all keys were there from the start", checker="phantoms")
    for operation in _answered(history):
        if why := _unstable(operation.answer, len(first)):
            return _broken(why, "phantoms", operation, *_beside(operation, history))
    return Verdict("linearizable", checker="phantoms")


def _answered(history: History) -> list[Operation]:
    return [one for one in history if one.verb == "transaction" and one.outcome == "ok"]


def _unlike(balances: dict[Any, Any], total: int | None) -> str:
    for account, balance in balances.items():
        if not isinstance(balance, int):
            return f"account {account!r} holds {'nothing' if balance is None else balance}"
    if total is None or sum(balances.values()) == total:
        return ""
    return f"the accounts hold {sum(balances.values())} together instead of {total}"


def _unstable(steps: Sequence[Step], count: int) -> str:
    known: tuple[Any, ...] | None = None
    for verb, key, value in steps:
        if verb == "list":
            if known is not None and value != known:
                came, went = set(value) - set(known), set(known) - set(value)
                told = [f"{word} {sorted(keys)}" for word, keys in (("there came", came), ("there went", went)) if keys]
                return f"a transaction listed the keys twice, and in between {' and '.join(told)} (phantom)"
            if len(value) != count:
                return f"a transaction listed {len(value)} keys, and there are always {count}"
            known = value
        if verb == "get" and not isinstance(value, int):
            return f"a transaction listed {key!r}, and got {'nothing' if value is None else value} for it (phantom)"
    return ""


def _beside(operation: Operation, history: History) -> list[Operation]:
    """Return what was changed at the same time; if nothing was, what was changed last before."""
    changes = [
        one
        for one in history
        if one.verb == "transaction" and any(step[0] in ("add", "put") for step in one.answer or ())
    ]
    together = [one for one in changes if one.call < operation.end and one.end > operation.call and one != operation]
    return together[:_BESIDE] or [one for one in changes if one.call < operation.call][-_BESIDE:]


def _broken(why: str, checker: str, *witness: Operation) -> Verdict:
    return Verdict("not linearizable", why, tuple(sorted(witness, key=lambda one: one.call)), checker=checker)
