"""The `wal` reference at `durability="wal"`: appends beside the disk's own limit and beside other stores, and recovery.

    python benchmarks/wal.py                # some two minutes
    python benchmarks/wal.py --small        # next to nothing: does it run?

Each round gives every contestant the same number of writes of the same event, one after the other, so that drift of
the machine hits all. Each makes the JSON text of the event itself, as a log does that is given an event; the bare write
is given the bytes, and one of the tables of SQLite the text. A round is long enough for what is due now and then:
SQLite's checkpoint after a thousand pages, room for the next 64 KiB of the log. Shown are the median and the quartiles
of the rounds' times for one write, and the median of the ratios to the bare write of the same round. Well are:

    one writer        at most 1.3 times the bare write and fdatasync of the same bytes
    eight writers     above 3 times the rate of one (group commit)
    others            slower: SQLite in WAL mode with synchronous=FULL, LMDB, diskcache with synchronous=FULL
    recovery          of a million records under 10 s, and linear in their number
    overhead          under 40 bytes a record
    memory            while appending, what the log's index needs: 24 bytes a record, and nothing that grows beside it
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reference_backends._json import dumps
from reference_backends.wal import WalLog
from reference_backends.wal.record import SINGLE, encode

PAYLOAD = {"type": "step", "run": "r-0001", "text": "x" * 200}
TEXT = dumps(PAYLOAD)
#: What one append writes: the record of the reference, so that the limit writes the same bytes.
RECORD = encode(1, 1, 1, SINGLE, TEXT.encode())
WRITERS = 8

Write = Callable[[], None]


@contextmanager
def bare(folder: Path) -> Iterator[Write]:
    """Give a function that appends the bytes of a record to a file and syncs it."""
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write() -> None:
        os.write(descriptor, RECORD)
        os.fdatasync(descriptor)

    yield write
    os.close(descriptor)


@contextmanager
def wal(folder: Path) -> Iterator[Write]:
    """Give a function that appends an event to the reference."""
    log = WalLog(folder / "wal")
    yield lambda: (log.append(PAYLOAD), None)[1]
    log.close()


@contextmanager
def sqlite(folder: Path) -> Iterator[Write]:
    """Give a function that inserts a row into SQLite in WAL mode with synchronous=FULL, in a transaction of its own."""
    insert, close = table(folder / "sqlite")
    yield lambda: insert(json.dumps(PAYLOAD))
    close()


@contextmanager
def sqlite_text(folder: Path) -> Iterator[Write]:
    """Give a function that does so with a text that is there already: what the encoding takes is left out."""
    insert, close = table(folder / "sqlite-text")
    yield lambda: insert(TEXT)
    close()


def table(path: Path) -> tuple[Callable[[str], None], Write]:
    """Return what inserts a text and what closes the file."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE log (position INTEGER PRIMARY KEY, event TEXT)")
    return lambda text: (connection.execute("INSERT INTO log (event) VALUES (?)", (text,)), None)[1], connection.close


@contextmanager
def lmdb(folder: Path) -> Iterator[Write]:
    """Give a function that puts a key into LMDB, in a transaction of its own, synced as is its default."""
    # Not of the extra `dev`: a plain import is an error to a type checker that runs where it is not installed.
    environment: Any = importlib.import_module("lmdb").open(str(folder / "lmdb"), map_size=2**30)
    count = iter(range(2**40))

    def write() -> None:
        with environment.begin(write=True) as transaction:
            transaction.put(next(count).to_bytes(8, "big"), json.dumps(PAYLOAD).encode())

    yield write
    environment.close()


@contextmanager
def diskcache(folder: Path) -> Iterator[Write]:
    """Give a function that sets a key of diskcache with synchronous=FULL."""
    import diskcache as library  # type: ignore[import-untyped]

    cache = library.Cache(str(folder / "diskcache"), sqlite_synchronous=2)
    count = iter(range(2**40))
    yield lambda: (cache.set(next(count), json.dumps(PAYLOAD)), None)[1]
    cache.close()


CONTESTANTS = {
    "bare": bare,
    "wal": wal,
    "sqlite": sqlite,
    "sqlite, of a text": sqlite_text,
    "lmdb": lmdb,
    "diskcache": diskcache,
}


def timed(write: Write, writes: int) -> float:
    """Return the seconds that one of so many writes took, one after the other."""
    start = time.perf_counter()
    for _ in range(writes):
        write()
    return (time.perf_counter() - start) / writes


def timed_together(write: Write, writes: int) -> float:
    """Return the seconds for each of so many writes of every one of `WRITERS` threads, all at once."""
    barrier = threading.Barrier(WRITERS + 1)

    def work() -> None:
        barrier.wait()
        for _ in range(writes):
            write()

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / (writes * WRITERS)


def appends(folder: Path, rounds: int, writes: int) -> None:
    """Print what a write takes each contestant, interleaved."""
    with contestants(folder) as open_ones:
        samples: dict[str, list[float]] = {name: [] for name in (*open_ones, f"wal, {WRITERS} writers")}
        for number in range(rounds + 1):
            for name, write in open_ones.items():
                samples[name].append(timed(write, writes))
            samples[f"wal, {WRITERS} writers"].append(timed_together(open_ones["wal"], writes // 2))
            if number == 0:  # the first round warms up
                for one in samples.values():
                    one.clear()
    print(f"\n{rounds} rounds of {writes} writes of {len(RECORD)} bytes each, interleaved; microseconds a write")
    print(f"  {'':<18} {'median':>9} {'q1':>9} {'q3':>9} {'to bare':>9} {'to wal':>9}")
    for name, times in samples.items():
        low, middle, high = statistics.quantiles(times, n=4)
        to_bare, to_wal = (ratio(times, samples[other]) for other in ("bare", "wal"))
        print(
            f"  {name:<18} {middle * 1e6:>9.1f} {low * 1e6:>9.1f} {high * 1e6:>9.1f} {to_bare:>8.2f}x {to_wal:>8.2f}x"
        )
    together = ratio(samples["wal"], samples[f"wal, {WRITERS} writers"])
    print(f"  rate of {WRITERS} writers to that of one: {together:.2f}")


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return statistics.median(one / other for one, other in zip(times, others, strict=True))


@contextmanager
def contestants(folder: Path) -> Iterator[dict[str, Write]]:
    """Give the contestants that are installed, open."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        found: dict[str, Write] = {}
        for name, opened in CONTESTANTS.items():
            try:
                found[name] = stack.enter_context(opened(folder))
            except ImportError:
                print(f"{name} is not installed: not measured")
        yield found


def recovery(folder: Path, sizes: Sequence[int]) -> None:
    """Print what opening a log takes that was never closed, by its length, and what a record takes on disk."""
    print("\nrecovery after a kill, by records")
    for size in sizes:
        path = folder / f"recovery-{size}"
        if os.fork() == 0:  # dies without closing, as a killed process does
            with suppress(BaseException):
                log = WalLog(path, durability="none")
                for start in range(0, size, 1000):
                    fill(log, min(1000, size - start))
            os._exit(0)
        os.wait()
        on_disk = sum(file.stat().st_size for file in path.glob("*.segment"))
        times, head = [], 0
        for _ in range(3):
            start_s = time.perf_counter()
            log = WalLog(path)
            times.append(time.perf_counter() - start_s)
            head = log.head
            # Not closed: what opening does is the same each time.
        assert head == size, (head, size)
        seconds = statistics.median(times)
        print(
            f"  {size:>9,} records {seconds:>8.3f} s {seconds / size * 1e6:>7.2f} us a record"
            f" {(on_disk - size * len(TEXT)) / size:>6.1f} bytes of overhead a record"
        )


def fill(log: WalLog, count: int) -> None:
    """Append single events; those that wait together share a group, which the durability `none` does not sync."""
    for _ in range(count):
        log.append(PAYLOAD)


def memory(folder: Path, writes: int) -> None:
    """Print how much the process grows while it appends."""
    log = WalLog(folder / "memory", durability="none")
    fill(log, 1000)
    print("\nmemory while appending, without syncs")
    resident = rss()
    for _ in range(4):
        fill(log, writes)
        now = rss()
        print(f"  {writes:,} more records: {(now - resident) / writes:>6.1f} bytes a record resident")
        resident = now
    log.close()


def rss() -> int:
    """Return the resident bytes of this process."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except FileNotFoundError:  # pragma: no cover - elsewhere, the most that it ever was
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="next to nothing: does it run?")
    parser.add_argument("--folder", type=Path, help="where to write; else a temporary directory")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="wal-benchmark-") as name:
        folder = Path(name)
        print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, in {folder.parent}")
        appends(folder, rounds=2 if options.small else 20, writes=20 if options.small else 1000)
        memory(folder, 500 if options.small else 50_000)
        recovery(folder, [1000, 2000] if options.small else [125_000, 250_000, 500_000, 1_000_000])


if __name__ == "__main__":
    main(sys.argv[1:])
