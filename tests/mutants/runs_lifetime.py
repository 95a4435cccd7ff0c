"""Run stores that lose runs when they are closed, hide them from others, or mix those of two places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant


class InMemory(PlainRuns):
    """Answers from memory, and writes at each save; a base for what goes wrong with that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: dict[str, Run] = {run["id"]: run for run in super().list_runs()}

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        self.kept[run_id] = self.decode(self.encode(run))

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.kept.pop(run_id, None)

    def find(self, run_id: str) -> Any:
        found = self.kept.get(run_id)
        return found and self.decode(self.encode(found))

    def list_runs(self) -> Any:
        return [self.find(run_id) for run_id in self.kept]


class WritesNewRunsOnly(InMemory):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.old = set(self.kept)

    def put(self, run_id: str, run: Run) -> None:
        self.kept[run_id] = self.decode(self.encode(run))

    def close(self) -> None:
        for run_id, run in self.kept.items():
            if run_id not in self.old:
                PlainRuns.put(self, run_id, run)
        super().close()


class WritesAtClose(InMemory):
    """Writes all when it is closed; what is saved later is kept back for ever."""

    def put(self, run_id: str, run: Run) -> None:
        self.kept[run_id] = self.decode(self.encode(run))

    def save_run(self, run: Run, token: int | None = None) -> None:
        self.put(run["id"], run)

    def close(self) -> None:
        for run_id, run in self.kept.items():
            PlainRuns.put(self, run_id, run)
        super().close()


class WritesAll(InMemory):
    """Writes all the runs that it knows at each save, and drops the others."""

    def put(self, run_id: str, run: Run) -> None:
        self.rows("DELETE FROM runs")
        for old_id, old in self.kept.items():
            PlainRuns.put(self, old_id, old)
        super().put(run_id, run)


_HERE: dict[str, dict[str, str]] = {}


class InTheModule(PlainRuns):
    """Found again by this process alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.texts = _HERE.setdefault(str(path), {})

    def put(self, run_id: str, run: Run) -> None:
        self.texts[run_id] = self.encode(run)

    def find(self, run_id: str) -> Any:
        self.key(run_id)
        return self.decode(self.texts[run_id]) if run_id in self.texts else None

    def list_runs(self) -> Any:
        return [self.find(run_id) for run_id in self.texts]


class ClosesOnce(PlainRuns):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise ValueError("closed already")
        self.closed = True
        super().close()


class LooksEmptyClosed(InMemory):
    def close(self) -> None:
        self.kept.clear()
        super().close()


class SaysMissingClosed(PlainRuns):
    closed = False

    def get_run(self, run_id: str) -> Any:
        if self.closed:
            raise KeyError(run_id)
        return super().get_run(run_id)

    def close(self) -> None:
        self.closed = True
        super().close()


_EVERYWHERE: dict[str, str] = {}


class OneForAll(PlainRuns):
    """Keeps what was saved last of each id in a class, and looks there first when the file has none."""

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        if run["id"] in ("run-1", "run-2"):
            _EVERYWHERE[run_id] = self.encode(run)

    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id)
        elsewhere = _EVERYWHERE.get(run_id)
        return self.decode(elsewhere) if elsewhere and len(super().list_runs()) == 0 else found


MUTANTS = [
    runs_mutant("writes_new_runs_only", "the close writes runs that are new", "REOPEN-01", WritesNewRunsOnly),
    runs_mutant("writes_at_close", "nothing is written before the close", "SHARED-03 CLOSE-02", WritesAtClose),
    runs_mutant("reads_at_opening", "what others save is never seen", "SHARED-01 SHARED-02 LIST-05", InMemory),
    runs_mutant("writes_all", "each handle writes all that it knows, and no more", "SHARED-02", WritesAll),
    runs_mutant("in_the_module", "runs live in the memory of the process", "REOPEN-02 SHARED-03", InTheModule),
    runs_mutant("closes_once", "the second close raises", "CLOSE-01", ClosesOnce),
    runs_mutant("looks_empty_closed", "a closed store has no runs", "CLOSE-03", LooksEmptyClosed),
    runs_mutant("says_missing_closed", "a closed store says that a run is missing", "CLOSE-03", SaysMissingClosed),
    runs_mutant(
        "one_for_all", "a place without runs shows those of another", "ISOLATE-01", OneForAll, sharing="single"
    ),
]
