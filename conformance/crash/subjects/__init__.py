"""What the engine must know of a contract: how a step is carried out, what a store holds, and what a step makes of it.

A *content* is what a store holds, as JSON-like data: so it travels between processes, and can be compared exactly. A
*step* is one call of a workload, as data too: so it can be shortened, shown and written into a case.
"""

from __future__ import annotations

from conformance.crash.subjects.jobs import JOBS
from conformance.crash.subjects.layers import LAYERS
from conformance.crash.subjects.log import LOG
from conformance.crash.subjects.runs import RUNS
from conformance.crash.subjects.state import STATE
from conformance.crash.subjects.subject import Content, Step, Subject, canonical
from conformance.crash.subjects.vectors import VECTORS

#: The subject of each contract.
SUBJECTS = {"state": STATE, "log": LOG, "runs": RUNS, "jobs": JOBS, "layers": LAYERS, "vectors": VECTORS}

__all__ = ["JOBS", "LAYERS", "LOG", "RUNS", "STATE", "SUBJECTS", "VECTORS", "Content", "Step", "Subject", "canonical"]
