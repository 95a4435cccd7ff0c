"""A team of processes, each with a handle of its own on one store.

Real processes on real cores: nothing decides here who runs when. What helps is many rounds, and stores of some age;
pauses at the C calls of the store's code, drawn from a seed, hold the window of a race open.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any, NoReturn

from conformance.histories.operation import NEVER, Operation

_PAUSE_SHARE, _PAUSE_S_MAX = 0.05, 0.001


class MemberError(Exception):
    """A member raised, died, or gave no answer in time; the text says which."""


class Member:
    """A forked process that does what it is asked, one thing after the other.

    Args:
        state: What it has from the start; a function that it is asked gets it first, and may keep things there.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._line, there = Pipe()
        self._process = os.fork()
        if self._process == 0:
            self._line.close()
            _serve(there, dict(state))
        there.close()

    def tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Ask for `function(state, *arguments)`, and do not wait for the answer.

        Raises:
            MemberError: It is dead.
        """
        try:
            self._line.send((function, arguments))
        except OSError as error:
            raise MemberError("a process of the team died") from error

    def answer(self, limit_s: float) -> Any:
        """Return the answer to what was asked last.

        Raises:
            MemberError: There is none.
        """
        if not self._line.poll(limit_s):
            raise MemberError(f"no answer within {limit_s:.0f} s")
        try:
            fine, answer = self._line.recv()
        except (EOFError, OSError) as error:
            raise MemberError("a process of the team died") from error
        if not fine:
            raise MemberError(answer)
        return answer

    def close(self) -> None:
        """Kill it, and return when it is gone."""
        self._line.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


class Team:
    """Members who are asked all at once; close it at the end.

    Args:
        size: How many.
        state: What each has from the start.
    """

    def __init__(self, size: int, state: Mapping[str, Any]) -> None:
        self.members = [Member(state) for _ in range(size)]

    def ask_all(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], limit_s: float) -> list[Any]:
        """Ask every member, each with arguments of its own, and return the answers in their order.

        Raises:
            MemberError: One has none to give.
        """
        for member, own in zip(self.members, arguments, strict=True):
            member.tell(function, *own)
        return [member.answer(limit_s) for member in self.members]

    def close(self) -> None:
        """Kill all of them."""
        for member in self.members:
            member.close()


def _serve(requests: Connection, state: dict[str, Any]) -> NoReturn:
    gc.freeze()
    try:
        while True:
            function, arguments = requests.recv()
            try:
                answer = (True, function(state, *arguments))
            except Exception as error:  # noqa: BLE001 - told to the other side
                answer = (False, f"{type(error).__name__}: {error}")
            requests.send(answer)
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def pause_at_calls(seed: int | None, belongs: Callable[[str], bool]) -> None:
    """Have this thread pause now and then before a C function that chosen code calls; with None, no more.

    Args:
        seed: Of when, and for how long.
        belongs: Tells whether the file of a piece of code is chosen.
    """
    if seed is None:
        sys.setprofile(None)
        return
    draw = random.Random(seed)

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "c_call" and belongs(frame.f_code.co_filename) and draw.random() < _PAUSE_SHARE:
            time.sleep(draw.random() * _PAUSE_S_MAX)

    sys.setprofile(profile)


def ranked(history: Sequence[Operation]) -> list[Operation]:
    """Return a history with ranks for times, calls before returns where the clock says the same of both."""
    events = sorted(
        (time_of, is_end, number)
        for number, operation in enumerate(history)
        for is_end, time_of in enumerate(operation[:2])
        if time_of != NEVER
    )
    ranks = {(number, is_end): rank for rank, (_, is_end, number) in enumerate(events)}
    return sorted(
        (
            operation._replace(call=ranks[number, 0], end=ranks.get((number, 1), NEVER))
            for number, operation in enumerate(history)
        ),
        key=lambda operation: operation.call,
    )
