"""What the tests of servers share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no server named, and no way left out, by the environment that the tests run in."""
    for name in ("CONFORMANCE_REDIS_URL", "CONFORMANCE_POSTGRES_URL", "CONFORMANCE_SERVERS"):
        monkeypatch.delenv(name, raising=False)
