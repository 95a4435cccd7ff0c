"""The check of a key-value history: key by key, each by the algorithm that suits it.

Where written values are unique hardly any search is needed. Elsewhere two searches take turns, as either may take for
ever where the other is quick; and so do the keys, so that a hard one does not hide an easy violation in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.histories.checkers.jit import check_jit
from conformance.histories.checkers.unique import check_unique, values_are_unique
from conformance.histories.checkers.wgl import check_wgl
from conformance.histories.models import MODELS, REGISTER, Model
from conformance.histories.operation import History, Operation, by_key
from conformance.histories.verdict import Verdict

#: Entries that a search may take on one key: about 400 MB.
BUDGET = 2_000_000
#: Entries of the first turn, beyond a few for each operation, and how many times longer each turn is than the last.
_FIRST_TURN, _EACH_OPERATION, _GROWTH = 500, 5, 8

_Check = Callable[[Sequence[Operation], Model, int], Verdict]


def check_register(history: History, *, model: str = "register", budget: int = BUDGET) -> Verdict:
    """Return whether a history is linearizable: whether each of its keys is.

    Args:
        history: Gets, puts, deletes and cas, or what else the model has.
        model: The name of one of `conformance.histories.models.MODELS`.
        budget: How many entries a search may take on one key.

    Raises:
        ValueError: There is no such model, or it does not know an operation.
    """
    if model not in MODELS:
        raise ValueError(f"unknown model {model!r}; known: {', '.join(MODELS)}")
    MODELS[model].refuse_strangers(history)
    keys = [_Key(key, operations, MODELS[model]) for key, operations in by_key(history).items()]
    used: dict[str, None] = {}
    unknown: list[tuple[_Key, Verdict]] = []
    for turn in _turns(budget):
        unknown = []
        for one in keys:
            verdict = one.judged(min(turn + _EACH_OPERATION * len(one.operations), budget))
            if verdict.broken:
                return verdict
            if verdict.holds:
                used[verdict.checker] = None
            else:
                unknown.append((one, verdict))
        keys = [one for one, _ in unknown]
        if not keys:
            break
    return unknown[0][1] if unknown else Verdict("linearizable", checker=", ".join(used))


@dataclass(frozen=True)
class _Key:
    key: Any
    operations: Sequence[Operation]
    model: Model

    def judged(self, budget: int) -> Verdict:
        """Return the verdict of the first check that has one, or `unknown` where none has."""
        is_unique = self.model is REGISTER and values_are_unique(self.operations)
        checks: Sequence[_Check] = (_check_unique, check_wgl, check_jit) if is_unique else (check_wgl, check_jit)
        verdicts = (check(self.operations, self.model, budget) for check in checks)
        unknown = Verdict("unknown", f"each search ended after {budget:,} entries", checker="wgl, jit")
        return replace(next((one for one in verdicts if one.answer != "unknown"), unknown), key=self.key)


def _check_unique(operations: Sequence[Operation], model: Model, budget: int) -> Verdict:
    return check_unique(operations, model.initial, budget)


def _turns(budget: int) -> Iterator[int]:
    turn = _FIRST_TURN
    while turn < budget:
        yield turn
        turn *= _GROWTH
    yield budget
