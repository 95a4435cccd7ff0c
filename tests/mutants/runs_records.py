"""Run stores that drop, reorder or retype what is in a run, or share it with their callers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.values.runs import LISTS, full_run
from reference_backends._json import dumps
from reference_backends._records import check_record
from tests.mutants.runs_base import PlainRuns, Run, runs_mutant

_KNOWN = full_run("any").keys() - {"x-vendor", "agentId", "schemaVersion"}


def _lists(run: Run, change: Any) -> Run:
    """Return a run with `change` applied to each of its lists of dicts."""
    found = {n: v for n, v in run.items() if isinstance(v, list) and all(isinstance(one, dict) for one in v)}
    return {**run, **{name: change(name, value) for name, value in found.items()}}


class DropsLineage(PlainRuns):
    def encode(self, run: Run) -> str:
        metadata = run.get("metadata")
        kept = {n: v for n, v in metadata.items() if n != "lineage"} if isinstance(metadata, dict) else metadata
        return super().encode({**run, "metadata": kept} if "metadata" in run else run)


class SortsCheckpoints(PlainRuns):
    def encode(self, run: Run) -> str:
        def change(name: str, value: Any) -> Any:
            return sorted(value, key=lambda one: str(one.get("id"))) if name == "checkpoints" else value

        return super().encode(_lists(run, change))


class SortsByTime(PlainRuns):
    def decode(self, text: str) -> Any:
        def change(name: str, value: Any) -> Any:
            return sorted(value, key=lambda one: one.get("at") or one.get("startedAt") or 0)

        return _lists(super().decode(text), change)


class EqualMessagesOnce(PlainRuns):
    def encode(self, run: Run) -> str:
        def change(name: str, value: Any) -> Any:
            return [one for n, one in enumerate(value) if one not in value[:n]] if name == "messages" else value

        return super().encode(_lists(run, change))


class DropsUnknownFields(PlainRuns):
    def encode(self, run: Run) -> str:
        return super().encode({name: value for name, value in run.items() if name in _KNOWN})


class DropsUnknownCheckpointFields(PlainRuns):
    def encode(self, run: Run) -> str:
        def change(name: str, value: Any) -> Any:
            return [{n: v for n, v in one.items() if n in ("id", "state", "createdAt")} for one in value]

        return super().encode(_lists(run, lambda name, v: change(name, v) if name == "checkpoints" else v))


class CostAsFloat(PlainRuns):
    """Has a column of floats for the token usage."""

    def decode(self, text: str) -> Any:
        run = super().decode(text)
        usage = run.get("metrics")["tokenUsage"] if isinstance(run.get("metrics"), dict) else {}
        if isinstance(usage, dict):
            usage.update({name: float(value) for name, value in usage.items() if type(value) is int})
        return run


class EmptyIsNull(PlainRuns):
    def encode(self, run: Run) -> str:
        return super().encode({name: None if value in ([], {}, "") else value for name, value in run.items()})


class JavaScriptNumbers(PlainRuns):
    def decode(self, text: str) -> Any:
        return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 16 else int(float(digits)))


class UncheckedJson(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(json.loads(json.dumps(run)), token)


class CutMessages(PlainRuns):
    def encode(self, run: Run) -> str:
        return super().encode(_lists(run, lambda name, value: value[-1_000:]))


class CutText(PlainRuns):
    def encode(self, run: Run) -> str:
        def change(name: str, value: Any) -> Any:
            return [{n: v[:65_535] if isinstance(v, str) else v for n, v in one.items()} for one in value]

        return super().encode(_lists(run, change))


class Cached(PlainRuns):
    """Answers from memory; a base for what goes wrong with that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: dict[str, Run] = {}

    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(run, token)
        self.cache[run["id"]] = self.kept(run)

    def get_run(self, run_id: str) -> Any:
        found = super().get_run(run_id)
        return self.given(self.cache[run_id]) if run_id in self.cache else found

    def kept(self, run: Run) -> Run:
        """Return what is put into the cache."""
        return self.copied(run)

    def given(self, run: Run) -> Run:
        """Return what is given from the cache."""
        return self.copied(run)

    def copied(self, run: Run) -> Run:
        """Return a deep copy."""
        copy: Run = self.decode(self.encode(run))
        return copy


class KeepsTheObject(Cached):
    def kept(self, run: Run) -> Run:
        return run


class GivesTheObject(Cached):
    def given(self, run: Run) -> Run:
        return dict(run)


class ListsTheObjects(Cached):
    def list_runs(self) -> Any:
        runs = super().list_runs()
        return [self.cache[run["id"]].copy() if run["id"] in self.cache else run for run in runs]


class ExactOnlyInMemory(Cached):
    """Writes what `json` makes of a run, and answers with the run."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        check_record({"id": run["id"]} if isinstance(run, dict) and "id" in run else run, "run")
        PlainRuns.save_run(self, json.loads(json.dumps(run)), token)
        self.cache[run["id"]] = run

    def copied(self, run: Run) -> Run:
        return {name: value for name, value in run.items()}  # noqa: C416


class SortsMany(PlainRuns):
    """Numbers the entries of lists with texts, and reads them in the order of these."""

    def decode(self, text: str) -> Any:
        def change(name: str, value: Any) -> Any:
            return [value[int(n)] for n in sorted(map(str, range(len(value))))]

        return _lists(super().decode(text), change)


class FalsyFieldsDropped(PlainRuns):
    def encode(self, run: Run) -> str:
        return dumps({name: value for name, value in run.items() if value is not None})


assert set(LISTS) <= _KNOWN

MUTANTS = [
    runs_mutant("drops_lineage", "the lineage is not written", "FIELD-01", DropsLineage),
    runs_mutant("sorts_checkpoints", "checkpoints come in the order of their ids", "FIELD-01", SortsCheckpoints),
    runs_mutant("sorts_by_time", "events and steps come in the order of their times", "FIELD-01", SortsByTime),
    runs_mutant("equal_messages_once", "of equal messages one is kept", "FIELD-01", EqualMessagesOnce),
    runs_mutant(
        "drops_unknown_fields", "fields of a run that it does not know", "FIELD-01 FIELD-02", DropsUnknownFields
    ),
    runs_mutant("drops_in_checkpoints", "unknown fields of checkpoints", "FIELD-02", DropsUnknownCheckpointFields),
    runs_mutant("usage_as_float", "the token usage comes back as floats", "FIELD-01", CostAsFloat),
    runs_mutant("empty_is_null", "what is empty becomes null", "FIELD-02 FIELD-03 FIELD-06", EmptyIsNull),
    runs_mutant("null_is_dropped", "fields that are null are dropped", "FIELD-01 FIELD-03", FalsyFieldsDropped),
    runs_mutant("javascript_numbers", "long ints go through a float", "FIELD-01 FIELD-03 REOPEN-03", JavaScriptNumbers),
    runs_mutant("unchecked_json", "a tuple becomes a list, a dict key a text", "FIELD-04", UncheckedJson),
    runs_mutant("cuts_messages", "of a long list the last thousand entries are kept", "FIELD-05", CutMessages),
    runs_mutant("cuts_texts", "a text in a message is cut at 64 KiB", "FIELD-05", CutText),
    runs_mutant("sorts_many", "the tenth entry comes after the first", "FIELD-05", SortsMany),
    runs_mutant("keeps_the_object", "keeps the object that was saved", "ALIAS-01", KeepsTheObject),
    runs_mutant("gives_the_object", "gives all readers the same lists and dicts", "ALIAS-02", GivesTheObject),
    runs_mutant("lists_the_objects", "lists what is in its cache", "ALIAS-03", ListsTheObjects),
    runs_mutant("exact_in_memory", "exact until it is closed", "REOPEN-03", ExactOnlyInMemory),
]
