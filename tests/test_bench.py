"""What the trials of one backend share, and its end."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reference_backends import memory
from tests.benches import bench


def test_what_is_kept_ends_with_the_bench(tmp_path: Path) -> None:
    """When it is closed, or when nobody has it any more; it is made once until then."""
    told: list[str] = []

    @contextmanager
    def room() -> Iterator[object]:
        told.append("made")
        yield object()
        told.append("ended")

    one = bench(memory.backend, tmp_path)
    assert one.room("key", room) is one.room("key", room)
    assert told == ["made"]
    one.close()
    one.close()
    assert told == ["made", "ended"]
    one.room("key", room)
    del one
    gc.collect()
    assert told == ["made", "ended", "made", "ended"]
