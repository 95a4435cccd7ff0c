"""Crashes and the `vectors` contract: records and index agree, whatever a kill or a loss of power comes between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import (
    keeps_an_earlier_state,
    keeps_what_was_acknowledged,
    survives_a_kill,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("VECTORS-BASIC-01", "VECTORS-REOPEN-01")
_WORKLOAD = "additions and deletes"


@check(
    "VECTORS-CRASH-01",
    sources="VEC-25; KV-40, KV-41; mutants vectors_index_after_records, vectors_index_before_records",
    promise="durability:process-crash",
    needs=_NEEDS,
)
def test_records_and_index_agree_after_a_kill(trial: Trial) -> None:
    """After a kill at any system call every acknowledged record is got and found, and no search finds another.

    Why: records and index are two things that are written one after the other. A kill in between leaves a record that
    no search meets, or an id without a record; neither is noticed, and both stay.

    Breaks it:

        self._write_records(records)
        self._write_index(index)           # killed before this, the index knows nothing of the new ones, for ever
    """
    survives_a_kill(trial, _WORKLOAD)


@check(
    "VECTORS-CRASH-11",
    sources="VEC-25; ALICE, OSDI 2014; mutant vectors_index_not_synced",
    promise="durability:prefix",
    needs=_NEEDS,
)
def test_records_and_index_agree_after_power_loss(trial: Trial) -> None:
    """Power loss leaves the records of an earlier moment and the index of the same one: nothing torn, nothing mixed.

    Why: of two files the disk writes one first, and which of them is not for the store to say, unless it syncs.

    Breaks it:

        faiss.write_index(self._index, temporary)      # not synced
        os.replace(temporary, path)                    # the name may reach the disk before the bytes
    """
    keeps_an_earlier_state(trial, _WORKLOAD)


@check(
    "VECTORS-CRASH-21",
    sources="VEC-25; ALICE, OSDI 2014; mutant vectors_name_not_synced",
    promise="durability:power-loss",
    needs=(*_NEEDS, "VECTORS-CRASH-11"),
)
def test_acknowledged_records_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged addition and delete is there after power loss.

    Why: what was embedded is not embedded again, since a list says that it was done. What was withdrawn must not come
    back.

    Breaks it:

        os.fsync(file.fileno())
        os.replace(temporary, path)        # no sync of the directory: the old file may come back
    """
    keeps_what_was_acknowledged(trial, _WORKLOAD)
