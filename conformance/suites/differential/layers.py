"""Two `layers` stores that are asked the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial


@check(
    "DIFF-LAYERS-01",
    level="should",
    sources="McKeeman, Differential Testing for Software (1998)",
    needs=("LAYERS-BASIC-01",),
)
def test_two_layered_stores_answer_the_same(trial: Trial) -> None:
    """The same entries set, got, listed, deleted and cleared on two backends give the same answers.

    Why: whoever moves an agent's memory wants it to remember the same, and to have forgotten the same.

    Breaks it:

        def entries(self):
            return [(key, value) for key, value in self._entries.items() if value]     # 0, "" and False are values too
    """
    from hypothesis.strategies import integers

    from conformance.models.twins import Twins, both_last, common_values, done, or_nothing
    from conformance.random_examples import rule, run_machine
    from conformance.values.strategies import few_keys

    def listed(store: Handle) -> object:
        return sorted((tuple(pair) for pair in store.entries()), key=lambda pair: str(pair[0]))

    any_value, lasting = common_values(trial), both_last(trial)

    class Layers(Twins):
        def __init__(self) -> None:
            super().__init__(trial)
            self.present: set[str] = set()

        @rule(key=few_keys(), value=any_value)
        def put(self, key: str, value: object) -> None:
            self.both(f"setting {key!r}", lambda store: done(store.set(key, value)))
            self.present.add(key)

        @rule(lambda self: self.present, place=integers(0, 20))
        def delete(self, place: int) -> None:
            key = sorted(self.present)[place % len(self.present)]
            self.present.remove(key)
            self.both(f"deleting {key!r}", lambda store: done(store.delete(key)))

        @rule(key=few_keys())
        def look(self, key: str) -> None:
            self.both(f"getting {key!r}", lambda store: or_nothing(store.get(key)))
            self.both("listing", listed)

        @rule()
        def clear(self) -> None:
            self.present.clear()
            self.both("clearing", lambda store: done(store.clear()))

        @rule(lambda _: lasting)
        def reopen(self) -> None:
            self.reopen_both()
            self.both(
                "listing after reopening",
                listed,
            )

    run_machine(trial, Layers)
