"""Counting the calls that a fault may be put on, and putting it on the right one."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Collection

from conformance.crash.fault import SHORT, Fault

#: The marks between which calls are counted.
ARMED, DISARMED = "armed", "disarmed"


class Killed(BaseException):
    """The fault is to kill the process that made the call, before it takes effect."""


class Faults:
    """One fault, and how many calls of each class there were.

    Args:
        fault: None for a disk on which nothing goes wrong.
    """

    def __init__(self, fault: Fault | None) -> None:
        self.fired = 0
        self.counts: Counter[str] = Counter()
        self._fault = fault
        self._armed = False

    def mark(self, text: str) -> None:
        """Begin or end counting, if this mark says so."""
        self._armed = {ARMED: True, DISARMED: False}.get(text, self._armed)

    def meet(self, classes: Collection[str], *, length: int = 0) -> bool:
        """Count a call that is about to be made, and tell whether it is to write only half.

        Args:
            classes: What the call is, in the words of CallClass but for `any`.
            length: How many bytes it writes. One byte has no half, so such a call is not counted as one that can be
                short.

        Raises:
            OSError: The call is to fail, so.
            Killed: The process is to die now.
        """
        if not self._armed:
            return False
        counters = {*classes, "any", *([SHORT] if "write" in classes and length > 1 else ())}
        self.counts.update(counters)
        fault = self._fault
        if fault is None or fault.counter not in counters:
            return False
        count = self.counts[fault.counter]
        if count != fault.number and not (fault.sticky and count > fault.number):
            return False
        self.fired += 1
        if fault.kind == "kill":
            raise Killed
        if fault.kind == "error":
            number = fault.error or errno.EIO
            raise OSError(number, os.strerror(number))
        return True
