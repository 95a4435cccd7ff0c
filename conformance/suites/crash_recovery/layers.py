"""Process kills and the `layers` contract: what was remembered in one layer is not lost by a change in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import (
    recovers_from_a_crash_of_the_recovery,
    survives_a_kill,
    survives_real_kills_at_calls,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LAYERS-BASIC-01", "LAYERS-REOPEN-01")
_PROMISE = "durability:process-crash"


@check(
    "LAYERS-CRASH-01",
    sources="MEM-14; KV-40, KV-41; mutants records_rewritten_in_place, records_in_one_file_in_place",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_entries_of_layers_survive_a_kill(trial: Trial) -> None:
    """Every acknowledged set and delete survives a kill at any system call, in its layer and its scope, and no other.

    Why: what an agent knows of its users is written for years, one entry at a time. One half-written file with all
    layers in it takes the policy with the notes of a minute ago.

    Breaks it:

        with open(self._path, "w") as file:            # killed here, every layer of every scope is gone
            json.dump(self._layers, file)
    """
    survives_a_kill(trial, "sets and deletes")


@check(
    "LAYERS-CRASH-02",
    sources="MEM-14, MEM-22; mutant layers_cleared_then_rewritten",
    promise=_PROMISE,
    needs=(*_NEEDS, "LAYERS-CLEAR-01"),
)
def test_clears_survive_a_kill(trial: Trial) -> None:
    """A kill during `clear` leaves some of what is cleared, each entry whole, and takes nothing else.

    Why: the working memory is cleared after each task. That must never be the moment at which the profile is lost.

    Breaks it:

        self._path.unlink()
        self._write([entry for entry in entries if entry.layer != layer])      # killed in between: all layers are gone
    """
    survives_a_kill(trial, "clears")


@check(
    "LAYERS-CRASH-33",
    sources="KV-45; RocksDB CrashDuringRecovery",
    promise=_PROMISE,
    needs=(*_NEEDS, "LAYERS-CRASH-01"),
)
def test_a_crash_of_the_recovery_takes_no_entry(trial: Trial) -> None:
    """When the machine crashes again while a layered store recovers, the next recovery still finds every entry.

    Why: a supervisor starts the agent again at once, and what killed it is often still there.

    Breaks it:

        os.replace(self._path, self._damaged)          # crashed here, the next recovery finds no memory
        self._save(salvaged)
    """
    recovers_from_a_crash_of_the_recovery(trial, "closing and reopening")


@check("LAYERS-CRASH-41", sources="MEM-14; KV-40, KV-41", promise=_PROMISE, needs=(*_NEEDS, "LAYERS-CRASH-01"))
def test_real_kills_take_no_entry(trial: Trial) -> None:
    """A process that is really killed at a system call leaves every acknowledged entry to the process after it.

    Why: this one works nothing out, it kills. So it finds as well what the disk is no part of: locks that stay behind,
    shared memory, other processes.

    Breaks it:

        os.open(lock, os.O_CREAT | os.O_EXCL)          # a lock file that a killed process leaves for ever
    """
    survives_real_kills_at_calls(trial, "closing and reopening")
