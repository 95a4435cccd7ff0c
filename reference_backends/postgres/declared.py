"""What this backend promises, as the configuration of the server has it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from reference_backends.postgres.session import Access, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance import Where

#: Why no damage of the server's files is promised to be noticed.
UNNOTICED = (
    "PostgreSQL's commit log has no checksums: a flipped bit there, or a WAL that is cut off, undoes whole "
    "transactions, with all that could tell of them"
)

#: What a failed sync can cost where no other power loss costs anything.
CACHED = (
    "where the WAL can't be synced the server ends, and its recovery takes the WAL from memory of the kernel, where "
    "it is, but on no disk: a power loss before the first checkpoint after that leaves tables that are ahead of the WAL"
)

_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
_ASK = f"SELECT {', '.join(f'current_setting({name!r})' for name in _SETTINGS)}"


def declare(where: Where) -> Mapping[str, Any]:
    """Return the promises that depend on the settings of the server, which is asked for them.

    | setting | what is left |
    |---|---|
    | `synchronous_commit = off` | a commit is acknowledged before it is in a file: a kill of the server takes it |
    | `fsync = off` | a commit is in a file, but not on the disk: a power loss takes it, and may leave no database |
    | `full_page_writes = off` | a power loss in the midst of writing a page leaves half of it |

    Args:
        where: A place on the server.

    Raises:
        ConnectionError: There is no server, or it refuses.
    """
    with closing(Session(Access(where.url, "pg_catalog", "read committed", timeout=30.0))) as session:
        ((*values,),) = session.rows(_ASK)
    return promises(dict(zip(_SETTINGS, values, strict=True)))


def promises(settings: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what is promised at some settings.

    Args:
        settings: As the server shows them.
    """
    lacks = {"detects": UNNOTICED}
    durability = "power-loss"
    if settings["data_checksums"] == "off":
        lacks["detects"] = f"data_checksums=off: whatever a page has become is taken for true. {UNNOTICED}"
    if settings["full_page_writes"] == "off":
        durability = "process-crash"
        lacks["power-loss"] = "full_page_writes=off: a page that a power loss leaves half written can't be restored"
    if settings["fsync"] == "off":
        durability = "process-crash"
        lacks["power-loss"] = "fsync=off: the server does not wait until a commit, or anything else, is on the disk"
    if settings["synchronous_commit"] == "off":
        durability = "clean-close"
        lacks["process-crash"] = (
            "synchronous_commit=off: a commit is acknowledged while it is in the memory of the server only, whose kill "
            "takes the newest ones"
        )
    if durability == "power-loss":
        lacks["failed-sync"] = CACHED
    return {"durability": durability, "corruption": "silent", "lacks": lacks}
