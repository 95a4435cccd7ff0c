"""Two `state` stores that are asked the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial


@check(
    "DIFF-STATE-01",
    level="should",
    sources="McKeeman, Differential Testing for Software (1998)",
    needs=("STATE-BASIC-01",),
)
def test_two_states_answer_the_same(trial: Trial) -> None:
    """The same sequence of calls on two backends gets the same answers: values, refusals, what is there and how much.

    Why: whoever moves from one store to the other will make these very calls. Each store may pass by itself, and the
    program still see a difference. Which of the two is wrong the other checks tell; exceptions' types, the order of
    listings and versions are the store's own.

    Breaks it:

        def __setitem__(self, key, value):
            self._documents[key.lower()] = value     # "A" and "a" are two keys in the store that is left behind
    """
    from hypothesis.strategies import booleans, integers

    from conformance.models.twins import DONE, Twins, both_last, both_offer, common_values, swapped
    from conformance.random_examples import rule, run_machine
    from conformance.values.strategies import few_keys, keys

    any_value, lasting = common_values(trial), both_last(trial)
    has_cas, has_transactions = both_offer(trial, "cas"), both_offer(trial, "transactions")

    class States(Twins):
        def __init__(self) -> None:
            super().__init__(trial)
            self.written: set[str] = set()

        @rule(key=few_keys() | keys(), value=any_value)
        def put(self, key: str, value: object) -> None:
            def call(store: Handle) -> object:
                store[key] = value
                return DONE

            self.both(f"writing {key!r}", call)
            self.written.add(key)

        @rule(lambda self: self.written, place=integers(0, 20))
        def delete(self, place: int) -> None:
            key = sorted(self.written)[place % len(self.written)]
            self.written.remove(key)

            def call(store: Handle) -> object:
                del store[key]
                return DONE

            self.both(f"deleting {key!r}", call)

        @rule(key=few_keys())
        def look(self, key: str) -> None:
            self.both(f"reading {key!r}", lambda store: store[key])
            self.both(f"asking for {key!r}", lambda store: key in store)
            self.both("listing", lambda store: sorted(store.keys()))
            self.both("the length", len)

        @rule(lambda _: has_cas, key=few_keys(), value=any_value, as_it_is=booleans())
        def swap(self, key: str, value: object, *, as_it_is: bool) -> None:
            def call(store: Handle) -> object:
                version = store.version(key)
                if not as_it_is and version is None:
                    return None  # no version but None is sure to be wrong in both
                return swapped(store.compare_and_set(key, value, version if as_it_is else None))

            self.both(f"writing {key!r} if nobody else did", call)
            if as_it_is:
                self.written.add(key)

        @rule(lambda _: has_transactions, key=few_keys(), value=any_value, ends_well=booleans())
        def transact(self, key: str, value: object, *, ends_well: bool) -> None:
            class Undone(Exception):
                pass

            def call(store: Handle) -> object:
                try:
                    with store.transaction() as inner:
                        inner[key] = value
                        if not ends_well:
                            raise Undone
                except Undone:
                    return False
                return True

            self.both(f"writing {key!r} in a transaction", call)
            if ends_well:
                self.written.add(key)

        @rule(lambda _: lasting)
        def reopen(self) -> None:
            self.reopen_both()
            self.both("listing after reopening", lambda store: sorted(store.keys()))
            for key in sorted(self.written):
                self.both(f"reading {key!r} after reopening", lambda store, key=key: store[key])  # type: ignore[misc]

    run_machine(trial, States)
