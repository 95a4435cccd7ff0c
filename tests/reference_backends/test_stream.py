"""The `state-stream` backend: a state that follows its log, and can be asked for as it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.memory import MemoryLog
from reference_backends.stream import ConflictError, CorruptLog, StreamState, backend, open_state
from tests.benches import judge_all


class Overtaken(MemoryLog):
    """A log to which others append just before an append that expects a head.

    Args:
        others: The events that they append, each once.
    """

    def __init__(self, others: list[Any]) -> None:
        super().__init__()
        self.others = others

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append, after another's event where one is due."""
        if expected is not None and self.others:
            super().append(self.others.pop(0))
        return super().append(event, expected)


def test_round_trip(tmp_path: Path) -> None:
    """The store keeps every rule of the suite."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()
    assert outcomes["STATE-HIST-11"] == "pass"


def test_the_state_after_each_event() -> None:
    """`at(n)` is the state as it was after event n, from the empty one to the present."""
    store = StreamState(MemoryLog())
    states: list[dict[str, Any]] = [{}]
    store["a"] = 1
    states.append(dict(store))
    store["b"] = [1]
    states.append(dict(store))
    store["a"] = 2
    states.append(dict(store))
    del store["b"]
    states.append(dict(store))
    assert [store.at(position) for position in range(5)] == states
    assert (store.head, states[-1]) == (4, {"a": 2})
    for wrong in (-1, 5, True):
        with pytest.raises(ValueError, match=f"position={wrong} is not between 0 and the head, 4"):
            store.at(wrong)


def test_another_handle_is_followed(tmp_path: Path) -> None:
    """What another handle appends is folded before the next answer, whatever is asked."""
    with closing(open_state(Where(tmp_path))) as one, closing(open_state(Where(tmp_path))) as other:
        one["a"] = 1
        assert (other["a"], "a" in other, len(other), other.version("a")) == (1, True, 1, 1)
        other["a"] = 2
        assert (one.versions("a"), one.get_version("a", 1), one["a"]) == ([2, 1], 1, 2)
        assert other.pop("a") == 2
        assert (list(one), one.versions("a", limit=1), one.version("a")) == ([], [2], None)


@pytest.mark.parametrize(
    ("verb", "outcome", "state"),
    [
        (lambda store: store.compare_and_set("a", "mine", 1), 3, {"a": "mine", "b": "another's"}),
        (lambda store: store.pop("a"), "old", {"b": "another's"}),
        (lambda store: store.setdefault("c", "mine"), "mine", {"a": "old", "b": "another's", "c": "mine"}),
    ],
)
def test_an_event_about_another_key_is_no_conflict(
    verb: Callable[[StreamState], Any], outcome: Any, state: dict[str, Any]
) -> None:
    """A conditional change that met another head is tried again, if the head moved for another key."""
    store = StreamState(Overtaken([{"set": "b", "value": "another's"}]))
    store["a"] = "old"
    assert verb(store) == outcome
    assert dict(store) == state


def test_an_event_about_the_same_key_is_one() -> None:
    """A conditional change that somebody else came before is refused, or takes over what the other did."""
    log = Overtaken([{"set": "a", "value": "another's"}] * 2)
    store = StreamState(log)
    with pytest.raises(ConflictError, match="is 1, not None"):
        store.compare_and_set("a", "mine", None)
    assert store.pop("a") == "another's"
    log.others = [{"set": "a", "value": "another's"}]
    assert store.setdefault("a", "mine") == "another's"
    assert store.pop("b", None) is None


def test_texts_of_the_log() -> None:
    """The events are plain: a program that reads the log can fold them itself."""
    log = MemoryLog()
    store = StreamState(log)
    store["a"] = {"n": 1}
    del store["a"]
    assert list(log.read()) == [(1, {"set": "a", "value": {"n": 1}}), (2, {"delete": "a"})]


def test_a_damaged_event_is_passed_over_by_nobody(tmp_path: Path) -> None:
    """A state whose log has a damaged event answers nothing, the second time neither."""
    with closing(open_state(Where(tmp_path))) as store:
        store["a"], store["b"], store["c"] = "first", "second", "third"
    (segment,) = [one for one in (tmp_path / "stream").iterdir() if b"second" in one.read_bytes()]
    segment.write_bytes(segment.read_bytes().replace(b"second", b"sEcond"))
    with closing(open_state(Where(tmp_path))) as store:
        for _ in range(2):
            with pytest.raises(CorruptLog):
                dict(store)
        assert store.at(1) == {"a": "first"}
