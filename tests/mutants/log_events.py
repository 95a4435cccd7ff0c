"""Logs that change events, cut them, or lose them among many."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from tests.mutants.log_base import PlainLog, log_mutant


class TextMode(PlainLog):
    def encode(self, event: Any) -> Any:
        return super().encode(event).replace("\\r\\n", "\\n").replace("\\r", "\\n")


class JavaScriptNumbers(PlainLog):
    def decode(self, text: Any) -> Any:
        return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 16 else int(float(digits)))


class UncheckedJson(PlainLog):
    def encode(self, event: Any) -> Any:
        return json.dumps(event)


class NanIsNull(PlainLog):
    def encode(self, event: Any) -> Any:
        return super().encode(None if isinstance(event, float) and event != event else event)


class FalsyIsNull(PlainLog):
    def encode(self, event: Any) -> Any:
        return super().encode(event or None)


class CutAt64KiB(PlainLog):
    def encode(self, event: Any) -> Any:
        return super().encode(event[:65_536] if isinstance(event, str) else event)


class LineLimit(PlainLog):
    """Reads lines of at most 4 KiB; the rest of a line is taken for the next event and skipped as no JSON."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [(position, event) for position, event in super().read(start, stop) if len(str(event)) != 4_096]


class Cached(PlainLog):
    """Answers from memory; a base for what goes wrong with that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: dict[int, Any] = {}

    def keep(self, event: Any) -> Any:
        return copy.deepcopy(event)

    def give(self, event: Any) -> Any:
        return copy.deepcopy(event)

    def append(self, event: Any, expected: int | None = None) -> Any:
        position = super().append(event, expected)
        self.cache[position] = self.keep(event)
        return position

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [(p, self.give(self.cache[p]) if p in self.cache else e) for p, e in super().read(start, stop)]


class KeepsTheObject(Cached):
    def keep(self, event: Any) -> Any:
        return event


class GivesTheObject(Cached):
    def give(self, event: Any) -> Any:
        return event


class KeepsTheBatch(Cached):
    def append_batch(self, events: list[Any]) -> Any:
        positions = super().append_batch(events)
        self.cache.update(zip(positions, events, strict=True))
        return positions


class PageOf100(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, stop)[:100]


class Drops200th(PlainLog):
    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [entry for entry in super().read(start, stop) if entry[0] % 200]


MUTANTS = [
    log_mutant("log_newline_translation", "CR LF becomes LF", "EVENT-01", TextMode),
    log_mutant("log_javascript_numbers", "long ints go through a float", "EVENT-01", JavaScriptNumbers),
    log_mutant("log_unchecked_json", "a tuple becomes a list, a dict key a text", "EVENT-02", UncheckedJson),
    log_mutant("log_nan_is_null", "NaN becomes null", "EVENT-02", NanIsNull),
    log_mutant("log_falsy_is_null", "empty and zero events become null", "EVENT-01 EVENT-03", FalsyIsNull),
    log_mutant("log_cut_at_64_kib", "a text is cut at 64 KiB", "EVENT-06", CutAt64KiB),
    log_mutant("log_line_limit", "an event that fills a block is skipped", "EVENT-06", LineLimit),
    log_mutant("log_keeps_the_object", "keeps the object that was appended", "EVENT-04", KeepsTheObject),
    log_mutant("log_keeps_the_batch", "keeps the objects of a batch", "EVENT-04", KeepsTheBatch),
    log_mutant("log_gives_the_object", "gives all readers one object", "EVENT-05", GivesTheObject),
    log_mutant("log_page_of_100", "reads at most 100 events", "MANY-01 BATCH-05", PageOf100),
    log_mutant("log_drops_200th", "every 200th event is lost", "MANY-01", Drops200th),
]
