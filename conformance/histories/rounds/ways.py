"""The ways in which workers meet, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from conformance.histories.rounds.processes import processes
from conformance.histories.rounds.round import Meeting
from conformance.histories.rounds.threads import threads

#: Threads of one process that share a store, or processes with a handle each.
Way = Literal["scheduled", "free", "processes", "paused"]

WAYS: Mapping[Way, Meeting] = {
    "scheduled": partial(threads, "scheduled"),
    "free": partial(threads, "free"),
    "processes": partial(processes, "processes"),
    "paused": partial(processes, "paused"),
}
