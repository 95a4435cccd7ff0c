"""The values of workloads: each tells where it comes from, and sizes are those at which stores change their ways."""

from __future__ import annotations

from typing import Any

#: Bytes of a value: inside a sector, inside a page, above one page.
SIZES = (25, 705, 5_005)
#: Above the pages of any usual B-tree, its overflow threshold, and the buffers that files are copied with.
LARGE = (20_000, 70_000, 140_000)


def value_of(key: str, number: int, size: int, domain: str) -> Any:
    """Return a value of about `size` bytes that no other key and number has."""
    mark = f"{key}.{number}."
    text = mark + (f"<{number}{key}>" * (size // 4 + 1))[: max(0, size - len(mark))]
    return text.encode() if domain == "bytes" else text
