"""A process stops itself at a C call of the store's code, rings a bell, and waits to be woken, or killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from conformance.frames import is_of_store
from conformance.histories.drivers.processes import Member, MemberError
from conformance.histories.operation import NEVER, Operation
from conformance.histories.plans.plan import Ask
from conformance.histories.rounds.round import LIMIT_S
from conformance.histories.rounds.visits import Visit, ask, leave

#: What is done when it stops.
Moment = Literal["opening", "asking"]

#: Seconds between two attempts to wake who is stopped.
_WAKE_S = 0.01


def rung(bell: Connection) -> Visit | None:
    """Return what came of the handle of who stopped, so far; None if it came to its end before.

    Raises:
        MemberError: It does neither.
    """
    if not bell.poll(LIMIT_S):
        raise MemberError(f"no answer within {LIMIT_S:.0f} s")
    left: Visit | None = bell.recv()
    return left


def go_on(member: Member, bell: Connection) -> None:
    """Wake a member; more than once, if it rang, but has not stopped yet.

    Raises:
        MemberError: It does not wake.
    """
    for _ in range(int(LIMIT_S / _WAKE_S)):
        os.kill(member.pid, signal.SIGCONT)
        if bell.poll(_WAKE_S):
            bell.recv()
            return
    raise MemberError(f"no answer within {LIMIT_S:.0f} s")


# What a member of a team is asked; see `visits`.


def stops(
    state: dict[str, Any], folder: Path, asks: Sequence[Ask], times: int, moment: Moment, at: int
) -> tuple[int, Visit]:
    """Open, ask and close as in a visit, but stop at a C call of the store's code; return how many there were.

    Args:
        state: Has the bell beside what a visit needs.
        folder: Of the store.
        asks: What is asked.
        times: How often a number is repeated in a value.
        moment: When the calls are counted.
        at: At which of them it stops.
    """
    begun, counted = time.monotonic_ns(), 0
    now: Moment | None = "opening"

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal counted
        if now == moment and event == "c_call" and is_of_store(frame.f_code.co_filename):
            counted += 1
            if counted == at:
                done = state["client"].history if now == "asking" else []
                # A thread of the store's own may be at work before the first call, between two, or after the last.
                under_way = [_pending(one, begun) for one in asks[len(done) :][:1] if now == "asking"]
                state["bell"].send(Visit([*done, *under_way]))
                signal.raise_signal(signal.SIGSTOP)
                state["bell"].send(None)

    threading.setprofile(profile)  # for the loop of an async store, in a thread that its opening starts
    sys.setprofile(profile)
    try:
        visit = ask(state, folder, 0, (), times)
        now = "asking"
        if not visit.refused:
            visit = ask(state, folder, 0, asks, times)
    finally:
        now = None  # threads of the store's own may go on, and keep the function
        sys.setprofile(None)
        threading.setprofile(None)
        if counted < at:
            state["bell"].send(None)
    leave(state)
    return max(1, counted), visit


def _pending(asked: Ask, begun: int) -> Operation:
    """Return a call of which nobody knows what came; when it was called nobody knows either, but not before all."""
    return Operation(begun, NEVER, 0, asked.verb, asked.key, asked.number or None, outcome="info")
