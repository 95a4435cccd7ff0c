"""A team of processes, each with a handle of its own on one store.

Real processes on real cores: nothing decides here who runs when. What helps is many rounds, and stores of some age;
pauses at the C calls of the store's code, drawn from a seed, hold the window of a race open.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from conformance.histories.operation import NEVER, Operation

#: Modules whose functions are calls of the system, whoever calls them.
_SYSTEM = ("posix", "nt", "_io", "fcntl", "msvcrt", "mmap", "_socket")
#: Functions of the system that change nothing. A lock goes with its process, so that taking one counts for nothing.
_LOCKS = ("flock", "lockf")
_LOOKS = ("fileno", "fstat", "listdir", "lseek", "lstat", "pread", "read", "readall", "readinto", "scandir", "stat")
_KIT = str(Path(__file__).parents[2]) + os.sep


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

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process

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

    def wait_dead(self, limit_s: float) -> None:
        """Return when it is dead; what it answers before is dropped.

        Raises:
            MemberError: It lives on.
        """
        with suppress(EOFError, OSError):
            while self._line.poll(limit_s):
                self._line.recv()
            raise MemberError(f"a process that should be dead lives on after {limit_s:.0f} s")

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
        self._state = state
        self.members = [Member(state) for _ in range(size)]

    def ask_all(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], limit_s: float) -> list[Any]:
        """Ask every member, each with arguments of its own, and return the answers in their order.

        Raises:
            MemberError: One has none to give.
        """
        for member, own in zip(self.members, arguments, strict=True):
            member.tell(function, *own)
        return [member.answer(limit_s) for member in self.members]

    def replace(self, number: int) -> Member:
        """Return a new member, with the state from the start, in the place of another one, which is killed."""
        self.members[number].close()
        self.members[number] = Member(self._state)
        return self.members[number]

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


def calls_in(function: Callable[[], Any], belongs: Callable[[str], bool]) -> int:
    """Call a function, and return how many calls it made in this thread at which `kill_at_call` could kill."""
    calls = 0

    def profile(frame: Any, event: str, called: Any) -> None:
        nonlocal calls
        calls += event == "c_call" and _leaves(frame.f_code.co_filename, called, belongs)

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


def kill_at_call(call: int, processes: Sequence[int], belongs: Callable[[str], bool]) -> None:
    """Have processes killed when this thread is about to ask the system for something, or a library in C.

    Args:
        call: Which of these calls, counted from 1.
        processes: In the order in which they are killed; one's own comes last.
        belongs: Tells whether the file of a piece of code is that of a store.
    """
    left = call

    def profile(frame: Any, event: str, called: Any) -> None:
        nonlocal left
        if event == "c_call" and _leaves(frame.f_code.co_filename, called, belongs):
            left -= 1
            if not left:
                kill(processes)

    sys.setprofile(profile)


def _leaves(file: str, called: Any, belongs: Callable[[str], bool]) -> bool:
    """Tell whether a call from a file may leave traces that others see; what computes or looks leaves none."""
    owner = getattr(called, "__self__", None)
    module = called.__module__ if owner is None or isinstance(owner, ModuleType) else type(owner).__module__
    if module == "builtins" or called.__name__ in (*_LOCKS, *_LOOKS) or file.startswith(_KIT):
        return False
    return module in _SYSTEM or belongs(file)


def kill(processes: Sequence[int]) -> None:
    """Kill processes, without any chance to do something about it."""
    for process in processes:
        os.kill(process, signal.SIGKILL)


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
