"""The just-in-time check: all configurations that are possible at each return, advanced no further than it needs.

A configuration is the state and what became of the pending operations. Memory does not grow with the history; time
grows with the number of pending operations. What is left out here without loss:

- A legal operation that only observes is placed at once.
- Crashed operations stay pending for ever; those that are the same are interchangeable. A configuration that used more
  of them than another is dropped.
- A blind write that nobody sees is not placed: it is covered by any blind write that is placed while it is pending, and
  may return. A configuration that has fewer covered than another is dropped.

Sources: Lowe, Testing for linearizability, 2017 (just-in-time linearization); Knossos (`linear`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from conformance.histories.checkers.wgl import moments_of, stuck_at
from conformance.histories.models import Model, only_observes, relevant
from conformance.histories.operation import Operation
from conformance.histories.verdict import Verdict

NAME = "jit"
#: The state; the bits of what is placed and neither crashed nor is a blind write; and what is spent: the first bits of
#: crashed operations and blind writes that are placed, the second bits of blind writes that are not covered yet.
_Configuration = tuple[Any, int, int]
#: Bits of which the first that is free is placed, the state after it, whether it is a blind write, whether it is spent.
_Move = tuple[tuple[int, ...], Any, bool, bool]


def check_jit(operations: Sequence[Operation], model: Model, budget: int) -> Verdict:
    """Return whether the operations of one key can be put in order.

    Args:
        operations: Of one key.
        model: Of the key.
        budget: How many configurations are advanced, in all.
    """
    operations = relevant(operations, model)
    pending = _Pending(model)
    bits: dict[int, int] = {}
    configurations: list[_Configuration] = [(model.initial, 0, 0)]
    left = budget
    for _, returns, index in moments_of(operations):
        operation = operations[index]
        if not returns:
            bits[index] = bit = pending.add(operation)
            if only_observes(operation):
                configurations = [
                    (state, placed | bit if model.step(state, operation)[0] else placed, spent)
                    for state, placed, spent in configurations
                ]
            elif bit & pending.blind_bits:
                configurations = [(state, placed, spent | bit << 1) for state, placed, spent in configurations]
            continue
        bit = bits.pop(index)
        reached = _Reached(bit)
        for state, placed, spent in configurations:
            if bit & pending.blind_bits and not spent & bit << 1:
                reached.add(state, placed, spent | bit, unseen=False)
            reached.add(state, placed, spent, unseen=False)
        left -= _advance(reached, pending, left)
        if left < 0:
            return Verdict("unknown", f"the check ended after {budget:,} configurations", checker=NAME)
        configurations = reached.configurations()
        if not configurations:
            return stuck_at(operation, NAME)
        pending.remove(bit)
    return Verdict("linearizable", checker=NAME)


def _advance(reached: _Reached, pending: _Pending, budget: int) -> int:
    """Place pending operations in every order until the one that returns is placed; return how often one was."""
    count = 0
    for state, placed, spent, unseen in reached.waiting:  # it grows
        for bits, next_state, is_blind, spends in pending.moves(state):
            if unseen and is_blind:
                continue
            taken = spent if spends else placed
            bit = next((bit for bit in bits if not taken & bit), 0)
            if not bit:
                continue
            noticed = pending.observers(next_state) & ~placed
            next_placed = placed | noticed if spends else placed | noticed | bit
            next_spent = spent | bit if spends else spent
            if is_blind:
                next_spent &= ~(pending.blind_bits << 1)
            reached.add(next_state, next_placed, next_spent, unseen=spends and not noticed)
            count += 1
        if count > budget:
            break
    return count


class _Pending:
    """Operations that were called and did not return, each with two bits of its own."""

    def __init__(self, model: Model) -> None:
        #: Of the blind writes that did not crash.
        self.blind_bits = 0
        self._model = model
        self._free: list[int] = []
        self._next_bit = 1
        self._observing: dict[int, Operation] = {}
        self._changing: dict[int, Operation] = {}
        self._crashed: dict[tuple[Hashable, ...], tuple[Operation, list[int]]] = {}
        # Of the states met since the pending operations last changed.
        self._moves: dict[Hashable, list[_Move]] = {}
        self._observers: dict[Hashable, int] = {}

    def add(self, operation: Operation) -> int:
        """Take in an operation that is called, and return the first of its bits."""
        if self._free:
            bit = self._free.pop()
        else:
            bit, self._next_bit = self._next_bit, self._next_bit << 2
        if operation.outcome != "ok":
            effect = (operation.verb, operation.value, operation.expected)
            self._crashed.setdefault(effect, (operation, []))[1].append(bit)
            self._moves.clear()
        elif only_observes(operation):
            self._observing[bit] = operation
            self._observers.clear()
        else:
            self._changing[bit] = operation
            if operation.verb in self._model.blind:
                self.blind_bits |= bit
            self._moves.clear()
        return bit

    def remove(self, bit: int) -> None:
        """Let go of an operation that returned."""
        self._free.append(bit)
        if self._observing.pop(bit, None):
            self._observers.clear()
        else:
            del self._changing[bit]
            self.blind_bits &= ~bit
            self._moves.clear()

    def observers(self, state: Hashable) -> int:
        """Return the bits of the operations that observe exactly this state: each is placed at once."""
        known = self._observers.get(state)
        if known is None:
            step, known = self._model.step, 0
            for bit, operation in self._observing.items():
                if step(state, operation)[0]:
                    known |= bit
            self._observers[state] = known
        return known

    def moves(self, state: Hashable) -> list[_Move]:
        """Return what may be placed in a state."""
        known = self._moves.get(state)
        if known is None:
            step, blind, known = self._model.step, self._model.blind, []
            for bit, operation in self._changing.items():
                legal, next_state = step(state, operation)
                if legal:
                    is_blind = operation.verb in blind
                    known.append(((bit,), next_state, is_blind, is_blind))
            for operation, bits in self._crashed.values():
                _, next_state = step(state, operation)
                is_blind = operation.verb in blind  # it covers others even where it changes nothing
                if is_blind or next_state != state:
                    known.append((tuple(bits), next_state, is_blind, True))
            self._moves[state] = known
        return known


class _Reached:
    """Configurations reached before a return; of those that are alike otherwise, the ones that spent least."""

    def __init__(self, bit: int) -> None:
        #: Those in which the operation that returns is not placed, and whether nobody saw the last that was.
        self.waiting: list[tuple[Any, int, int, bool]] = []
        self._bit = bit
        self._open: dict[tuple[Hashable, int, bool], list[int]] = {}
        self._done: dict[tuple[Hashable, int], list[int]] = {}

    def add(self, state: Any, placed: int, spent: int, *, unseen: bool) -> None:
        """Take in a configuration, unless one that spent no more is there."""
        done = (placed | spent) & self._bit
        if done:
            spent &= ~(self._bit | self._bit << 1)
            least = self._done.setdefault((state, placed & ~self._bit), [])
        else:
            least = self._open.setdefault((state, placed, unseen), [])
        for known in least:
            if known & spent == known:
                return
        if least:
            least[:] = [known for known in least if known & spent != spent]
        least.append(spent)
        if not done:
            self.waiting.append((state, placed, spent, unseen))

    def configurations(self) -> list[_Configuration]:
        """Return those in which the operation that returns is placed, without it."""
        return [(state, placed, spent) for (state, placed), least in self._done.items() for spent in least]
