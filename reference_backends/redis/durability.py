"""What the server's configuration makes of a write: asked, not assumed."""

from __future__ import annotations

from functools import partial
from typing import Any

from redis.exceptions import ResponseError

from reference_backends.redis.command import plain
from reference_backends.redis.connections import Connections
from reference_backends.redis.sealing import seal

#: What is lacking whatever the configuration.
LACKS = {
    "detects": "the server's append-only file has no checksums: a value that changed is noticed by the digest of its "
    "record, but a command that is lost from the file is not",
    "failed-sync": "where a sync fails and power is lost, the append-only file may have a hole, with which Redis does "
    "not start: what was acknowledged is there, but the file needs `redis-check-aof --fix` (Redis 8.4 can cut off "
    "such a tail)",
    "too-many-files": "where Redis 7 can't open the folder of its files at the end of a rewrite, it removes the file "
    "that their manifest names, and does not start again: the older files are there, but the manifest has to be put "
    "right by hand",
}

#: What decides. Each is asked alone: before Redis 7, CONFIG GET takes one name.
_SETTINGS = ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save", "maxmemory", "maxmemory-policy")


def declared(url: str) -> dict[str, Any]:
    """Return the durability of a store on a server, and what it lacks.

    Args:
        url: Of the server.

    Raises:
        NotReachedError: There is no server.
        NotSealedError: It can't rewrite its append-only file.
    """
    connections = Connections(url, partial(seal, anew=True))  # whether it may be, shows when it is
    try:
        settings = {name: _setting(connections, name) for name in _SETTINGS}
    except ResponseError as error:
        # As on many hosted servers. Nothing is known then, and nothing is promised.
        return _promise("volatile", f"the server does not tell its configuration ({error})")
    finally:
        connections.close()
    return judged(settings, connections.unsealed)


def judged(settings: dict[str, str], unsealed: str) -> dict[str, Any]:
    """Return what settings amount to: the fields `durability` and `lacks` of a `Backend`.

    Args:
        settings: The value of each setting that CONFIG GET tells.
        unsealed: Why the append-only file can't be sealed, as `sealing` means it; empty when it can.
    """
    policy = settings["maxmemory-policy"]
    if settings["maxmemory"] != "0" and policy.startswith("allkeys-"):
        return _promise("volatile", f"maxmemory-policy is {policy}: the server drops keys when its memory is full")
    if settings["appendonly"] != "yes":
        if settings["save"]:
            return _promise(
                "clean-close",
                f"appendonly is {settings['appendonly']}: what was written since the last snapshot file is gone when "
                f"the server does not end in good order (save is {settings['save']!r})",
            )
        return _promise("volatile", "appendonly is no and save is empty: nothing is ever written to a disk")
    if unsealed:
        return _promise(
            "clean-close", f"{unsealed}: what a kill or a power loss left half done could come back with later writes"
        )
    fsync = settings["appendfsync"]
    if fsync in ("always", "everysec") and settings["no-appendfsync-on-rewrite"] == "yes":
        return _promise(
            "process-crash",
            "no-appendfsync-on-rewrite is yes: while the file is rewritten, nothing is synced to the disk",
        )
    if fsync == "always":
        return _promise("power-loss")
    if fsync == "everysec":
        return _promise("prefix")
    return _promise("process-crash", f"appendfsync is {fsync}: the operating system decides when the disk has a write")


#: What a store lacks first whose durability is that: the next better level, as `conformance` names it.
_LACKED = {"process-crash": "power-loss", "clean-close": "process-crash", "volatile": "clean-close"}


def _promise(level: str, reason: str = "") -> dict[str, Any]:
    # `prefix` stands for itself: to lack `power-loss` would be to lack a prefix too.
    lacked = {_LACKED[level]: reason} if reason else {}
    return {"durability": level, "lacks": {**lacked, **LACKS}}


def _setting(connections: Connections, name: str) -> str:
    pairs = connections.call(plain("CONFIG", "GET", name, looks=True))
    return str(pairs[1].decode()) if pairs else ""
