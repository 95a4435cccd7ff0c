"""Power loss, a full disk and the `layers` contract."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.faults import survives_errors
from conformance.suites.crash_recovery.rules import keeps_an_earlier_state, keeps_what_was_acknowledged

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LAYERS-BASIC-01", "LAYERS-REOPEN-01")
_WORKLOAD = "sets and deletes"


@check(
    "LAYERS-CRASH-11",
    sources="MEM-14; ALICE, OSDI 2014; mutant records_not_synced",
    promise="durability:prefix",
    needs=_NEEDS,
)
def test_power_loss_leaves_an_earlier_state_of_layers(trial: Trial) -> None:
    """Power loss leaves the layers of every scope in a state that was: nothing torn, nothing mixed.

    Why: what is not synced the disk writes when it likes. A policy that comes back without its newest ban, beside notes
    that were written under it, is a state in which nobody ever allowed anything.

    Breaks it:

        temporary.write_text(json.dumps(layer))        # not synced
        os.replace(temporary, path)                    # the name may reach the disk before the bytes
    """
    keeps_an_earlier_state(trial, _WORKLOAD)


@check(
    "LAYERS-CRASH-21",
    sources="MEM-14; ALICE, OSDI 2014; mutant records_name_not_synced",
    promise="durability:power-loss",
    needs=(*_NEEDS, "LAYERS-CRASH-11"),
)
def test_acknowledged_entries_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged set and delete is there after power loss: nothing is forgotten, and nothing comes back.

    Why: what a user asked to forget must stay forgotten, also when the machine went down right after.

    Breaks it:

        os.fsync(file.fileno())
        os.replace(temporary, path)                    # no sync of the directory: the old layer may come back
    """
    keeps_what_was_acknowledged(trial, _WORKLOAD)


@check(
    "LAYERS-CRASH-53",
    sources="KV-50; mutants records_rewritten_in_place, records_full_disk_ignored",
    promise="durability:process-crash",
    needs=_NEEDS,
)
def test_a_full_disk_takes_no_entry(trial: Trial) -> None:
    """When the disk is full, sets raise and the old entries stay; when there is room again, the store works.

    Why: an agent that may write its memory fills the disk some day. It must not forget who it works for then.

    Breaks it:

        with open(self._path, "w") as file:            # the old entries are gone
            json.dump(self._layers, file)              # no space left on device
    """
    survives_errors(trial, "closing and reopening", "write", errno.ENOSPC)
