"""Which version of the kit, and of a backend, is installed."""

from __future__ import annotations

import hashlib
import importlib.util
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version
from pathlib import Path

from conformance.registered import DISTRIBUTION, ENTRY_POINT_GROUP


def kit_version() -> str:
    """Return the version of the installed kit."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from a source tree
        return "unknown"


def backend_version(address: str) -> str:
    """Return the version of the code at the address of a backend.

    That of the distribution that registers the address or has the module, as `name 1.2.3`; else the digest of the file,
    as `sha256:...`; empty when there is neither.
    """
    module = address.rpartition(":")[0]
    if module.endswith((".py", ".toml")):
        return _digest(Path(module))
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.value == address and point.dist is not None:
            return f"{point.dist.name} {point.dist.version}"
    for distribution in packages_distributions().get(module.partition(".")[0], ()):
        return f"{distribution} {version(distribution)}"
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    return _digest(Path(found.origin)) if found is not None and found.origin else ""


def _digest(path: Path) -> str:
    try:
        return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError:
        return ""
