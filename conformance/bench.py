"""A bench: what the trials of one backend share, and the results so far."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from conformance.check import Check
from conformance.effort import Effort
from conformance.profile import Profile
from conformance.result import Result
from conformance.trial import Trial

Room = TypeVar("Room")


@dataclass
class Bench:
    """What the trials of one backend share.

    Args:
        profile: The backend, and what it offers.
        effort: The budget.
        seed: All randomness comes from it.
        root: A directory for places.
        database: A directory where Hypothesis keeps failing examples for the next run; None to keep none.
        results: What has been judged so far, by code; a gate is judged once.
        errors: The exceptions behind failures, by code, for whoever wants to look at their frames.
        disks: Disk models that count besides those that every run judges by: `posix`, `paranoid`.
        case: A saved case, to be met again instead of a search; None to search.
        replay: Meets the case: called in place of the case's check, with its trial.
        progress: Called with a line about long work, while it goes on.
        against: The backend that this one is compared with, call by call; None where there is one alone.
        rooms: What an engine keeps from one check to the next, by a key of its own; closed with the bench.
    """

    profile: Profile
    effort: Effort
    seed: int
    root: Path
    database: Path | None = None
    results: dict[str, Result] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    disks: tuple[str, ...] = ()
    case: Any = None
    replay: Callable[[Trial], None] | None = None
    progress: Callable[[str], None] = lambda _: None
    against: Profile | None = None
    rooms: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lasting = ExitStack()
        # At the latest when nobody has the bench any more, or at exit.
        weakref.finalize(self, self._lasting.close)

    def close(self) -> None:
        """End what engines keep, such as their worker processes; harmless when repeated."""
        self.rooms.clear()
        self._lasting.close()

    def room(self, key: Any, make: Callable[[], AbstractContextManager[Room]]) -> Room:
        """Return what is kept under `key`; it is made, and entered, when it is first asked for.

        Args:
            key: Of whoever asks.
            make: Gives what is kept; it is called at once, or never, and not kept. What it gives must hold neither the
                bench nor a trial: a bench that is kept by what it keeps never ends.
        """
        if key not in self.rooms:
            self.rooms[key] = self._lasting.enter_context(make())
        kept: Room = self.rooms[key]
        return kept

    def trial(self, check: Check) -> Trial:
        """Return a trial of `check`."""
        return Trial(self, check)

    def judge(self, check: Check) -> Result:
        """Carry out `check`, its gates first, and return the result; what was judged before is not repeated."""
        if check.code not in self.results:
            self.results[check.code] = self.trial(check).judge()
        return self.results[check.code]
