"""What the `python` recorder puts in the place of open(): it opens by os.open, and what it opens writes by os.write."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

from conformance.crash.recorder.actions import Actions


def opening(actions: Actions) -> Callable[..., Any]:
    """Return what takes the place of open(). It opens by os.open, and what it opens writes by os.write."""
    original = io.open

    def is_ours(file: Any) -> bool:
        if isinstance(file, int):
            return actions.ledger.node_of(os.fstat(file)) is not None
        return actions.ledger.find(os.path.join(os.getcwd(), os.fsdecode(file)), follow=True) is not None

    def by_os(path: str, flags: int) -> int:
        return os.open(path, flags, 0o666)

    def recorded(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: FBT001, FBT002 (as open() has it)
        opener: Any = None,
    ) -> Any:
        # Of what another opener opens nothing is known before; its writes are looked at then.
        if not isinstance(file, int | str | bytes | os.PathLike) or (opener is None and not is_ours(file)):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            opener = opener or by_os
        text = "b" not in mode
        if not set(mode) & set("wxa+") or (text and buffering == 0) or (not text and (encoding or errors or newline)):
            # Only reads, or is an error that open() will name.
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _Raw(file, "".join(set(mode) - set("bt")), closefd, opener)
        try:
            return _layered(raw, mode, buffering, encoding, errors, newline)
        except BaseException:
            raw.close()
            raise

    return recorded


def _layered(
    raw: io.FileIO, mode: str, buffering: int, encoding: str | None, errors: str | None, newline: str | None
) -> Any:
    """Put the same buffers onto a raw file as open() does."""
    text = "b" not in mode
    if buffering == 0:
        return raw
    size = buffering if buffering > 1 else _block_size(raw)
    buffered = io.BufferedRandom(raw, size) if "+" in mode else io.BufferedWriter(raw, size)
    if not text:
        return buffered
    wrapped: Any = io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)
    wrapped.mode = mode
    return wrapped


def _block_size(raw: io.FileIO) -> int:
    """Return the size of a buffer as open() takes it, so that writes are cut into the same pieces."""
    size = os.fstat(raw.fileno()).st_blksize
    if sys.version_info >= (3, 14):
        return max(min(size, 8 * 1024 * 1024), io.DEFAULT_BUFFER_SIZE)
    return size if size > 1 else io.DEFAULT_BUFFER_SIZE


class _Raw(io.FileIO):
    """An unbuffered file that writes by way of `os`, where notes are taken."""

    def write(self, data: Any, /) -> int:
        return os.write(self.fileno(), data) if self.writable() else super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        size = self.tell() if size is None else size
        os.ftruncate(self.fileno(), size)
        return size
