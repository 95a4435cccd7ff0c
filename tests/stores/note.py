"""A note of what was seen of findings by hand, and what notes of several stores say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """What findings with one cause come to.

    Args:
        codes: The checks, separated by blanks; `-02` is that of the area before.
        text: What is seen, and why, in a sentence or two, as Markdown.
        upstream: The address of the issue, or of the documentation that says so; empty where a search among the
            threads of its repository found none.
    """

    codes: str
    text: str
    upstream: str = ""


def codes_of(note: Note) -> list[str]:
    """Return the codes of a note in full.

    Example:
        >>> codes_of(Note("STATE-CRASH-01 -03 STATE-KEY-02", ""))
        ['STATE-CRASH-01', 'STATE-CRASH-03', 'STATE-KEY-02']
    """
    found: list[str] = []
    for part in note.codes.split():
        found.append(found[-1].rpartition("-")[0] + part if part.startswith("-") else part)
    return found


SQLITE = (
    "SQLite has no checksums: what damage does to a value is given as the value, and a database that was emptied is a "
    "new one. Its checksum VFS would notice."
)
SQLITE_DOCS = "https://www.sqlite.org/cksumvfs.html"
JSON = (
    '`(1, 2)` comes back as `[1, 2]`, `{1: "a", "1": "b"}` with one entry, and `"\\ud83d\\ude00"`, two characters, as '
    "the one emoji: what `json.dumps` and `json.loads` make of them."
)
FILES = "the content of a file is the value, without a checksum: whatever damage makes of it is given."
NO_SYNC = "nothing is synced: a power loss leaves files that are empty, cut short, or not there."

JOURNAL = (
    "SQLite in its default journal mode: the removal of the journal, which is the commit, is not synced. After a power "
    "loss it is back, and undoes what was written last. `PRAGMA synchronous = EXTRA` would sync it."
)
JOURNAL_DOCS = "https://www.sqlite.org/pragma.html#pragma_synchronous"
