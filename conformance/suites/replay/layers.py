"""What is remembered is the same whoever reads it, and wherever it was set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.replay.records import AGAIN, value_for
from conformance.suites.replay.everywhere import lives_the_same, reads_the_same, saves_anew

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("LAYERS-BASIC-01",)


@check(
    "LAYERS-REPLAY-01",
    sources="RUN-31, MEM-21; mutant layers_hidden_by_the_clock",
    promise="durability:clean-close",
    needs=(*_NEEDS, "LAYERS-REOPEN-01"),
)
def test_everybody_reads_the_same_entries(trial: Trial) -> None:
    """Entries of every layer and scope are read the same each time and by everybody: whatever his settings and clock.

    Why: an agent is asked on one machine today, and on another one tomorrow. What it remembers depends on neither.

    The processes differ in PYTHONHASHSEED, TZ, LANG, the working directory and the seed of `random`; and the wall clock
    is wrong by years, steps back, or stands still.

    Breaks it:

        path = directory / f"{hash((scope, layer, key)):x}"    # another one in each process
    """
    reads_the_same(trial)


@check("LAYERS-REPLAY-02", sources="RUN-31; mutant layers_in_the_encoding_of_the_locale", needs=_NEEDS)
def test_the_same_calls_make_the_same_entries(trial: Trial) -> None:
    """What is set and deleted in the same way leaves the same entries in every empty store, in whatever process.

    Why: a memory is filled by a script where it is tested, and by users where it runs. Both must come to the same.

    Breaks it:

        def set(self, key, value):
            self._file(key).write_text(json.dumps(value, ensure_ascii=False))    # in the encoding of the locale
    """
    lives_the_same(trial)


@check("LAYERS-REPLAY-03", sources="MEM-13, MEM-22; mutant layers_gc_leaves_outputs", needs=_NEEDS)
def test_a_deleted_entry_does_not_come_back(trial: Trial) -> None:
    """A key that was deleted, or cleared with all others, and is set again has what was set then, and nothing else.

    Why: who was forgotten at his own wish must not be remembered when he comes back.

    Breaks it:

        def set(self, key, value):
            self._append(key, value)                   # `get` joins all parts of a key; those of before are there
    """
    offers = (trial.backend.values,)
    old, new = value_for(offers, "casual"), value_for(offers, "formal")

    def clear(store: Handle) -> None:
        store.set(AGAIN, old)
        store.delete(AGAIN)
        store.set(AGAIN, new)
        store.set("other", old)
        store.clear()
        store.set(AGAIN, new)

    saves_anew(trial, clear, {AGAIN: new})
