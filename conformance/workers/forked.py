"""Doing one thing after the other with a store in a child that a worker forks; the child may die, or hang.

One child does many, because a fork, and what a new process has to warm up, cost as much as ten openings of a store and
more. But what a store leaves open adds up, so a child is replaced in the end.
"""

from __future__ import annotations

import gc
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any, Literal, NoReturn

from conformance.hosting import Hosted
from conformance.workers.worker import Bay

#: A store that has not been opened, read, written and reopened after so long hangs. Quick ones take a millisecond; one
#: that starts a server of its own takes half a second, and the server of a busy machine may take many.
HANG_S, HOSTED_HANG_S = 10.0, 30.0
#: Things after which a child is replaced when it holds more open than after its first ones, and in any case.
_SOME, _MOST = 100, 1000
#: Answers that a child tells at once, at most.
_TOLD = 8

#: What is done with one thing.
Do = Callable[[Bay, Any], Any]


@dataclass(frozen=True)
class Ended:
    """What became of a child that gave no answer.

    Args:
        how: It died, or it hung and was killed.
        detail: How it died, or how long nothing was heard of it.
    """

    how: Literal["died", "hung"]
    detail: str


@dataclass(frozen=True)
class _Failed:
    """That what a child does with a store has failed itself: nothing is known of the store.

    Args:
        text: The traceback.
    """

    text: str


def hangs_after(bay: Bay) -> float:
    """Return the seconds after which a store counts as hanging."""
    return HOSTED_HANG_S if isinstance(getattr(bay.backend, bay.contract), Hosted) else HANG_S


def each(bay: Bay, do: Do, things: Sequence[Any], hang_s: float | None = None) -> list[Any]:
    """Return what `do(bay, thing)` gives for each, in a forked child; `Ended` where the child dies or hangs.

    One child does many; where it dies or hangs, that thing is tried again in a fresh one, and what happens then is the
    answer: no thing must be blamed for what an earlier one left in the process. After one that hangs the rest is left
    out, since each may take as long: the list is shorter then.

    Raises:
        RuntimeError: `do` raised. It takes what a store raises for an answer, so this is its own.
    """
    hang_s = hangs_after(bay) if hang_s is None else hang_s
    found: list[Any] = []
    while len(found) < len(things):
        child = _child(bay, do)
        found += child.told(things[len(found) :][:_SOME], hang_s)[0]
        if not child.line.closed:
            continue
        # It died, or hung, at the next thing.
        found.append(alone(bay, do, things[len(found)], hang_s))
        if isinstance(found[-1], Ended) and found[-1].how == "hung":
            break
    return found


def alone(bay: Bay, do: Do, thing: Any, hang_s: float | None = None) -> Any:
    """Do one thing in a child that does nothing else; raises as `each` does."""
    child = Forked(bay, do)
    found, ended = child.told([thing], hangs_after(bay) if hang_s is None else hang_s)
    child.close()
    return found[0] if found else ended


class Forked:
    """A forked child, which is given up when it dies or hangs."""

    def __init__(self, bay: Bay, do: Do) -> None:
        self.used = 0
        self.held = 0
        self.line, there = Pipe()
        self._shelf = bay.shelf
        self.process = os.fork()
        if self.process == 0:
            self.line.close()
            _serve(bay, do, there)
        there.close()

    def told(self, things: Sequence[Any], hang_s: float) -> tuple[list[Any], Ended | None]:
        """Return what came, and what to say of the thing at which the child died or hung, when not all came."""
        self.used += len(things)
        found: list[Any] = []
        hung = False
        try:
            self.line.send_bytes(self._shelf.dumps(things))
            while len(found) < len(things) and not hung:
                if self.line.poll(hang_s):
                    found += self._shelf.loads(self.line.recv_bytes())
                    failed = next((one for one in found if isinstance(one, _Failed)), None)
                    if failed is not None:
                        os.kill(self.process, signal.SIGKILL)  # it may have more to tell
                        self.close()
                        raise RuntimeError(failed.text)
                    self.held = self.held or self._holds()
                else:
                    hung = True
        except (EOFError, OSError):  # it is dead
            pass
        if len(found) == len(things):
            return found, None
        if hung:
            os.kill(self.process, signal.SIGKILL)
        code = self.close()
        if hung:
            return found, Ended("hung", f"no answer within {hang_s:.0f} s")
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
        return found, Ended("died", f"the process {how}")

    @property
    def worn(self) -> bool:
        """Whether a new child is better: this one is gone, or holds more and more open, or has done very much."""
        if self.line.closed or self.used >= _MOST:
            return True
        return self.used >= _SOME and not 0 < self._holds() <= self.held

    def _holds(self) -> int:
        """Return how many files and threads the child has; 0 where nobody tells."""
        try:
            return sum(len(os.listdir(f"/proc/{self.process}/{what}")) for what in ("fd", "task"))
        except OSError:
            return 0

    def close(self) -> int:
        """Let the child go, and return its exit code; a second call returns 0."""
        if self.line.closed:
            return 0
        self.line.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def _child(bay: Bay, do: Do) -> Forked:
    old: Forked | None = bay.kept.get(do)
    if old is not None and not old.worn:
        return old
    if old is not None:
        old.close()
    bay.kept[do] = new = Forked(bay, do)
    return new


def _serve(bay: Bay, do: Do, requests: Connection) -> NoReturn:
    gc.disable()
    gc.freeze()  # what the worker had is not looked through again
    try:
        while True:
            told: list[Any] = []
            since = time.monotonic()
            for thing in bay.shelf.loads(requests.recv_bytes()):
                told.append(_done(do, bay, thing))
                # Not one by one: to wake the worker costs as much as a quick store takes.
                if len(told) == _TOLD or time.monotonic() - since > HANG_S / 100:
                    requests.send_bytes(_dumped(bay, told))
                    told, since = [], time.monotonic()
            if told:
                requests.send_bytes(_dumped(bay, told))
            gc.collect()  # what a store left open in a cycle
    except (EOFError, OSError):  # the worker has enough, or is gone
        pass
    finally:
        os._exit(0)


def _dumped(bay: Bay, told: list[Any]) -> bytes:
    """Return answers as bytes; what a store gave may be anything, also what can't be sent."""
    try:
        return bay.shelf.dumps(told)
    except Exception:  # noqa: BLE001 - told to the other side
        return bay.shelf.dumps([_Failed(traceback.format_exc())])


def _done(do: Do, bay: Bay, thing: Any) -> Any:
    """Return what `do` gives. An exception must not end the child, which would be held against the store."""
    try:
        return do(bay, thing)
    except Exception:  # noqa: BLE001 - told to the other side
        return _Failed(traceback.format_exc())
    except BaseException as error:  # noqa: BLE001 - whoever expects exceptions does not catch it: the process ends
        return Ended("died", f"the process was ended by {type(error).__name__}: {error}")
