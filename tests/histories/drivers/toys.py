"""Small in-memory stores with a race each, and their repaired twins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Body = Callable[[], None]


class GetSetCounter:
    """Gets, then sets what follows, on two lines."""

    def __init__(self) -> None:
        self.value = 0

    def get(self) -> int:
        return self.value

    def set(self, value: int) -> None:
        self.value = value

    def increment(self) -> None:
        value = self.get()
        self.set(value + 1)


class OneLineCounter:
    """Reads and writes on one line, which is not one step."""

    def __init__(self) -> None:
        self.value = 0

    def increment(self) -> None:
        self.value += 1


class LockedCounter(GetSetCounter):
    """Gets and sets under a lock."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def increment(self) -> None:
        with self.lock:
            super().increment()


class CheckThenActCas:
    """Checks what is expected, and acts later."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def swap(self, key: str, expected: int, new: int) -> bool:
        if self.values.get(key, 0) != expected:
            return False
        self.values[key] = new
        return True


class LateLockCas:
    """Has a lock for each key, made on first use: two who come at once make two."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.locks: dict[str, threading.Lock] = {}

    def swap(self, key: str, expected: int, new: int) -> bool:
        if key not in self.locks:
            self.locks[key] = threading.Lock()
        with self.locks[key]:
            if self.values.get(key, 0) != expected:
                return False
            self.values[key] = new
            return True


class LockedCas(CheckThenActCas):
    """Checks and acts under one lock, that may be taken again by who has it."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()

    def swap(self, key: str, expected: int, new: int) -> bool:
        with self.lock, self.lock:
            return super().swap(key, expected, new)


class LooseLog:
    """Takes the next number, and counts on only after it has written."""

    def __init__(self) -> None:
        self.next = 0
        self.entries: list[tuple[int, str]] = []

    def append(self, entry: str) -> int:
        number = self.next
        self.entries.append((number, entry))
        self.next = number + 1
        return number


class LockedLog(LooseLog):
    """Appends under a condition."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = threading.Condition()

    def append(self, entry: str) -> int:
        with self.turn:
            number = super().append(entry)
            self.turn.notify_all()
            return number


class Counter(Protocol):
    """Counts."""

    value: int

    def increment(self) -> None: ...


class Cas(Protocol):
    """Swaps a value for another."""

    def swap(self, key: str, expected: int, new: int) -> bool: ...


class Log(Protocol):
    """Gives each entry a number."""

    def append(self, entry: str) -> int: ...


@dataclass(frozen=True)
class Scene:
    """What workers do with a fresh store, and whether the outcome can be explained."""

    bodies: Sequence[Body]
    fine: Callable[[], bool]


def counting(store: Counter, workers: int = 2, each: int = 3) -> Scene:
    """Workers count; no increment may be lost."""

    def count() -> None:
        for _ in range(each):
            store.increment()

    return Scene([count] * workers, lambda: store.value == workers * each)


def swapping(store: Cas, workers: int = 2, each: int = 3) -> Scene:
    """Workers swap up from 0, key by key; only one of them may win each swap."""
    won: list[str] = []

    def swap(worker: int) -> None:
        won.extend([f"{key}" for key in range(each) if store.swap(f"{key}", 0, worker + 1)])

    bodies = [lambda worker=worker: swap(worker) for worker in range(workers)]
    return Scene(bodies, lambda: len(won) == len(set(won)))


def appending(store: Log, workers: int = 2, each: int = 3) -> Scene:
    """Workers append; no number may be given twice."""
    numbers: list[int] = []

    def append() -> None:
        numbers.extend([store.append(f"{entry}") for entry in range(each)])

    return Scene([append] * workers, lambda: sorted(numbers) == list(range(workers * each)))


BROKEN: dict[str, Callable[[], Scene]] = {
    "get/set counter": lambda: counting(GetSetCounter()),
    "one-line counter": lambda: counting(OneLineCounter()),
    "check-then-act cas": lambda: swapping(CheckThenActCas()),
    "late lock cas": lambda: swapping(LateLockCas()),
    "loose log": lambda: appending(LooseLog()),
}
REPAIRED: dict[str, Callable[[], Scene]] = {
    "locked counter": lambda: counting(LockedCounter()),
    "locked cas": lambda: swapping(LockedCas()),
    "locked log": lambda: appending(LockedLog()),
}
