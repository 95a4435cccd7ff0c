"""Two small files beside the segments, each replaced as a whole: the manifest and the checkpoint.

The manifest is the log's second witness: it says what must be there. Checksums alone can't show that a whole segment,
or the end of the newest one, is gone, or that an old version of a file came back.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reference_backends._files import sync, sync_directory


@dataclass(frozen=True)
class Manifest:
    """What must be there.

    Args:
        head: The last position when the manifest was written; later ones may have come since.
        first: The first position that compaction left.
        oldest: The first position of the oldest segment.
        newest: The first position of the newest segment.
        checkpoint: The number of the latest checkpoint, counted from 1; 0 for none.
    """

    head: int = 0
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


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest; None where there is none.

    Raises:
        ValueError: It is damaged.
    """
    content = read_sealed(path)
    return None if content is None else Manifest(**content)


def write_manifest(path: Path, manifest: Manifest, *, synced: bool) -> None:
    """Replace the manifest."""
    write_sealed(path, asdict(manifest), synced=synced)
