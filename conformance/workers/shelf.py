"""A shelf: contents that all processes of a crew have, so that each of them travels between them as a number.

The files of a server are hundreds, and the states that a crash leaves of them differ in a few: what the server began
with is on the shelf.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from typing import Any

#: Bytes from which on a content is worth a place: a number takes some too.
LEAST_BYTES = 4096


class Shelf:
    """Contents by number, the same in each process that was given the shelf.

    Args:
        contents: What may be sent often; short ones are left out.
    """

    def __init__(self, contents: Iterable[bytes] = ()) -> None:
        self._contents = tuple(dict.fromkeys(content for content in contents if len(content) >= LEAST_BYTES))
        self._numbers = {content: number for number, content in enumerate(self._contents)}

    def __reduce__(self) -> tuple[type[Shelf], tuple[tuple[bytes, ...]]]:
        return Shelf, (self._contents,)

    def __len__(self) -> int:
        return len(self._contents)

    def dumps(self, thing: Any) -> bytes:
        """Return a thing as bytes for another process that has the shelf."""
        if not self._contents:  # to be asked about each object takes time
            return pickle.dumps(thing)
        file = io.BytesIO()
        _Pickler(file, self._numbers).dump(thing)
        return file.getvalue()

    def loads(self, data: bytes) -> Any:
        """Return the thing again. What is on the shelf is not copied, however many things have it."""
        if not self._contents:
            return pickle.loads(data)
        return _Unpickler(io.BytesIO(data), self._contents).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, numbers: dict[bytes, int]) -> None:
        super().__init__(file)
        self._numbers = numbers

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(obj) if type(obj) is bytes and len(obj) >= LEAST_BYTES else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, contents: tuple[bytes, ...]) -> None:
        super().__init__(file)
        self._contents = contents

    def persistent_load(self, pid: int) -> bytes:
        return self._contents[pid]
