"""The backends that installed distributions register, by name."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points

from conformance.address import AddressError

ENTRY_POINT_GROUP = "conformance.backends"
#: The name under which the kit is installed.
DISTRIBUTION = "pytest-backend-conformance"


def named_backends(wanted: Collection[str] | None = None) -> dict[str, str]:
    """Return the addresses that are registered under the entry point group `conformance.backends`, by name.

    A distribution that registers a name which the kit ships has its own store meant by it.

    Args:
        wanted: The names that are about to be used; None for all. What is registered twice hinders nobody else.

    Raises:
        AddressError: Two distributions register a wanted name for different addresses.
    """
    shipped: dict[str, str] = {}
    found: dict[str, str] = {}
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (point.name, point.value)):
        if point.dist is not None and point.dist.name == DISTRIBUTION:
            shipped[point.name] = point.value
        elif found.setdefault(point.name, point.value) != point.value and (wanted is None or point.name in wanted):
            raise AddressError(
                f"backend {point.name!r} is registered twice under the entry point group {ENTRY_POINT_GROUP!r}: as "
                f"{found[point.name]} and as {point.value}. Uninstall one of the two, or give the address itself."
            )
    return {**shipped, **found}
