"""The log of the `redis` backend: positions, pages, compaction, damage."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from conformance import Where
from reference_backends.redis import ConflictError, CorruptRecord, Damage, RedisLog, Report, log_programs, open_log


def test_positions_are_consecutive_from_1(log: RedisLog) -> None:
    """Single events and batches share one sequence."""
    assert (log.head, log.first, list(log.read())) == (0, 1, [])
    assert log.append("a") == 1
    assert log.append_batch(["b", "c"]) == [2, 3]
    assert log.append_batch([]) == []
    assert log.append("d", expected=3) == 4
    assert list(log.read()) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    log.flush()


def test_a_batch_with_a_bad_event_takes_no_position(log: RedisLog) -> None:
    """All or none."""
    with pytest.raises(TypeError):
        log.append_batch(["a", object()])
    assert (log.head, log.append("b")) == (0, 1)


@pytest.mark.parametrize("expected", [0, 2, True, 1.0, "1", -1, 2**70])
def test_another_head_is_a_conflict(log: RedisLog, expected: Any) -> None:
    """Nothing is appended, and the message says what to do."""
    log.append("a")
    with pytest.raises(ConflictError, match=r"The head is 1, not .* decide again"):
        log.append("b", expected=expected)
    assert list(log.read()) == [(1, "a")]


def test_a_window_is_cut_at_the_ends(log: RedisLog) -> None:
    """A read is of what was there at the call."""
    log.append_batch(list("abcd"))
    assert list(log.read(2, 4)) == [(2, "b"), (3, "c")]
    assert list(log.read(-5, 2)) == [(1, "a")]
    assert list(log.read(4, 2**70)) == [(4, "d")]
    for empty in ((3, 3), (3, 1), (5, None), (2**70, None)):
        assert list(log.read(*empty)) == []
    reading = log.read()
    log.append("e")
    assert [position for position, _ in reading] == [1, 2, 3, 4]
    bad: list[Any] = [True, 1.0, "1", None]
    for start in bad:
        with pytest.raises(TypeError):
            log.read(start)


def test_a_read_is_in_pages(log: RedisLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends when it has enough bytes; one event is always enough."""
    monkeypatch.setattr(log_programs, "PAGE_BYTES", 200)
    events = ["x" * (number % 50 * 10) for number in range(200)]
    log.append_batch(events)
    assert list(log.read()) == list(enumerate(events, 1))
    assert log.verify() == Report(200, ())


def test_compaction_keeps_positions(where: Where, log: RedisLog) -> None:
    """Also when nothing is left, and in another handle."""
    log.append_batch(list("abc"))
    assert log.latest_checkpoint() is None
    log.checkpoint({"n": 10**5000}, upto=2)
    log.compact(1)
    assert (log.first, log.head, list(log.read())) == (2, 3, [(2, "b"), (3, "c")])
    log.checkpoint("all", upto=3)
    log.compact(3)
    with closing(open_log(where)) as other:
        assert (other.first, other.head, list(other.read())) == (4, 3, [])
        assert other.latest_checkpoint() == ("all", 3)
        assert other.verify() == Report(0, ())
        assert other.append("d", expected=3) == 4
        other.compact(1)
        assert list(other.read(1)) == [(4, "d")]


def test_what_would_lose_events_is_refused(log: RedisLog) -> None:
    """A checkpoint ahead of the head or behind the gap, and a compaction beyond the checkpoint."""
    log.append_batch(list("abc"))
    with pytest.raises(ValueError, match="possible from 0 to 3, not at 4"):
        log.checkpoint("x", upto=4)
    with pytest.raises(ValueError, match="latest checkpoint is at 0"):
        log.compact(1)
    log.checkpoint("ab", upto=2)
    with pytest.raises(ValueError, match="latest checkpoint is at 2"):
        log.compact(3)
    log.compact(2)
    with pytest.raises(ValueError, match="possible from 2 to 3, not at 1"):
        log.checkpoint("a", upto=1)
    for verb in (lambda: log.checkpoint("x", upto=True), lambda: log.compact(2.0)):  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            verb()
    assert (log.latest_checkpoint(), log.first) == (("ab", 2), 3)


def test_a_read_that_compaction_overtakes_says_so(log: RedisLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not leave out events without a word."""
    monkeypatch.setattr(log_programs, "PAGE_BYTES", 1)
    log.append_batch(list("abc"))
    reading = log.read()
    assert next(reading) == (1, "a")
    log.checkpoint("abc", upto=3)
    log.compact(2)
    with pytest.raises(LookupError, match="Event 2 was compacted away"):
        next(reading)


def test_damage_is_found_where_it_is(where: Where, log: RedisLog, raw: Any) -> None:
    """The intact events before it are read; verify goes on behind it."""
    log.append_batch(list("abcde"))
    log.checkpoint("ab", upto=2)
    key = f"{{{where.namespace}}}:log:events"
    raw.xdel(key, "3-0", "5-0")
    reading = log.read()
    assert [next(reading), next(reading)] == [(1, "a"), (2, "b")]
    with pytest.raises(CorruptRecord, match="event 3: is lost"):
        next(reading)
    assert list(log.read(4, 5)) == [(4, "d")]
    with pytest.raises(CorruptRecord, match="event 5: is lost"):
        list(log.read(5))
    raw.hset(f"{{{where.namespace}}}:log:summary", "upto", "1")
    assert log.verify() == Report(
        3,
        (
            Damage("events from 3 to 3", "are lost"),
            Damage("events from 5 to 5", "are lost"),
            Damage("checkpoint", "is lost, or has another digest"),
        ),
    )
    for verb in (log.latest_checkpoint, lambda: log.compact(1)):
        with pytest.raises(CorruptRecord):
            verb()


def test_a_changed_event_is_noticed(where: Where, log: RedisLog, raw: Any) -> None:
    """By the digest of its record."""
    key = f"{{{where.namespace}}}:log:events"
    log.append("a")
    ((_, fields),) = raw.xrange(key)
    raw.delete(key)
    raw.xadd(key, {"event": fields[b"event"].replace(b'"a"', b'"b"')}, id="1-0")
    with pytest.raises(CorruptRecord, match="event 1: has another digest"):
        list(log.read())
    assert log.verify() == Report(0, (Damage("event 1", "has another digest"),))
