"""What a disk may do with what was asked of it: the rules of a file system after a crash, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: Bytes that a disk writes as one: what is overwritten in place may tear between sectors.
SECTOR_BYTES = 512
#: Bytes of a page of memory: what a file system writes back, and what a killed process has written, is whole pages.
PAGE_BYTES = 4096


@dataclass(frozen=True)
class DiskModel:
    """The rules that say which parts of a trace a crash may leave behind.

    Args:
        name: How users name it.
        sentence: What it allows, in one line.
        sources: Where the rules were taken from.
        kill: Only the process dies: all that was asked for before is there.
        journal: Names and sizes reach the disk in the order they were asked for. A file grows in order, in pages, its
            bytes before its size. Without it: any subset in any order, in sectors, the size before or after the bytes.
        replace_waits: A rename over an existing name waits for the bytes of the file, and so does the next change
            elsewhere for those of a file that was cut to nothing and written anew (`auto_da_alloc` of ext4).
        sync_commits_all: A sync that has anything of its own to write makes all earlier names and sizes durable.
        sync_keeps_name: A sync of a file makes its names durable as well, and those of the directories above it.
    """

    name: str
    sentence: str
    sources: tuple[str, ...]
    kill: bool = False
    journal: bool = False
    replace_waits: bool = False
    sync_commits_all: bool = False
    sync_keeps_name: bool = False

    @property
    def overwrite_bytes(self) -> int:
        """The unit in which bytes inside a file reach the disk."""
        return PAGE_BYTES if self.kill else SECTOR_BYTES

    @property
    def append_bytes(self) -> int:
        """The unit in which a file grows."""
        return PAGE_BYTES if self.kill or self.journal else SECTOR_BYTES


_ALICE = "Pillai et al., All File Systems Are Not Created Equal, OSDI 2014 (ALICE, BOB)"
_SQLITE = "SQLite, test6.c: each unsynced write is applied, dropped or torn"
_EXT4 = "Linux, Documentation/admin-guide/ext4.rst: data=ordered, auto_da_alloc; fs/ext4/fsync.c"
_XFS = "Linux, fs/xfs/xfs_file.c and fs/xfs/xfs_aops.c: a log force at fsync, sizes set after the data is written"
_MEASURED = "Operations carried out on loop-mounted ext4, XFS and btrfs, the block image copied after each"

_ALL = (
    DiskModel(
        name="kill",
        sentence="The process is killed: all it asked for before is there, its last write perhaps in part.",
        sources=("POSIX, write(2): the page cache outlives the process", "Linux, mm/filemap.c: writes go page by page"),
        kill=True,
    ),
    DiskModel(
        name="ext4",
        sentence="Power is lost: names and sizes in order, bytes before sizes, a replaced file never comes out empty.",
        sources=(_EXT4, _MEASURED),
        journal=True,
        replace_waits=True,
        sync_commits_all=True,
        sync_keeps_name=True,
    ),
    DiskModel(
        name="xfs",
        sentence="Power is lost: as ext4, but a file renamed or rewritten without a sync may come out empty.",
        sources=(_XFS, _MEASURED),
        journal=True,
        sync_commits_all=True,
        sync_keeps_name=True,
    ),
    DiskModel(
        name="posix",
        sentence="Power is lost: any part of what was not synced, in any order; a synced file keeps its name.",
        sources=("POSIX.1-2024, fsync(): nothing is promised of what was not synced", _SQLITE, _MEASURED),
        sync_keeps_name=True,
    ),
    DiskModel(
        name="paranoid",
        sentence="Power is lost: as posix, but only a sync of its directory makes a name durable.",
        sources=(_ALICE, "Linux, fsync(2): a sync of a file need not sync the entry in its directory"),
    ),
)

#: The models by name, from what allows least to what allows most.
MODELS: Mapping[str, DiskModel] = MappingProxyType({model.name: model for model in _ALL})
