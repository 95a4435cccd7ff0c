"""The segments of a log on disk, as one handle knows them: opening, following what others did, what is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reference_backends._files import make_directory, sync, sync_directory
from reference_backends.wal.errors import CorruptLog, Damage
from reference_backends.wal.manifest import Manifest, read_manifest, write_manifest
from reference_backends.wal.segment import SUFFIX, Segment

MANIFEST = "manifest"


class Chain:
    """The segments in their order, with the manifest. Whoever calls holds the log's lock.

    Attributes:
        segments: Open, oldest first; the last one takes appends.
        manifest: As last read or written.
    """

    def __init__(self, directory: Path, *, synced: bool) -> None:
        self.directory = directory
        self.synced = synced
        self.segments: list[Segment] = []
        self.manifest = Manifest()
        self._manifest_seen: tuple[int, ...] = ()
        self._lost: list[Damage] = []
        self._found: list[Damage] = []

    # -- opening
    # --------------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Open the log: make it where there is nothing, cut off what a crash left unfinished, keep all else.

        Only the newest segment can have a torn tail: bytes after the last whole record, with no record behind them and
        nothing missing that the manifest knows of. Everything else that does not fit is damage, and stays where it is.
        """
        make_directory(self.directory)
        os.chmod(self.directory, 0o700)
        try:
            found = read_manifest(self.directory / MANIFEST)
        except ValueError as error:
            self._lost.append(Damage(MANIFEST, 0, 0, str(error)))
            found = None
        names = self._names()
        if found is None and not self._lost and self._is_new(names):
            self._make()
            return
        if found is None and not self._lost:
            self._lost.append(Damage(MANIFEST, 0, 0, "the manifest is missing"))
        self.manifest = found or Manifest(first=_first_of(names), oldest=_first_of(names), newest=_first_of(names))
        self._remember()
        self._open_segments()
        self._found = self.damaged()
        if not self._found:
            self.cut_tail()
            if (self.head, self.segments[-1].first) != (self.manifest.head, self.manifest.newest):
                self.update(head=self.head, newest=self.segments[-1].first)

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob(f"{'[0-9]' * 20}{SUFFIX}"))

    def _is_new(self, names: list[str]) -> bool:
        """Tell whether there is nothing yet, or what a crash left of making it: a first segment without a record."""
        if len(names) > 1 or (names and _first_of(names) != 1):
            return False
        return not names or (self.directory / names[0]).stat().st_size <= 24

    def _make(self) -> None:
        self.segments = [Segment.create(self.directory, 1, 0)]
        if self.synced:
            sync(self.segments[0].descriptor)
            sync_directory(self.directory.parent)
        self.update()

    def _open_segments(self) -> None:
        for name in self._names():
            segment = Segment(self.directory / name)
            if segment.next <= self.manifest.oldest and segment.first < self.manifest.oldest:
                segment.close()  # compaction was cut short after it had said what it drops
                segment.path.unlink()
            elif not segment.header_sound and segment.first > self.manifest.newest and segment.next == segment.first:
                segment.close()  # a rotation was cut short before any record was written
                segment.path.unlink()
            else:
                self.segments.append(segment)
        if not self.segments:
            self._lost.append(Damage(MANIFEST, 0, self.manifest.first, "every segment is missing"))
            self.segments = [Segment.create(self.directory, self.manifest.head + 1, 0)]

    def open_read_only(self) -> None:
        """Open what is there and change nothing; for looking at it."""
        try:
            self.manifest = read_manifest(self.directory / MANIFEST) or self.manifest
        except ValueError as error:
            self._lost.append(Damage(MANIFEST, 0, 0, str(error)))
        self.segments = [Segment(self.directory / name) for name in self._names()]

    def cut_tail(self) -> None:
        """Cut off what stands behind the last record of the newest segment."""
        newest = self.segments[-1]
        if newest.size() > newest.end:
            os.ftruncate(newest.descriptor, newest.end)
            if self.synced:
                sync(newest.descriptor)

    # -- following others
    # -----------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Take over what other handles did since the last call: appends, rotations, compactions."""
        seen = self._stamp()
        if seen != self._manifest_seen:
            self.manifest = read_manifest(self.directory / MANIFEST) or self.manifest
            self._manifest_seen = seen
        newest = self.segments[-1]
        if newest.size() != newest.end:
            newest.catch_up()
        known = self.segments[-1].first
        for name in self._names() if self.manifest.newest > known else ():
            if int(name.removesuffix(SUFFIX)) > known:
                self.segments.append(Segment(self.directory / name))
        while len(self.segments) > 1 and self.segments[0].first < self.manifest.oldest:
            self.segments.pop(0).close()

    def _stamp(self) -> tuple[int, ...]:
        found = os.stat(self.directory / MANIFEST)
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _remember(self) -> None:
        self._manifest_seen = self._stamp() if (self.directory / MANIFEST).exists() else ()

    def update(self, **changes: int) -> None:
        """Replace the manifest."""
        self.manifest = replace(self.manifest, **changes)
        write_manifest(self.directory / MANIFEST, self.manifest, synced=self.synced)
        self._remember()

    def rotate(self) -> None:
        """Begin a new segment behind the newest, which takes no more appends."""
        newest = self.segments[-1]
        following = Segment.create(self.directory, newest.next, newest.chain)
        if self.synced:
            sync(following.descriptor)
            sync_directory(self.directory)
        self.segments.append(following)
        # Only now, that the file is sure to be there, may the manifest ask for it.
        self.update(head=self.head, newest=following.first)

    def drop_before(self, first: int) -> None:
        """Make `first` the first position, and remove the segments that hold only earlier ones."""
        if first == self.segments[-1].next > self.segments[-1].first:
            self.rotate()
        oldest = max(index for index, segment in enumerate(self.segments) if index == 0 or segment.first <= first)
        self.update(head=self.head, first=first, oldest=self.segments[oldest].first)
        for segment in self.segments[:oldest]:
            segment.close()
            segment.path.unlink()
        del self.segments[:oldest]

    # -- what is there
    # --------------------------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last position, by the records and by the manifest."""
        return max(self.segments[-1].next - 1, self.manifest.head)

    def holding(self, position: int) -> Segment | None:
        """Return the segment whose records may hold `position`."""
        for segment in reversed(self.segments):
            if segment.first <= position:
                return segment if position < segment.next else None
        return None

    def damaged(self) -> list[Damage]:
        """Return all damage that the segments and their neighbourhood show."""
        return [*self._lost, *(one for segment in self.segments for one in segment.damaged), *self._misfits()]

    def known_damage(self) -> list[Damage]:
        """Return the damage found when the log was opened, and since then in the newest segment; cheap."""
        return self._found or self.segments[-1].damaged

    def count_whole(self) -> int:
        """Return how many events from the first one on can be read."""
        first = self.manifest.first
        return sum(segment.count_whole(first) for segment in self.segments)

    def _misfits(self) -> Iterator[Damage]:
        oldest, newest = self.segments[0], self.segments[-1]
        if oldest.first > self.manifest.oldest:
            yield Damage(oldest.path.name, 0, self.manifest.oldest, "the segments before it are missing")
        for before, after in zip(self.segments, self.segments[1:], strict=False):
            if before.next != after.first:
                yield Damage(before.path.name, before.end, before.next, f"ends before {after.path.name} begins")
            elif before.size() != before.end or (after.header_sound and after.before != before.chain):
                yield Damage(
                    before.path.name, before.end, 0, f"is not the file that {after.path.name} was written after"
                )
        if newest.first < self.manifest.newest:
            yield Damage(newest.path.name, newest.end, newest.next, "the segments after it are missing")
        elif newest.next - 1 < self.manifest.head:
            reason = f"the file ends here, but position {self.manifest.head} was acknowledged"
            yield Damage(newest.path.name, newest.end, newest.next, reason)

    def missing(self, position: int) -> CorruptLog:
        """Return the error for a position that should be there and can't be read."""
        before = [damage for damage in self.damaged() if 0 < damage.position <= position]
        return CorruptLog(before[-1] if before else Damage(MANIFEST, 0, position, "no segment has the position"))

    def close(self) -> None:
        """Close all files."""
        for segment in self.segments:
            segment.close()
        self.segments.clear()


def _first_of(names: list[str]) -> int:
    return int(names[0].removesuffix(SUFFIX)) if names else 1
