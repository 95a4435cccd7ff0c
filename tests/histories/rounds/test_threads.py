"""Rounds of threads: what is told of a store that can't be closed behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from conformance.backend import Backend
from conformance.histories.plans.state import registers
from conformance.histories.rounds.threads import in_threads


class Open(dict[str, object]):
    """A store in memory that refuses to be closed, as one may that still holds what a thread began."""

    def close(self) -> None:
        """Refuse."""
        raise RuntimeError("a transaction is open")


@pytest.mark.parametrize("way", ["scheduled", "free"])
def test_closing_that_raises_is_the_stores(way: Literal["scheduled", "free"], tmp_path: Path) -> None:
    """It is told as what came of the round, with what all threads saw; it is no failure of the kit."""
    one = in_threads(
        Backend("open", state=lambda _: Open()), "state", tmp_path / "place", registers(1, 2, 3, 4), 0, way
    )
    assert one.stuck == "closing the store after threads had used it raised RuntimeError: a transaction is open"
    assert one.history
