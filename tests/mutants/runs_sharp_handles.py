"""Run stores that are right but for one moment, or one kind of handle: mutants that one area of checks sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reference_backends._records import check_record
from tests.mutants.runs_base import PlainRuns, Run, runs_mutant

#: Outputs by number, of this process.
_OUTPUTS: list[str] = []


class PacksOutputs(PlainRuns):
    """Packs the file when it is closed: a number for each output, in a table that no other process has."""

    closed = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS packed (id BLOB PRIMARY KEY, output INTEGER)")

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            for run in PlainRuns.list_runs(self):
                if isinstance(run.get("output"), str):
                    _OUTPUTS.append(run["output"])
                    self.put(run["id"], {**run, "output": None})
                    self.rows("INSERT INTO packed VALUES (?, ?)", self.key(run["id"]), len(_OUTPUTS) - 1)
        super().close()

    def put(self, run_id: str, run: Run) -> None:
        self.rows("DELETE FROM packed WHERE id = ?", self.key(run_id))
        super().put(run_id, run)

    def find(self, run_id: str) -> Any:
        run = super().find(run_id)
        rows = self.rows("SELECT output FROM packed WHERE id = ?", self.key(run_id)) if run else []
        return {**run, "output": dict(enumerate(_OUTPUTS)).get(rows[0][0])} if rows else run

    def list_runs(self) -> Any:
        return [self.find(run["id"]) for run in super().list_runs()]


class SavesIntoNothing(PlainRuns):
    """Takes what comes after the close into its queue, which nobody empties any more."""

    closed = False

    def save_run(self, run: Run, token: int | None = None) -> None:
        if self.closed:
            check_record(run, "run")
        else:
            super().save_run(run, token)

    def close(self) -> None:
        self.closed = True
        super().close()


#: Where the file of a name is that was opened first, and how often it is open.
_FILES: dict[str, tuple[Path, int]] = {}


class OneFileOfAName(PlainRuns):
    """Has a pool of open files by their names, and not by their paths."""

    closed = False

    def __init__(self, path: Path) -> None:
        first, count = _FILES.get(path.name, (path, 0))
        if not first.exists():
            first, count = path, 0
        super().__init__(first)
        _FILES[path.name] = first, count + 1

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            first, count = _FILES.pop(self.path.name)
            if count > 1:
                _FILES[self.path.name] = first, count - 1
        super().close()


class ReaderListsOnce(PlainRuns):
    """Keeps its listing until it writes, as if nobody else did."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.listed: list[str] | None = None
        self.writes = False

    def put(self, run_id: str, run: Run) -> None:
        self.writes = True
        super().put(run_id, run)

    def drop(self, run_id: str) -> None:
        self.writes = True
        super().drop(run_id)

    def list_runs(self) -> Any:
        if self.writes or self.listed is None:
            self.listed = [self.encode(run) for run in super().list_runs()]
        return [self.decode(text) for text in self.listed]


class ReadsItsOwnSave(PlainRuns):
    """Shows a run as this handle has saved it, as long as there is one; a token or an event ends that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: dict[str, str] = {}

    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(run, token)
        self.mine.pop(run["id"], None)
        if token is None:
            self.mine[run["id"]] = self.encode(run)

    def append_event(self, run_id: str, event: Any) -> None:
        super().append_event(run_id, event)
        self.mine.pop(run_id, None)

    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.mine.pop(run_id, None)

    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id)
        return self.decode(self.mine[run_id]) if found and run_id in self.mine else found


#: The handle that was opened first, and how many there are, for each file that is open.
_OPEN: dict[Path, tuple[PlainRuns, int]] = {}


class CommitsAtTheClose(PlainRuns):
    """Shares one connection among the handles of a process, which sees what was never committed; commits at the end."""

    closed = False

    def __init__(self, path: Path) -> None:
        first, count = _OPEN.get(path, (self, 0))
        if first is self:
            super().__init__(path)
            self.rows("BEGIN")
        self.path, self.threads, self.database = path, first.threads, first.database
        _OPEN[path] = first, count + 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self.threads:
            self.rows("SAVEPOINT step")
            try:
                yield
            except BaseException:
                self.rows("ROLLBACK TO step")
                raise
            finally:
                self.rows("RELEASE step")

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            first, count = _OPEN.pop(self.path)
            if count > 1:
                _OPEN[self.path] = first, count - 1
            else:
                self.rows("COMMIT")
                super().close()


MUTANTS = [
    runs_mutant("packs_outputs", "packed outputs are of the process that closed", "REOPEN-02", PacksOutputs),
    runs_mutant("saves_into_nothing", "a save after the close is lost", "CLOSE-02", SavesIntoNothing),
    runs_mutant("one_file_of_a_name", "two places that are open at once are one", "ISOLATE-01", OneFileOfAName),
    runs_mutant("reader_lists_once", "who only reads lists what it listed first", "SHARED-01", ReaderListsOnce),
    runs_mutant("reads_its_own_save", "a handle reads its own last save", "SHARED-02", ReadsItsOwnSave),
    runs_mutant(
        "commits_at_the_close",
        "another process sees nothing before the close",
        "SHARED-03",
        CommitsAtTheClose,
        durability="clean-close",
    ),
]
