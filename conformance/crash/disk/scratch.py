"""Files whose content may not matter, such as lock files and shared memory: who is a candidate, and how to find out.

Whether the content matters is found by experiment: it is replaced in the files as they are after the trace, and if what
the store gives back is the same, the file is scratch. Names are no evidence.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from random import Random
from typing import Literal

from conformance.crash.disk.disk import Disk
from conformance.crash.trace import Sync, Trace, Truncate, Write

#: What takes the place of the content: nothing, as many zeros, or as many random bytes.
Substitute = Literal["empty", "zeros", "garbage"]


def scratch_candidates(trace: Trace) -> frozenset[int]:
    """Return the files that were written or mapped, and that nobody ever asked to be synced."""
    written = {operation.node for operation in trace.operations if isinstance(operation, Write | Truncate)}
    synced = {operation.node for operation in trace.operations if isinstance(operation, Sync)}
    return frozenset((written | trace.mapped) - synced)


def substituted(disk: Disk, kept: frozenset[int], nodes: AbstractSet[int], how: Substitute) -> dict[str, bytes | None]:
    """Return the files that the atoms `kept` make, with other content in those of `nodes`; the same at each call."""
    tree = disk.tree(kept)
    for path, node in disk.paths(kept).items():
        content = tree[path]
        if node in nodes and content is not None:
            tree[path] = _other(content, how)
    return tree


def _other(content: bytes, how: Substitute) -> bytes:
    match how:
        case "empty":
            return b""
        case "zeros":
            return bytes(len(content))
        case "garbage":
            return Random(len(content)).randbytes(len(content))
