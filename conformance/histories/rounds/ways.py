"""The ways in which workers meet, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from conformance.histories.rounds.handles import handles
from conformance.histories.rounds.killed import killed
from conformance.histories.rounds.openers import openers
from conformance.histories.rounds.processes import processes
from conformance.histories.rounds.round import Meeting
from conformance.histories.rounds.stopped import stopped
from conformance.histories.rounds.tasks import tasks
from conformance.histories.rounds.threads import threads

#: Threads of one process that share a store, or processes with a handle each.
Way = Literal[
    "scheduled",
    "free",
    "processes",
    "paused",
    "killed",
    "all killed",
    "handles",
    "openers",
    "opener stopped",
    "stopped",
    "holder killed",
    "tasks",
    "cancelled",
]

WAYS: Mapping[Way, Meeting] = {
    "scheduled": partial(threads, "scheduled"),
    "free": partial(threads, "free"),
    "processes": partial(processes, "processes"),
    "paused": partial(processes, "paused"),
    "killed": partial(killed, "killed"),
    "all killed": partial(killed, "all killed"),
    "handles": handles,
    "openers": openers,
    "opener stopped": partial(stopped, "opener stopped"),
    "stopped": partial(stopped, "stopped"),
    "holder killed": partial(stopped, "holder killed"),
    "tasks": partial(tasks, "tasks"),
    "cancelled": partial(tasks, "cancelled"),
}
