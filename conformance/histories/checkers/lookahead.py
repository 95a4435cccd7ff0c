"""Look-ahead: an exact search for an order of the operations of one register, quick where written values are unique.

A search in the way of Wing and Gong with Lowe's memory of what failed, and rules that know what is still to come:

- A value that is written once can't come back: it is not overwritten while somebody must still see it.
- A value that nobody will look at is *dead*, and all dead values are one state.
- An operation that leaves the state as it is is taken at once, without alternative; so is the write of a dead value
  over a dead one, unless a swap that was refused may need just this write.
- A crashed operation is never taken for nothing: not if a blind write follows, nor if nobody can tell the difference.
- A write is tried first when its value begins to be needed, and a delete as late as it can be; both earlier only if
  that fails.

Sources: Wing & Gong, J. Parallel Distrib. Comput. 1993; Lowe, Testing for Linearizability, 2017; the linked list of
events is Porcupine's. The memory holds sums of random numbers of 96 bits instead of sets (Zobrist, 1970).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from conformance.histories.checkers.steps import BLIND, DEAD, READ, REFUSED, SWAP, Problem, events_of, problem_of
from conformance.histories.operation import NEVER, Operation
from conformance.histories.verdict import Verdict

NAME = "look-ahead"


def check_lookahead(operations: Sequence[Operation], initial: Any = None, budget: int = 200_000) -> Verdict:
    """Return whether the history of one key is linearizable.

    Args:
        operations: Gets, puts, deletes and swaps, all of one key. Values need not be unique.
        initial: What it held at the start.
        budget: How many states may be remembered; the answer is `unknown` where they don't suffice.
    """
    useful = _useful(operations)
    key = operations[0].key if operations else None
    found = _search(problem_of(useful, initial), budget)
    if found is None:
        return Verdict("unknown", f"the search was given up after {budget:,} states", key=key, checker=NAME)
    if not found:
        return Verdict("not linearizable", "no order explains all that was answered", key=key, checker=NAME)
    return Verdict("linearizable", checker=NAME)


def _useful(operations: Sequence[Operation]) -> list[Operation]:
    """Return the operations without those that did nothing, or may be left out because nobody can tell."""
    left = [one for one in operations if one.outcome != "fail" and (one.verb != "get" or one.outcome == "ok")]
    if any(one.verb == "cas" and one.outcome == "ok" and not one.answer for one in left):
        return left  # who was refused may have been so because of a value that nobody saw
    while True:
        looked_at = {one.answer if one.verb == "get" else one.expected for one in left if one.verb in ("get", "cas")}
        kept = [one for one in left if one.outcome == "ok" or one.value in looked_at]
        if len(kept) == len(left):
            return kept
        left = kept


def _search(problem: Problem, budget: int) -> bool | None:
    """Return whether there is a legal order; None if the budget ends first."""
    once, safe = problem.once, problem.safe
    kinds, looks, writes, calls = problem.kinds, problem.sees, problem.leaves, problem.calls
    crashed = [end == NEVER for end in problem.ends]
    must = [int(kind in (READ, SWAP)) for kind in kinds]
    refused = [int(kind == REFUSED) for kind in kinds]
    refusals = sum(refused)
    # Of each value, how many operations to come look at it, and how many of them must see it.
    watch = [0] * len(once)
    need = [0] * len(once)
    for value, sure in zip(looks, must, strict=True):
        watch[value] += 1
        need[value] += sure
    # The events still to come are a linked list. 0 is its head.
    events = events_of(problem)
    times, reach = events.times, events.reach
    size = len(events.who)
    after = [*range(1, size + 2), 0]
    before = [0, *range(size + 1)]
    called = [-1, *events.who, -1]
    returns = [0] * len(kinds)
    for event, operation in enumerate(events.who, 1):
        if operation < 0:
            returns[-1 - operation] = event
    left = size - len(kinds)
    random = Random(0)
    bits = [random.getrandbits(96) for _ in kinds]
    salts = [random.getrandbits(96) for _ in once]
    salt_bare = random.getrandbits(96)
    seen: set[int] = set()
    stack: list[tuple[int, int, int, bool, bool, int]] = []
    state = problem.initial if watch[problem.initial] else DEAD
    done = 0  # the sum of the bits of what was taken
    bare = False  # whether a crashed operation was taken last
    event = after[0]
    gate = 0  # the first end, once it has been passed; those that were called before it are still to be tried
    while left:
        operation = called[event]
        free = False  # whether there is no need for an alternative
        if operation < 0 and not gate:
            gate = event
        tried = gate and event >= reach[gate] and (operation < 0 or event > reach[gate])
        if gate and not tried and (operation < 0 or calls[operation] > times[gate]):
            event = after[event]
            continue
        if not tried:
            kind = kinds[operation]
            sees = looks[operation]
            becomes = state
            if kind == READ:
                possible = free = sees == state
            elif kind == REFUSED:
                possible = free = sees != state
            elif kind == BLIND:
                becomes = writes[operation]
                possible = not (bare or (need[state] and once[state]))
                if possible and not watch[becomes]:
                    if crashed[operation]:
                        possible = refusals > 0 and state != DEAD
                    else:
                        free = state == DEAD and (safe[operation] or not refusals)
            else:
                becomes = writes[operation]
                possible = sees == state and not (need[state] > must[operation] and once[state])
            if possible:
                watch[sees] -= 1
                if not watch[becomes]:
                    becomes = DEAD
                sum_ = done ^ bits[operation]
                now_bare = crashed[operation]
                key = sum_ ^ salts[becomes] ^ (salt_bare if now_bare else 0)
                if key not in seen:
                    seen.add(key)
                    if len(seen) > budget:
                        return None
                    stack.append((event, state, done, bare, free, gate))
                    need[sees] -= must[operation]
                    refusals -= refused[operation]
                    state, done, bare = becomes, sum_, now_bare
                    for one in (event, returns[operation]):
                        if one:
                            after[before[one]] = after[one]
                            before[after[one]] = before[one]
                    left -= not crashed[operation]
                    event = after[0]
                    gate = 0
                    continue
                watch[sees] += 1
            if not free:
                event = after[event]
                continue
        # Nothing more can be taken here: take back the last choice.
        while True:
            if not stack:
                return False
            event, state, done, bare, free, gate = stack.pop()
            operation = called[event]
            sees = looks[operation]
            watch[sees] += 1
            need[sees] += must[operation]
            refusals += refused[operation]
            for one in (returns[operation], event):
                if one:
                    after[before[one]] = one
                    before[after[one]] = one
            left += not crashed[operation]
            if not free:
                break
        event = after[event]
    return True
