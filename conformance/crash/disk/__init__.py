"""Disk models: what a crash may leave of what was asked of a disk.

A `Disk` is a trace under one of `MODELS`. It cuts the operations into atoms, which reach the disk whole or not at all,
knows which of them the syncs made durable, and gives legal crash states, each as a set of atoms and as files.
"""

from __future__ import annotations

from conformance.crash.disk.atoms import Atom
from conformance.crash.disk.describe import names_of
from conformance.crash.disk.disk import CrashState, Disk
from conformance.crash.disk.model import MODELS, DiskModel
from conformance.crash.disk.scratch import Substitute, scratch_candidates, substituted

__all__ = [
    "MODELS",
    "Atom",
    "CrashState",
    "Disk",
    "DiskModel",
    "Substitute",
    "names_of",
    "scratch_candidates",
    "substituted",
]
