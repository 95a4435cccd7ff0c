"""Sealing: the append-only file of a server that was started is rewritten before anything is added to it.

What a script or a transaction with several effects did, is a block from MULTI to EXEC in Redis' append-only file; up to
6.2 that is so of every script. When a kill or a power loss leaves a part of a block, the next server rolls the block
back in memory. But of the file it removes only the command that is torn: MULTI, and the whole commands behind it, stay,
and new commands are added there. The server after that one takes them for parts of the old block: where an EXEC
follows, the half of the old one is executed with it; where none does, acknowledged commands are dropped. Redis 6.2 and
7 do so (`loadSingleAppendOnlyFile` in src/aof.c: `valid_before_multi` counts only where a block ends between two
commands). Source: https://github.com/valkey-io/valkey/pull/4342, which mends it in Valkey.

A rewritten file is made from what is in memory, and has no open block. So before the first command on a new connection
the server is asked whether it has rewritten its file since it was started, and told to do so if not. That is once in a
server's life, whoever opens stores there: one look for each connection, and no key.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from redis.exceptions import NoPermissionError, ResponseError

from reference_backends.redis.command import Command, plain
from reference_backends.redis.errors import NotSealedError

#: How long the end of a rewrite is waited for: all that is in memory is written once.
LIMIT_SECONDS = 60.0
#: The pauses between two looks: the first, and the longest.
_FIRST_SECONDS, _LONGEST_SECONDS = 0.001, 0.02

#: How often a rewrite is tried. Redis 7 needs the second where the first could not sync the folder of its files: it has
#: removed one that their manifest names, and writes the manifest again.
_TRIES = 2
#: What the server says when somebody else was first, and when it has no such command.
_IN_PROGRESS, _UNKNOWN = "already in progress", "unknown command"


@dataclass(frozen=True)
class Pause:
    """To be done instead of a command: nothing, for some seconds."""

    seconds: float


#: Yields commands and pauses; is sent replies, errors among them; returns why the file can't be sealed, or nothing.
Sealing = Generator[Command | Pause, Any, str]


class _Refused(Exception):
    """The server does not tell what has to be known, or does not do what it is told."""


def seal(*, anew: bool = False) -> Sealing:
    """Have the file rewritten, unless that was done since the server was started, or there is none.

    Args:
        anew: Have it rewritten also when that was done.

    Raises:
        NotSealedError: The rewrite failed, or takes too long.
    """
    try:
        facts = yield from _facts()
        if facts["aof_enabled"] == "0" or (_done(facts) and not anew):
            return ""
        why = ""
        for _ in range(_TRIES):
            if not (why := (yield from _rewrite())):
                return ""
    except _Refused as refusal:
        return str(refusal)
    raise NotSealedError(
        f"The server could not rewrite its append-only file: {why}. Nothing is written before it has, because what an "
        f"earlier server left half done could come back with it. See that the disk and the memory have room, and try "
        f"again."
    )


def _rewrite() -> Sealing:
    """Have the file rewritten, and return why that failed, or an empty text."""
    reply = yield plain("BGREWRITEAOF")
    if isinstance(reply, NoPermissionError) or (isinstance(reply, ResponseError) and _UNKNOWN in str(reply)):
        raise _Refused(f"the server does not rewrite its append-only file when it is told to ({reply})")
    if isinstance(reply, ResponseError) and _IN_PROGRESS not in str(reply):
        return str(reply).rstrip(".")
    waited, pause = 0.0, _FIRST_SECONDS
    while _going_on(facts := (yield from _facts())):
        if waited >= LIMIT_SECONDS:
            raise NotSealedError(
                f"The server has been rewriting its append-only file for {LIMIT_SECONDS:g} s. Nothing is written "
                f"before it has ended. Try again then."
            )
        yield Pause(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_SECONDS)
    return "" if _done(facts) else "the rewrite failed, and the log of the server says why"


def _facts() -> Generator[Command, Any, dict[str, str]]:
    reply = yield plain("INFO", "persistence", looks=True)
    if isinstance(reply, ResponseError):
        raise _Refused(f"the server does not tell about its append-only file ({reply})")
    facts = dict(line.split(":", 1) for line in reply.decode().splitlines() if ":" in line)
    if "aof_enabled" not in facts:
        raise _Refused("the server does not tell about its append-only file")
    return facts


def _going_on(facts: dict[str, str]) -> bool:
    return facts["aof_rewrite_in_progress"] == "1" or facts["aof_rewrite_scheduled"] == "1"


def _done(facts: dict[str, str]) -> bool:
    """Tell whether the last rewrite in the life of the server went well; its duration is -1 where there was none."""
    failed = facts["aof_last_bgrewrite_status"] != "ok"
    return not _going_on(facts) and not failed and int(facts["aof_last_rewrite_time_sec"]) >= 0
