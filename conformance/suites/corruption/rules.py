"""The rules of this suite; the checks say what they ask of which contract, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.damage.damage import COMPLETE, DETECTS, Operator
from conformance.damage.judge import NEVER, SILENT, Judged
from conformance.damage.sweep import Broken
from conformance.result import NotApplicable
from conformance.suites.corruption.laboratory import require, require_of_values

if TYPE_CHECKING:
    from conformance.damage.examine import Shown
    from conformance.trial import Trial

FLIPS: tuple[Operator, ...] = ("bit flipped", "byte changed")
CUTS: tuple[Operator, ...] = ("emptied", "cut short")
BLOCKS: tuple[Operator, ...] = ("block zeroed", "blocks swapped", "block written elsewhere", "block written twice")
TAILS: tuple[Operator, ...] = ("junk appended", "zeros appended")
FILES: tuple[Operator, ...] = (
    "file missing",
    "file twice in a row",
    "copy of a file",
    "another file's content",
    "older version of a file",
)
OLD: tuple[Operator, ...] = ("block of an older version",)


def serves_no_damage(trial: Trial, operators: tuple[Operator, ...], name: str = "closed") -> None:
    """Require that what is damaged is noticed, or does no harm."""
    require(trial, operators, _silent, name)


def leaves_strangers_alone(trial: Trial) -> None:
    """Require that a file that is not the store's does no harm, and gets none."""
    require(trial, ("foreign file",), lambda shown: _silent(shown) or _stranger(shown))


def keeps_the_undamaged(trial: Trial) -> None:
    """Require that damage to one record costs no other."""
    require_of_values(trial)


def recovery_keeps_the_undamaged(trial: Trial) -> None:
    """Require the same of a store that was killed, damaged, and only then opened again."""
    require_of_values(trial, "killed")


def neither_dies_nor_hangs(trial: Trial) -> None:
    """Require that no damage ends the process, or holds it up."""
    require(trial, (*DETECTS, *COMPLETE), _never, all_of_it=True)


def tells_what_damage_does(trial: Trial) -> None:
    """Count what becomes of each kind of damage; only where the process dies can nothing be told."""
    found = require(trial, (*DETECTS, *COMPLETE), _never, all_of_it=True)
    for operator in sorted({operator for operator, _ in found.classes}):
        kinds = {kind: count for (other, kind), count in sorted(found.classes.items()) if other == operator}
        trial.conditions[operator] = ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def verify_names_damage(trial: Trial) -> None:
    """Require that `verify()` names what reading notices."""
    require(trial, DETECTS, _unnamed)


def repair_keeps_the_undamaged(trial: Trial) -> None:
    """Require that a repair drops what is damaged and nothing else, and says so."""
    found = require_of_values(trial, repair=True)
    if not found.repairs:
        raise NotApplicable("with one damaged value the store can't be opened: there is nothing to call repair() on")
    trial.count("repairs", found.repairs)


def _silent(shown: Shown) -> Broken | None:
    return Broken(shown.judged.kind, shown.judged) if shown.judged.kind in SILENT else None


def _never(shown: Shown) -> Broken | None:
    return Broken(shown.judged.kind, shown.judged) if shown.judged.kind in NEVER else None


def _unnamed(shown: Shown) -> Broken | None:
    return None if shown.unnamed is None else Broken("`verify()` names nothing", shown.unnamed)


def _stranger(shown: Shown) -> Broken | None:
    judged = Judged("harmless", None, "the foreign file as it was", shown.stranger)
    return Broken("a foreign file is not left as it was", judged) if shown.stranger else None
