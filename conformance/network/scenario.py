"""A scenario: a workload, and what goes wrong with the network or the server while it is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from conformance.crash.subjects import Content, Step
from conformance.network.calls import Call
from conformance.network.fault import Fault

Plot = Literal["sound", "slow", "fault", "give up", "refused", "leaks", "killed", "stopped"]

#: Plots that need a server of their own, which is killed or stopped.
OWN_SERVER: tuple[Plot, ...] = ("killed", "stopped")


@dataclass(frozen=True)
class Scenario:
    """What is done, and what goes wrong.

    Args:
        plot: `sound`: nothing goes wrong; `slow`: all replies come slowly; `fault`: one request meets a fault;
            `give up`: the same, and replies that are late come when the client has given up; `refused`: no connection
            is possible for some calls; `leaks`: many faults, one after the other; `killed`, `stopped`: the server is.
        steps: The workload.
        patience_s: Seconds after which a call counts as hanging.
        fault: For the plots that have one; its request is counted from the beginning of the workload, or of `step`.
        step: The place of the step before which it begins.
        times: How many faults there are, for `leaks`.
    """

    plot: Plot
    steps: tuple[Step, ...]
    patience_s: float
    fault: Fault | None = None
    step: int = 0
    times: int = 0


@dataclass(frozen=True)
class Look:
    """What a fresh handle without a proxy found, at some time.

    Args:
        content: What the store holds; None where it could not be read.
        unread: Why it could not.
        frame: Where in the store's own code.
    """

    content: Content = None
    unread: str = ""
    frame: str = ""


@dataclass(frozen=True)
class Played:
    """What came of a scenario.

    Args:
        scenario: Which.
        events: The calls; what went wrong, as sentences; and what was found after calls that raised; in order.
        ended: `well`, or how it did not: a call `hung`, the process `died`, the handle had not worked again after some
            tries (`gave up`), the kit could not carry it out (`failed`), or did not, because others had ended badly
            enough or taken the time (`left out`).
        detail: More on that.
        found: What was found in the end; None where nobody looked.
        fired: How many faults there were.
        requests: How many requests were made.
        held: How many connections were open before the faults, after them, and after closing; empty where not counted.
        frame: Where in the store's own code the latest exception came from.
    """

    scenario: Scenario
    events: tuple[Call | str | Look, ...] = ()
    ended: Literal["well", "hung", "died", "gave up", "failed", "left out"] = "well"
    detail: str = ""
    found: Look | None = None
    fired: int = 0
    requests: int = 0
    held: tuple[int, ...] = ()
    frame: str = ""

    @property
    def calls(self) -> Sequence[Call]:
        """The calls, in order."""
        return [event for event in self.events if isinstance(event, Call)]
