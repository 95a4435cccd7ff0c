"""Processes that engines have do things with a store: a crew of workers, each of which forks and never opens one."""

from __future__ import annotations

from conformance.workers.crew import Crew
from conformance.workers.nursery import WorkerError
from conformance.workers.worker import Bay

__all__ = ["Bay", "Crew", "WorkerError"]
