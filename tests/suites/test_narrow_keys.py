"""A store that takes few keys, and else does all that is asked, is told so by the checks of keys and by no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from conformance.check import catalogue
from reference_backends.sqlite import SqliteState
from tests.benches import bench


class Narrow(MutableMapping[str, Any]):
    """Takes keys that could stand in an address, as LangChain's LocalFileStore does."""

    def __init__(self, where: Where) -> None:
        self.kept = SqliteState(where.path / "store.sqlite")
        self.close = self.kept.close

    def __getitem__(self, key: str) -> Any:
        return self.kept[self.checked(key)]

    def __setitem__(self, key: str, value: Any) -> None:
        self.kept[self.checked(key)] = value

    def __delitem__(self, key: str) -> None:
        del self.kept[self.checked(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def checked(self, key: str) -> str:
        """Return a key that is taken."""
        if type(key) is not str or not re.fullmatch(r"[a-zA-Z0-9_.\-/]{1,250}", key):
            raise ValueError(f"{key!r} is no key here")
        return key


backend = Backend("narrow keys", state=Narrow, address=f"{__name__}:backend")

#: Rules of others than keys, in which keys with blanks and the like once stood.
OF_OTHERS = (
    "STATE-DELETE-01",
    "STATE-DELETE-02",
    "STATE-DELETE-04",
    "STATE-FAIL-03",
    "STATE-REOPEN-01",
    "STATE-VALUE-03",
    "STATE-WRITE-03",
)


def test_few_keys_are_no_other_failure(tmp_path: Path) -> None:
    """What is not about keys uses plain ones, so that it says something of such a store, and nothing wrong."""
    one = bench(backend, tmp_path)
    results = {code: one.judge(catalogue()[code]) for code in (*OF_OTHERS, "STATE-KEY-01")}
    assert {code for code, result in results.items() if result.outcome != "pass"} == {"STATE-KEY-01"}
