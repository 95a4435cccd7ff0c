"""The segments of a log on disk, as one handle knows them: opening, following what others did, what is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from pathlib import Path

from reference_backends._files import sync, sync_directory
from reference_backends.wal.errors import CorruptLog, Damage
from reference_backends.wal.manifest import MANIFEST, Manifest, Watched, read_manifest, write_manifest
from reference_backends.wal.segment import HEADER_BYTES, RESERVE_BYTES, SUFFIX, Segment, name_of


class Chain:
    """The segments in their order, with the manifest. Whoever calls holds the log's lock.

    Attributes:
        segments: Open, oldest first; the last one takes appends. Empty only when all are missing.
        manifest: As last read or written.
    """

    def __init__(self, directory: Path, *, synced: bool) -> None:
        self.directory = directory
        self.synced = synced
        self.segments: list[Segment] = []
        self.manifest = Manifest()
        self._witness = Watched(os.path.join(directory, MANIFEST))
        self._manifest_seen: bytes | None = None
        self._lost: list[Damage] = []
        self._found: list[Damage] = []
        self._ready = False  # found fit for writing, and nothing is new since

    # -- opening

    def recover(self) -> None:
        """Open the log: make it where there is nothing, cut off what a crash left unfinished, keep all else.

        Only the newest segment can have a torn tail: bytes after the last whole record, with no record behind them that
        was written when they were durable, and nothing missing that the manifest knows of. All else that does not fit
        is damage, and stays as it is.
        """
        if self._is_new():
            self.segments = [Segment.create(self.directory, 1, 0)]
            self.update()
            return
        self.load()
        self._found = self.damaged()
        if not self._found:
            self._remove_leftovers()
            self.cut_tail()
            if self.head != self.manifest.head:
                self.update()

    def _is_new(self) -> bool:
        """Tell whether there is nothing yet, or what a crash left of making it: a first segment without a record."""
        manifest, wrong = read_manifest(self.directory)
        sizes = [(first, self._path(first).stat().st_size) for first in self._firsts()]
        return manifest is None and not wrong and all(first == 1 and size <= HEADER_BYTES for first, size in sizes)

    def load(self) -> None:
        """Read the manifest and index the segments, and change nothing."""
        self._read_manifest()
        if not self._manifest_seen and not self._lost:
            self._lost.append(Damage(MANIFEST, 0, 0, "the manifest is missing"))
        if self.manifest.update == 0:  # none can be read: what is there is all that is known
            firsts = self._firsts() or [1]
            self.manifest = Manifest(first=firsts[0], oldest=firsts[0], newest=firsts[-1])
        for first in self._firsts():
            if not self._is_leftover(first):
                self._open(first)
        self._mark_foreign()

    def _mark_foreign(self) -> None:
        """Find whole files of another time or log: from the newest, which the manifest vouches for, to the oldest."""
        vouched = bool(self.segments) and self.segments[-1].first == self.manifest.newest and self.manifest.update > 0
        chain, position = self.manifest.chain, self.manifest.head
        for segment in reversed(self.segments):
            if vouched and not segment.damaged and segment.next > position and segment.chain_at(position) != chain:
                segment.foreign = True
                reason = "sound in itself, but not the file that was here"
                segment.damaged.append(Damage(segment.path.name, 0, segment.first, reason))
            # A damaged header, or a foreign one, says nothing about the segment before.
            vouched = segment.header_sound and not segment.foreign
            chain, position = segment.before, segment.first - 1

    def _read_manifest(self) -> None:
        seen = self._witness.read()
        if seen != self._manifest_seen:
            self._manifest_seen = seen
            manifest, wrong = read_manifest(self.directory)
            self.manifest = manifest or self.manifest
            self._lost += [Damage(MANIFEST, 0, 0, reason) for reason in wrong]

    def _firsts(self) -> list[int]:
        names = self.directory.glob(f"{'[0-9]' * 20}{SUFFIX}")
        return sorted(int(path.name.removesuffix(SUFFIX)) for path in names)

    def _path(self, first: int) -> Path:
        return self.directory / name_of(first)

    def _open(self, first: int) -> None:
        self.segments.append(Segment(self._path(first), self.manifest.head))

    def _is_leftover(self, first: int) -> bool:
        """Tell whether compaction has dropped the segment, or a rotation was cut short before the manifest knew it."""
        if first > self.manifest.newest:
            return self._path(first).stat().st_size <= HEADER_BYTES
        return first < self.manifest.oldest

    def _remove_leftovers(self) -> None:
        for first in self._firsts():
            if self._is_leftover(first):
                self._path(first).unlink()

    def make_ready(self) -> None:
        """Have everything as it must be for the next record.

        Raises:
            CorruptLog: Damage is known: nothing may be built on it.
        """
        damaged = self.known_damage()
        if damaged:
            raise CorruptLog(damaged[0])
        # Bytes behind the last record are those of a writer that died in its write, since nobody else holds the lock.
        self.cut_tail()
        self._ready = True

    def cut_tail(self) -> None:
        """Cut off what stands behind the last record of the newest segment and is no room for the next one."""
        newest = self.segments[-1]
        if newest.torn or newest.room > RESERVE_BYTES:
            newest.cut()
            if self.synced:
                sync(newest.descriptor)

    # -- following others, and changing

    def has_room(self) -> bool:
        """Tell whether all was found fit for the next record, and nobody has written or rotated since.

        It asks less than `follow` does: others may have compacted, and what was damaged meanwhile is not found.
        """
        return self._ready and self.segments[-1].has_room()

    def follow(self) -> None:
        """Take over what other handles did since the last call: appends, rotations, compactions."""
        same = self._witness.is_same()
        if same and self.segments and self.segments[-1].is_as_left():
            return
        self._ready = False
        if not same:
            self._read_manifest()
        if not self.segments:
            return
        newest = self.segments[-1]
        newest.acknowledged = self.manifest.head
        newest.catch_up()
        if self.manifest.newest > newest.first:
            for first in self._firsts():
                if newest.first < first <= self.manifest.newest:
                    self._open(first)
        while len(self.segments) > 1 and self.segments[0].first < self.manifest.oldest:
            self.segments.pop(0).close()

    def update(self, **changes: int) -> None:
        """Replace the manifest by one that knows the present head and segments, with these changes."""
        newest = self.segments[-1]
        if self.synced:
            sync(newest.descriptor)  # the manifest must not ask for more than is sure to be there
        changes = {"head": newest.next - 1, "chain": newest.chain, "newest": newest.first} | changes
        manifest = replace(self.manifest, update=self.manifest.update + 1, **changes)
        write_manifest(self.directory, manifest, synced=self.synced)
        self._read_manifest()
        self._ready = False

    def rotate(self) -> None:
        """Begin a new segment behind the newest, which takes no more appends."""
        self._remove_leftovers()
        newest = self.segments[-1]
        following = Segment.create(self.directory, newest.next, newest.chain)
        self.segments.append(following)
        try:
            newest.cut()
            if self.synced:
                sync(newest.descriptor)
                sync_directory(self.directory)
            # Only now, that the file is sure to be there, may the manifest ask for it; and only then may it be used.
            self.update()
        except BaseException:
            self.segments.remove(following)
            following.close()
            raise

    def drop_before(self, first: int) -> None:
        """Make `first` the first position, and remove the segments that hold only earlier ones."""
        if first == self.segments[-1].next > self.segments[-1].first:
            self.rotate()
        oldest = max(segment.first for segment in self.segments if segment.first <= first)
        self.update(first=first, oldest=oldest)
        while self.segments[0].first < oldest:
            self.segments.pop(0).close()
        self._remove_leftovers()

    def flush(self) -> None:
        """Return when all files have reached the disk."""
        for path in [
            *map(self._path, self._firsts()),
            *self.directory.glob("manifest*"),
            self.directory / "checkpoint",
        ]:
            if path.exists():
                with path.open("rb+") as file:
                    sync(file.fileno())
        sync_directory(self.directory)

    # -- what is there

    @property
    def head(self) -> int:
        """The last position, by the records and by the manifest."""
        return max([self.manifest.head, *(segment.next - 1 for segment in self.segments[-1:])])

    def holding(self, position: int) -> Segment | None:
        """Return the segment whose records may hold `position`."""
        for segment in reversed(self.segments):
            if segment.first <= position:
                return segment if position < segment.next else None
        return None

    def damaged(self) -> list[Damage]:
        """Return all damage that the manifest, the segments and their neighbourhood show."""
        return [*self._lost, *(one for segment in self.segments for one in segment.damaged), *self._misfits()]

    def known_damage(self) -> list[Damage]:
        """Return the damage found when the log was opened, and since then in what was followed; cheap."""
        known = self._found or self._lost or [one for segment in self.segments for one in segment.damaged]
        return known or list(self._unfinished())

    def count_whole(self) -> int:
        """Return how many events from the first one on can be read."""
        stops = [*(segment.first for segment in self.segments[1:]), inf]
        pairs = zip(self.segments, stops, strict=False)
        return sum(segment.count_whole(self.manifest.first, stop) for segment, stop in pairs)

    def _misfits(self) -> Iterator[Damage]:
        first = self.segments[0].first if self.segments else self.manifest.head + 1
        if first > self.manifest.oldest or not self.segments:
            yield Damage(name_of(self.manifest.oldest), 0, self.manifest.first, "the segment is missing")
        for before, after in zip(self.segments, self.segments[1:], strict=False):
            position = min(before.next, after.first)
            if before.next != after.first:
                yield Damage(before.path.name, before.end, position, f"does not end where {after.path.name} begins")
            elif before.size() > before.end:
                yield Damage(before.path.name, before.end, 0, "is longer than when it was closed")
        yield from self._unfinished()

    def _unfinished(self) -> Iterator[Damage]:
        """Compare the newest segment with what the manifest knows of it."""
        if not self.segments:
            return
        newest, manifest = self.segments[-1], self.manifest
        if newest.first < manifest.newest:
            yield Damage(newest.path.name, newest.end, newest.next, "the segments after it are missing")
        elif newest.first > manifest.newest:
            yield Damage(newest.path.name, 0, 0, "the manifest does not know of the segment")
        elif newest.next <= manifest.head or newest.short:
            reason = f"the file ends here, but position {self.head} was acknowledged"
            yield Damage(newest.path.name, min(newest.end, newest.size()), min(newest.next, self.head), reason)
        elif not newest.damaged and newest.chain_at(manifest.head) != manifest.chain:
            yield Damage(newest.path.name, 0, 0, "is not the file that the manifest was written with")

    def missing(self, position: int) -> CorruptLog:
        """Return the error for a position that should be there and can't be read."""
        before = [damage for damage in self.damaged() if 0 < damage.position <= position]
        return CorruptLog(before[-1] if before else Damage(MANIFEST, 0, position, "no segment has the position"))

    def close(self) -> None:
        """Close all files."""
        for segment in self.segments:
            segment.close()
        self.segments.clear()
        self._witness.close()
