"""State stores of other designs that are wrong about crashes: two files, slots, mapped memory, buffers."""

from __future__ import annotations

import atexit
import json
import mmap
import os
import zlib
from contextlib import suppress
from hashlib import pbkdf2_hmac
from pathlib import Path

from tests.mutants.crash_base import Changes, JournalState, TextState
from tests.mutants.crash_files import Document, replace_file, write_synced
from tests.mutants.crash_log_base import broken_state_on_journal
from tests.mutants.crash_marks import broken_state, marked


@broken_state_on_journal("The operations of a transaction are records of their own.", "04 14")
class PartialTxnApplied(JournalState):
    def commit(self, changes: Changes) -> None:
        for key, text in changes.items():
            self.change({key: text})


@broken_state_on_journal("Transactions are not synced; single writes are.", "24")
class TransactionsUnsynced(JournalState):
    def commit(self, changes: Changes) -> None:
        self.journal.sync = lambda: None  # type: ignore[method-assign]
        try:
            super().commit(changes)
        finally:
            del self.journal.sync


@broken_state("Writes are kept in memory until there are five of them, or the store is closed.", "01")
class AckBeforeThreshold(Document):
    waiting = 0

    def save(self, texts: dict[str, str]) -> None:
        self.waiting += 1
        if self.waiting == 5:
            self.waiting = 0
            super().save(texts)

    def close(self) -> None:
        if not self.closed:
            super().save(self.kept)
        super().close()


@broken_state("Everything is saved when the interpreter ends, or the store is closed.", "01")
class AtexitOnlyFlush(Document):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        atexit.register(self.save_at_exit)

    def save(self, texts: dict[str, str]) -> None:
        pass

    def save_at_exit(self) -> None:
        with suppress(FileNotFoundError):  # whoever forgot to close the store may have removed its directory
            super().save(self.kept)

    def close(self) -> None:
        atexit.unregister(self.save_at_exit)
        if not self.closed:
            super().save(self.kept)
        super().close()


@broken_state("An index names places in a file of data, and is saved before the data are there.", "01")
class TwoFileNonatomic(TextState):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.index, self.data = path.with_suffix(".index"), path.with_suffix(".data")
        self.places: dict[str, list[int]] = json.loads(self.index.read_bytes()) if self.index.exists() else {}
        data = self.data.read_bytes() if self.data.exists() else b""
        self.end = len(data)
        for key, (start, end) in self.places.items():
            self.kept[key] = data[start:end].decode()

    def write(self, changes: Changes) -> None:
        for key, text in changes.items():
            self.places.pop(key, None)
            data = (text or "").encode()
            if text is not None:
                self.places[key] = [self.end, self.end + len(data)]
            replace_file(self.index, json.dumps(self.places).encode())
            with self.data.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self.end += len(data)


class Slots(TextState):
    """Honest: a file of data in slots of one page, and an index that is replaced; a slot is reused once it is free."""

    page = 4_096

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.index, self.data = path.with_suffix(".index"), path.with_suffix(".data")
        self.places: dict[str, list[int]] = json.loads(self.index.read_bytes()) if self.index.exists() else {}
        data = self.data.read_bytes() if self.data.exists() else b""
        for key, (slot, size) in self.places.items():
            self.kept[key] = data[slot * self.page : slot * self.page + size].decode()

    def write(self, changes: Changes) -> None:
        """Write texts into free slots, and then an index that names them."""
        places = self.base(changes)
        for key, text in changes.items():
            data = (text or "").encode()
            if text is not None:
                slot = self.free(places, len(data))
                self.put(slot, data)
                places[key] = [slot, len(data)]
        self.save({key: place for key, place in places.items() if changes.get(key, "") is not None})

    def base(self, changes: Changes) -> dict[str, list[int]]:
        """Return the places that are taken while changes are written: those of the old texts too."""
        return dict(self.places)

    def free(self, places: dict[str, list[int]], size: int) -> int:
        """Return the first slot from which on enough are free."""
        need, slot = -(-size // self.page), 0
        for start, taken in sorted(place for places_ in (places, self.places) for place in places_.values()):
            if start - slot >= need:
                break
            slot = max(slot, start + -(-taken // self.page))
        return slot

    def put(self, slot: int, data: bytes) -> None:
        """Write into slots, and return when that is on the disk."""
        with self.data.open("r+b" if self.data.exists() else "w+b") as file:
            file.seek(slot * self.page)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def save(self, places: dict[str, list[int]]) -> None:
        """Replace the index."""
        replace_file(self.index, json.dumps(places).encode())
        self.places = places


@broken_state("The slots of an old text are free for the new one, although the index still names them.", "02")
class FreelistDoubleAlloc(Slots):
    def base(self, changes: Changes) -> dict[str, list[int]]:
        self.places = {key: place for key, place in self.places.items() if key not in changes}
        return super().base(changes)


@broken_state("Slots are reused before the index that no longer names them is sure to be on the disk.", "12")
class SlotsReusedTooEarly(Slots):
    freed: tuple[list[int], ...] = ()

    def free(self, places: dict[str, list[int]], size: int) -> int:
        fitting = [slot for slot, taken in self.freed if -(-size // self.page) <= -(-taken // self.page)]
        return fitting[0] if fitting else super().free(places, size)

    def save(self, places: dict[str, list[int]]) -> None:
        fresh = self.index.with_suffix(".tmp")
        write_synced(fresh, json.dumps(places).encode())
        os.replace(fresh, self.index)
        self.freed = tuple(place for key, place in self.places.items() if places.get(key) != place)
        self.places = places


@broken_state(
    "A mapped file is marked as empty while its new content is worked out, and a kill leaves it so.",
    "42",
    durability="process-crash",
)
class MappedInPlace(TextState):
    page = 4_096

    def __init__(self, path: Path) -> None:
        super().__init__()
        with path.open("a+b") as file:
            if file.tell() == 0:
                file.write(bytes(self.page))
                file.flush()
            self.map = mmap.mmap(file.fileno(), 0)
        if size := int.from_bytes(self.map[:4], "big"):
            self.kept.update(json.loads(zlib.decompress(self.map[4 : 4 + size - 32])))

    def write(self, changes: Changes) -> None:
        self.map[:4] = bytes(4)
        after = {**self.kept, **changes}
        data = zlib.compress(json.dumps({key: text for key, text in after.items() if text is not None}).encode(), 9)
        data += pbkdf2_hmac("sha256", data, b"salt", 20_000)  # a slow seal: most kills meet the store in here
        if len(data) + 4 > len(self.map):
            self.map.resize(-(-(len(data) + 4) // self.page) * self.page)
        self.map[4 : 4 + len(data)] = data
        self.map[:4] = len(data).to_bytes(4, "big")

    def close(self) -> None:
        if not self.closed:
            self.map.close()
        super().close()


MUTANTS = marked(globals())
