"""What two stores of records are asked: saving, getting, listing, deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis.strategies import integers, sampled_from

from conformance.models.twins import Twins, both_last, both_offer, done, or_nothing
from conformance.random_examples import rule, run_machine
from conformance.values.strategies import json_values

if TYPE_CHECKING:
    from conformance.trial import Trial


def run_records(
    trial: Trial, verbs: tuple[str, str, str, str], made: Callable[[str, int, Any], dict[str, Any]]
) -> None:
    """Ask two stores of records the same, until they part.

    Args:
        trial: Of the check.
        verbs: To save, to get, to list, to delete; the last one is a capability.
        made: Makes a record of its id, a number that grows, and a random value.
    """
    save, get, listing, delete = verbs
    lasting, deletes = both_last(trial), both_offer(trial, delete)
    ids = sampled_from(["a", "b", "aa", "a/b", "A"])

    class Records(Twins):
        def __init__(self) -> None:
            super().__init__(trial)
            self.saved: set[str] = set()
            self.count = 0

        @rule(record_id=ids, value=json_values())
        def save(self, record_id: str, value: object) -> None:
            self.count += 1
            record = made(record_id, self.count, value)
            self.both(f"saving {record_id!r}", lambda store: done(getattr(store, save)(record)))
            self.saved.add(record_id)
            self.look(record_id=record_id)

        @rule(record_id=ids)
        def look(self, record_id: str) -> None:
            self.both(f"getting {record_id!r}", lambda store: or_nothing(getattr(store, get)(record_id)))
            self.both("listing", lambda store: sorted(one["id"] for one in getattr(store, listing)()))

        @rule(lambda self: deletes and self.saved, place=integers(0, 20))
        def delete(self, place: int) -> None:
            record_id = sorted(self.saved)[place % len(self.saved)]
            self.saved.remove(record_id)
            self.both(f"deleting {record_id!r}", lambda store: done(getattr(store, delete)(record_id)))
            self.look(record_id=record_id)

        @rule(lambda _: lasting)
        def reopen(self) -> None:
            self.reopen_both()
            for record_id in sorted(self.saved):
                self.look(record_id=record_id)

    run_machine(trial, Records)
