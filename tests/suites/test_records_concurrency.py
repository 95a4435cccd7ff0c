"""The suite `concurrency` on runs and layers: honest stores pass, and saves that are all refused prove nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend, Where
from conformance.check import catalogue
from tests.benches import bench
from tests.mutants.base import Mutant
from tests.mutants.records_concurrency_base import HONEST, ConflictError, FileBox, Runs
from tests.mutants.records_kills import HONEST as BEAR_KILLS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")


@pytest.mark.parametrize("honest", HONEST, ids=lambda mutant: mutant.name)
def test_honest_stores_pass(honest: Mutant, tmp_path: Path) -> None:
    """A store under one lock is accused of nothing, and each check that its sharing allows is carried out."""
    contract = "runs" if honest.backend.runs else "layers"
    one = bench(replace(honest.backend, address=f"{__name__}:{honest.name.upper()}"), tmp_path)
    found = [code for code in catalogue() if code.startswith(f"{contract.upper()}-CONC-")]
    codes = [code for code in found if code.partition("CONC-")[2] < "20"]  # without those about tasks, and about kills
    outcomes = {code: one.judge(catalogue()[code]).outcome for code in codes}
    between_processes = {code for code in codes if code.partition("CONC-")[2] > "10"}
    idle = between_processes if honest.backend.sharing == "threads" else set()
    assert {code for code, outcome in outcomes.items() if outcome == "not applicable"} == idle
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()


@pytest.mark.parametrize("honest", BEAR_KILLS, ids=lambda backend: backend.name)
def test_honest_stores_bear_kills(honest: Backend, tmp_path: Path) -> None:
    """A store that replaces its file whole is accused of nothing; one that bears no kill is not asked."""
    contract = "runs" if honest.runs else "layers"
    check = replace(catalogue()[f"{contract.upper()}-CONC-41"], needs=())
    result = bench(replace(honest, address=f"{__name__}:{honest.name.upper()}"), tmp_path).judge(check)
    assert result.outcome == "pass", result
    assert result.evidence["comparisons"] > 0
    weaker = replace(honest, address=f"{__name__}:{honest.name.upper()}", durability="clean-close")
    assert bench(weaker, tmp_path / "weaker").judge(check).outcome == "not applicable"


class Sealed(Runs):
    """Refuses each save with a token."""

    def save_run(self, run: dict[str, Any], token: int | None = None) -> None:
        """Save, unless there is a token."""
        if token is not None:
            raise ConflictError(run["id"])
        super().save_run(run)


def _sealed(where: Where) -> Sealed:
    return Sealed(FileBox(where.path / "store.json"))


SEALED = Backend(
    "records_sealed",
    runs=_sealed,
    durability="clean-close",
    errors={"conflict": ConflictError},
    address=f"{__name__}:SEALED",
)
globals().update({one.name.upper(): one.backend for one in HONEST})
globals().update({one.name.upper(): one for one in BEAR_KILLS})


@pytest.mark.parametrize("code", ["RUNS-CONC-08", "RUNS-CONC-18"])
def test_who_refuses_every_token_is_not_judged(code: str, tmp_path: Path) -> None:
    """Where no save with a token is accepted, none was accepted too many."""
    result = bench(SEALED, tmp_path).judge(catalogue()[code])
    assert (result.outcome, result.reason) == ("inconclusive", "no save with a token was ever accepted")
