"""What was seen of the findings by hand: why each is a true one, and the issue upstream where there is one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """What findings with one cause come to.

    Args:
        codes: The checks, separated by blanks; `-02` is that of the area before.
        text: What is seen, and why, in a sentence or two, as Markdown.
        upstream: The address of the issue, or of the documentation that says so; empty where none was found.
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


#: By the name of the store.
NOTES: dict[str, tuple[Note, ...]] = {}
