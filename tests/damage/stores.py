"""Small stores for the tests of the damage engine: each answers damage in a way of its own."""

from __future__ import annotations

import json
import os
import signal
import zlib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from conformance import Backend, Where


class Lines(MutableMapping[str, Any]):
    """A store of JSON lines, read whole when it is opened and written whole after each change; nothing is checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: dict[str, Any] = {}
        if path.exists():
            self.kept = dict(self.decode(line) for line in path.read_bytes().splitlines())

    def decode(self, line: bytes) -> Any:
        """Return the key and the value of a line."""
        return json.loads(line)

    def encode(self, key: str) -> bytes:
        """Return the line of a key."""
        return json.dumps([key, self.kept[key]]).encode()

    def save(self) -> None:
        """Replace the file."""
        new = self.path.with_suffix(".new")
        new.write_bytes(b"".join(self.encode(key) + b"\n" for key in self.kept))
        os.replace(new, self.path)

    def __getitem__(self, key: str) -> Any:
        return self.kept[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.kept[key] = value
        self.save()

    def __delitem__(self, key: str) -> None:
        del self.kept[key]
        self.save()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.kept))

    def __len__(self) -> int:
        return len(self.kept)

    def close(self) -> None:
        """Do nothing."""


class Checked(Lines):
    """The same with a checksum in each line."""

    def decode(self, line: bytes) -> Any:
        """Return the key and the value, if they are what was written."""
        checksum, body = line[:8], line[9:]
        if checksum != b"%08x" % zlib.crc32(body):
            raise ValueError("a line is damaged")
        return json.loads(body)

    def encode(self, key: str) -> bytes:
        """Return the line of a key."""
        body = json.dumps([key, self.kept[key]]).encode()
        return b"%08x %s" % (zlib.crc32(body), body)


class Patient(Checked):
    """The same, but a damaged line costs nothing else; a report names it, and a repair drops it."""

    damaged = 0

    def decode(self, line: bytes) -> Any:
        """Return the key and the value, or what stands for a line that nobody can read."""
        try:
            return super().decode(line)
        except ValueError:
            self.damaged += 1
            return [f"damaged-{self.damaged}", None]

    def verify(self) -> dict[str, Any]:
        """Return how many lines are damaged."""
        return {"healthy": len(self.kept) - self.damaged, "damaged": [*range(self.damaged)]}

    def repair(self) -> dict[str, Any]:
        """Give up what is damaged."""
        dropped = [key for key in self.kept if key.startswith("damaged-")]
        self.kept = {key: value for key, value in self.kept.items() if key not in dropped}
        self.damaged = 0
        self.save()
        return {"dropped": dropped}


class Deadly(Checked):
    """The same, but it ends the process."""

    def decode(self, line: bytes) -> Any:
        """Return the key and the value, or never return."""
        try:
            return super().decode(line)
        except ValueError:
            os.kill(os.getpid(), signal.SIGKILL)


class Greedy(Checked):
    """The same, but it asks for much memory, as for a length that damage made large."""

    def decode(self, line: bytes) -> Any:
        """Return the key and the value, or those of zeros."""
        try:
            return super().decode(line)
        except ValueError:
            return ["zeros", len(bytes(3 << 30))]


def _backend(name: str, store: type[Lines]) -> Backend:
    return Backend(name, state=lambda where: _opened(store, where), address=f"{__name__}:{name.upper()}")


def _opened(store: type[Lines], where: Where) -> Lines:
    return store(where.path / "lines")


LINES = _backend("lines", Lines)
CHECKED = _backend("checked", Checked)
PATIENT = _backend("patient", Patient)
DEADLY = _backend("deadly", Deadly)
GREEDY = _backend("greedy", Greedy)
