"""How much a process and a folder hold, asked of the system; None where nobody tells."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def disk_of(folder: Path) -> int:
    """Return how many bytes the files of a folder take up; a hole takes up none."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(path, name))
            except FileNotFoundError:  # a store may tidy up in a thread of its own
                continue
            total += getattr(found, "st_blocks", 0) * 512 or found.st_size
    return total


def memory() -> int | None:
    """Return how many bytes of this process no file backs; None where nobody tells."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    except (OSError, ValueError):
        return None
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int | None:
    """Return how many descriptors this process has; None where nobody tells."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))
        except OSError:
            continue
    return None


def threads() -> int:
    """Return how many threads this process has; where the system does not tell, those that Python knows."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()
