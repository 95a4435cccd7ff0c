"""Small files beside the segments, each replaced as a whole: the manifest, its copy, and the checkpoint.

The manifest is the log's second witness: it says what must be there. Checksums alone can't show that a whole segment,
or the end of the newest one, is gone, or that an old version of a file came back. The copy tells the same of
the manifest.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reference_backends._files import sync, sync_directory

MANIFEST = "manifest"
COPY = "manifest-copy"


@dataclass(frozen=True)
class Manifest:
    """What must be there.

    Args:
        update: Counts the updates of the manifest, from 1.
        head: The last position when the manifest was written; later ones may have come since.
        chain: The chain of the newest segment up to the head.
        first: The first position that compaction left.
        oldest: The first position of the oldest segment.
        newest: The first position of the newest segment.
        checkpoint: The number of the latest checkpoint, counted from 1; 0 for none.
    """

    update: int = 0
    head: int = 0
    chain: int = 0
    first: int = 1
    oldest: int = 1
    newest: int = 1
    checkpoint: int = 0


def read_sealed(path: Path) -> Any:
    """Return the content of a sealed file; None where there is no file.

    Raises:
        ValueError: Its checksum does not match.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    checksum, _, body = data.partition(b"\n")
    if checksum != f"{zlib.crc32(body):08x}".encode():
        raise ValueError(f"{path.name} is damaged: its checksum does not match")
    return json.loads(body)


def write_sealed(path: Path, content: Any, *, synced: bool) -> None:
    """Replace a sealed file: a line with a checksum, then JSON. After a crash it is the old one or the new one.

    Args:
        path: The file.
        content: JSON.
        synced: Whether it must survive a power loss from now on.
    """
    body = json.dumps(content).encode()
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"{zlib.crc32(body):08x}\n".encode() + body)
        file.flush()
        if synced:
            sync(file.fileno())
    os.replace(temporary, path)
    if synced:
        sync_directory(path.parent)


def read_manifest(directory: Path) -> tuple[Manifest | None, list[str]]:
    """Return the newest manifest that can be read, and what is wrong with the two files.

    A lone old one is noticed because the two are written one after the other: the first is never the older one, and
    never more than one update ahead.
    """
    versions: list[Manifest | None] = []
    wrong: list[str] = []
    for name in (MANIFEST, COPY):
        try:
            content = read_sealed(directory / name)
            versions.append(None if content is None else Manifest(**content))
        except (ValueError, TypeError) as error:
            wrong.append(f"{name}: {error}")
            versions.append(None)
    first, second = versions
    if not wrong and (first or second):
        if first is None:
            wrong.append(f"{MANIFEST} is missing")
        elif not first.update - 1 <= (second.update if second else 0) <= first.update:
            found = f"of update {second.update}" if second else "missing"
            wrong.append(f"{MANIFEST} is of update {first.update}, but {COPY} is {found}")
    return max((one for one in versions if one), key=lambda one: one.update, default=None), wrong


def write_manifest(directory: Path, manifest: Manifest, *, synced: bool) -> None:
    """Replace both files.

    An earlier update that failed half-way has left the copy one update behind. It is brought up first: were it two
    behind after a crash between the files, the older one would look like an old version that came back.
    """
    present, wrong = read_manifest(directory)
    if present is not None and not wrong and read_sealed(directory / COPY) != asdict(present):
        write_sealed(directory / COPY, asdict(present), synced=synced)
    for name in (MANIFEST, COPY):
        write_sealed(directory / name, asdict(manifest), synced=synced)


class Watched:
    """A file that others replace as a whole: tells cheaply whether it is still the one that was read.

    The file that was read stays open, so that no other one can get its inode; name and time can be the same after two
    quick replacements. Its time tells when it was damaged where it lies. Windows replaces no file that is open: there
    it is never the same, and is read each time.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self._seen = (0, 0, 0, 0)

    def is_same(self) -> bool:
        """Tell whether the file of that name is the one that was read last."""
        if self._descriptor < 0:
            return False
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return False
        return _identity(found) == self._seen

    def read(self) -> bytes:
        """Return the content, empty where there is no file, and keep it open."""
        self.close()
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            status = os.fstat(descriptor)
            content = os.read(descriptor, status.st_size)
        except BaseException:
            os.close(descriptor)
            raise
        if sys.platform == "win32":  # pragma: no cover
            os.close(descriptor)
        else:
            self._descriptor, self._seen = descriptor, _identity(status)
        return content

    def close(self) -> None:
        """Forget the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
