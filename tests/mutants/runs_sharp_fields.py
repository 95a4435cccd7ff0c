"""Run stores that are right but for one kind of value, field or object: mutants that one area of checks sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_backends._json import loads
from tests.mutants.runs_base import PlainRuns, Run, runs_mutant


class MigratesUnversioned(PlainRuns):
    """Takes a record without a `schemaVersion` for one of the first version, whose steps had no order."""

    def decode(self, text: str) -> Any:
        run = super().decode(text)
        steps = run.get("steps")
        if "schemaVersion" not in run and isinstance(steps, list) and all(_has_index(step) for step in steps):
            run["steps"] = sorted(steps, key=lambda step: step["index"])
        return run


def _has_index(step: Any) -> bool:
    return isinstance(step, dict) and type(step.get("index")) is int


class DropsIdOfTheDatabase(PlainRuns):
    """Takes out what a document database puts into each document, whoever put it there."""

    def decode(self, text: str) -> Any:
        run = super().decode(text)
        run.pop("_id", None)
        return run


class OutputColumn(PlainRuns):
    """Has a column for the output, in a database that has no booleans."""

    def encode(self, run: Run) -> str:
        output = run.get("output")
        return super().encode({**run, "output": int(output)} if isinstance(output, bool) else run)


class TuplesAreLists(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(_without_tuples(run), token)


def _without_tuples(value: Any) -> Any:
    if type(value) is dict:
        return {key: _without_tuples(inner) for key, inner in value.items()}
    return [_without_tuples(inner) for inner in value] if type(value) in (list, tuple) else value


class TagsOrNone(PlainRuns):
    """Writes `tags or []`."""

    def encode(self, run: Run) -> str:
        metadata = run.get("metadata")
        if isinstance(metadata, dict) and "tags" in metadata:
            run = {**run, "metadata": {**metadata, "tags": metadata["tags"] or []}}
        return super().encode(run)


class Remembers(PlainRuns):
    """Has a cache of what it wrote that is asked while the file is as it was then; a base for what goes wrong so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: dict[str, tuple[str, Any]] = {}

    def text(self, run_id: str) -> str | None:
        """Return what the file has of a run."""
        rows = self.rows("SELECT run FROM runs WHERE id = ?", self.key(run_id))
        return rows[0][0] if rows else None

    def cached(self, run_id: str, text: str) -> Any:
        """Return what is remembered of a run, None when the file has another text by now."""
        then, kept = self.cache.get(run_id, ("", None))
        return kept if then == text else None


class KeepsTheSavedObject(Remembers):
    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(run, token)
        self.cache[run["id"]] = self.encode(run), run

    def find(self, run_id: str) -> Any:
        text = self.text(run_id)
        return text and loads(self.encode(self.cached(run_id, text) or loads(text)))


class GivesOneObject(Remembers):
    """Reads a text once, and gives each reader a copy of the outermost dict."""

    def get_run(self, run_id: str) -> Any:
        text = self.text(run_id)
        if text is None:
            return None
        self.cache[run_id] = text, self.cached(run_id, text) or loads(text)
        return dict(self.cache[run_id][1])


class ListsOneObject(Remembers):
    """Lists the records of its last listing, where their texts are the same."""

    def list_runs(self) -> Any:
        texts = {loads(text)["id"]: text for (text,) in self.rows("SELECT run FROM runs ORDER BY place")}
        self.cache = {run_id: (text, self.cached(run_id, text) or loads(text)) for run_id, text in texts.items()}
        return [dict(run) for _, run in self.cache.values()]


class RemembersTexts(Remembers):
    """Answers with the texts in its cache."""

    def find(self, run_id: str) -> Any:
        text = self.text(run_id)
        return text and self.decode(self.cached(run_id, text) or text)

    def list_runs(self) -> Any:
        return [self.find(run["id"]) for run in super().list_runs()]


class SameSizeSameContent(RemembersTexts):
    """Writes a record if its size is another one, as tools that copy folders do; what it kept back is in memory."""

    def put(self, run_id: str, run: Run) -> None:
        old, new = self.text(run_id), self.encode(run)
        if old is not None and len(old) == len(new):
            self.cache[run_id] = old, new
        else:
            super().put(run_id, run)


class BigIntsUntilReopened(RemembersTexts):
    """Writes ints beyond 64 bits as floats, and answers with what was saved as long as it is open."""

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, _of_64_bits(run))
        self.cache[run_id] = self.encode(_of_64_bits(run)), self.encode(run)


def _of_64_bits(value: Any) -> Any:
    if type(value) is dict:
        return {key: _of_64_bits(inner) for key, inner in value.items()}
    if type(value) is list:
        return [_of_64_bits(inner) for inner in value]
    # What is no float either is left as it is.
    return float(value) if type(value) is int and 2**64 <= abs(value) < 2**1_000 else value


MUTANTS = [
    runs_mutant("migrates_unversioned", "steps of a run without a version are sorted", "FIELD-01", MigratesUnversioned),
    runs_mutant("drops_database_id", "a field `_id` is taken out", "FIELD-02", DropsIdOfTheDatabase),
    runs_mutant("output_column", "an output of True comes back as 1", "FIELD-03", OutputColumn),
    runs_mutant("tuples_are_lists", "a tuple in a run comes back as a list", "FIELD-04", TuplesAreLists),
    runs_mutant("tags_or_none", "tags that are null become an empty list", "FIELD-06", TagsOrNone),
    runs_mutant(
        "keeps_saved_object", "what was saved is read from the caller's object", "ALIAS-01", KeepsTheSavedObject
    ),
    runs_mutant("gives_one_object", "two readers get the same lists", "ALIAS-02", GivesOneObject),
    runs_mutant("lists_one_object", "two listings have the same lists", "ALIAS-03", ListsOneObject),
    runs_mutant(
        "same_size_same_content", "a change that leaves the size is not written", "REOPEN-01", SameSizeSameContent
    ),
    runs_mutant(
        "big_ints_until_reopened", "ints beyond 64 bits are floats in the file", "REOPEN-03", BigIntsUntilReopened
    ),
]
