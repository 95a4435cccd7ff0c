"""The machine that figures were measured on, and whether those of two machines may be compared."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What must be the same for times to be comparable, and how it is called in a sentence. Not the clock rate, which
#: changes by the second.
_SAME = {
    "cpu_count": "number of cores",
    "cpu": "processor",
    "architecture": "architecture",
    "system": "operating system",
    "filesystem": "file system",
    "implementation": "Python implementation",
    "python": "Python version",
}
#: Parts of a version that tell two of them apart: a release that mends bugs changes no times.
_MINOR = 2
#: File systems that lie in memory, where a sync costs nothing.
IN_MEMORY = ("tmpfs", "ramfs")


def fingerprint(folder: Path) -> dict[str, Any]:
    """Return what is known of the machine, and of the file system below `folder`.

    Returns:
        Plain data: `cpu_count`, `cpu`, `architecture`, `system`, `release`, `implementation`, `python`, `filesystem`,
        and `load`, the processes that wanted a core in the last minute. A text is empty where it can't be told.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "cpu_count": cores,
        "cpu": _processor(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "implementation": platform.python_implementation(),
        "python": platform.python_version(),
        "filesystem": _filesystem(folder),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0,
    }


def comparable(machine_a: Mapping[str, Any], machine_b: Mapping[str, Any]) -> str:
    """Return why times of two machines can't be compared, as a sentence; empty where they can.

    Args:
        machine_a: As `fingerprint` returns it; the `machine` of a record with benchmarks has all of it.
        machine_b: The other one.
    """
    parts = []
    for name, label in _SAME.items():
        one, other = (_known(name, machine.get(name)) for machine in (machine_a, machine_b))
        if not one or not other:
            parts.append(f"the {label} of {'both' if not one and not other else 'one'} is not known")
        elif one != other:
            parts.append(f"another {label} ({one} and {other})")
    return f"not comparable: {', '.join(parts)}" if parts else ""


def _known(name: str, value: Any) -> str:
    text = str(value or "")
    return ".".join(text.split(".")[:_MINOR]) if name == "python" else text


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "Hardware") and value.strip():
                return " ".join(value.split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _filesystem(folder: Path) -> str:
    """Return the type of the file system, by the longest mount point above; proc(5), mountinfo."""
    there, found = str(folder.resolve()), ("", "")
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or not kinds:
            continue
        point = fields[4].encode().decode("unicode_escape")  # a blank is written \040
        if (there == point or there.startswith(point.rstrip("/") + "/")) and len(point) >= len(found[0]):
            found = (point, kinds[0])
    return found[1]
