"""Logs whose size, memory or open files follow the number of appends, or that leave something open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.mutants.log_base import PlainLog, log_mutant


class CompactionHidesOnly(PlainLog):
    def compact(self, upto: int) -> None:
        with self.writing():
            if upto > self.fact("upto", 0):
                raise ValueError(f"no checkpoint covers {upto}")
            self.note("first", max(self.first, upto + 1))

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(max(start, self.first), stop)


class EventsStayInMemory(PlainLog):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: dict[int, Any] = {}

    def insert(self, texts: list[Any]) -> list[int]:
        positions = super().insert(texts)
        self.cache.update(zip(positions, texts, strict=True))
        return positions


class SegmentsStayOpen(PlainLog):
    """Begins a segment at each compaction; the file of the one before is removed, and stays open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.segments: list[int] = []

    def compact(self, upto: int) -> None:
        super().compact(upto)
        name = self.path.with_name(f"segment-{upto}")
        self.segments.append(os.open(name, os.O_CREAT | os.O_WRONLY))
        name.unlink()

    def close(self) -> None:
        super().close()
        while self.segments:
            os.close(self.segments.pop())


class OpeningLeaksAFile(PlainLog):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        os.open(path.with_name("lock"), os.O_CREAT | os.O_RDWR)


class TailIsLostAfterCheckpoint(PlainLog):
    """Takes the checkpoint for the end of the log when it is opened behind one that was never compacted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        upto = self.fact("upto", 0)
        if self.first > 1 and self.first <= upto < self.head:
            self.rows("DELETE FROM log WHERE position > ?", upto)
            self.note("head", upto)


MUTANTS = [
    log_mutant("compaction_hides_only", "compaction drops nothing", "REPLAY-51", CompactionHidesOnly),
    log_mutant("events_stay_in_memory", "every event stays in a cache", "REPLAY-52", EventsStayInMemory),
    log_mutant("segments_stay_open", "the files of removed segments stay open", "REPLAY-52", SegmentsStayOpen),
    log_mutant("log_leaks_a_file", "each opening leaves a descriptor behind", "REPLAY-53", OpeningLeaksAFile),
    log_mutant(
        "agent_loses_the_tail",
        "opening a compacted log cuts off what follows the checkpoint",
        "REPLAY-61",
        TailIsLostAfterCheckpoint,
    ),
]
