"""Every check can fail: each kills a mutant; every honest and odd store passes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.check import DIFFERENTIAL, catalogue
from conformance.profile import probe
from reference_backends import memory
from tests.benches import LONG_ENOUGH, bench
from tests.mutants.base import Mutant
from tests.mutants.registry import mutants

CASES = [pytest.param(mutant, code, id=f"{mutant.name}-{code}") for mutant in mutants() for code in mutant.killed_by]


#: Each crash state of a server takes a third of a second, and some are looked at in any case.
FEW_CRASHES = replace(LONG_ENOUGH, crash_seconds=4.0)


@pytest.mark.parametrize(("mutant", "code"), CASES)
def test_check_kills_its_mutant(mutant: Mutant, code: str, tmp_path: Path) -> None:
    """The check named by the mutant fails on it, at the lowest effort; races get time."""
    effort = LONG_ENOUGH if mutant.backend.server is None else FEW_CRASHES
    one = bench(mutant.backend, tmp_path, effort=effort)
    if catalogue()[code].suite == DIFFERENTIAL:
        one.against = probe(memory.backend)
    result = one.judge(catalogue()[code])
    assert result.outcome == ("inconclusive" if code == "BACKEND-OPEN-01" else "fail"), result


def test_every_check_has_a_mutant() -> None:
    """No check is without a mutant that it kills."""
    killers = {code for mutant in mutants() for code in mutant.killed_by}
    assert set(catalogue()) - killers == set()


def test_mutants_have_names_of_their_own() -> None:
    """No two mutants share a name."""
    names = [mutant.name for mutant in mutants()]
    assert len(names) == len(set(names))
