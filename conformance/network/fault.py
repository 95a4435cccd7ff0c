"""What can go wrong between a client and its server, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "cut before the request",
    "cut in the request",
    "cut before the reply",
    "cut in the reply",
    "lost requests",
    "lost reply",
    "late reply",
    "late reply, with the next",
    "nothing",
]

#: The connection is closed, and nothing else is wrong: the next one works. What finds most comes first.
CUTS: tuple[Kind, ...] = (
    "cut before the reply",
    "cut in the request",
    "cut in the reply",
    "cut before the request",
)

#: What each comes to, for people; `{which}` is the request.
MEANING: Mapping[Kind, str] = {
    "cut before the request": "{which} is not passed on, and its connection is closed",
    "cut in the request": "the first half of {which} is passed on, and its connection is closed",
    "cut before the reply": "{which} is carried out, and its connection is closed without the reply",
    "cut in the reply": "{which} is carried out, and its connection is closed after half of the reply",
    "lost requests": "from {which} on nothing is passed on, on any connection, and none is closed",
    "lost reply": "{which} is carried out; nothing comes back on its connection, which stays open",
    "late reply": "{which} is carried out; the reply comes when the client has given up waiting for it",
    "late reply, with the next": "{which} is carried out; the reply comes together with that to the next request on "
    "the same connection",
    "nothing": "{which} is passed on",
}


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong once.

    Args:
        kind: What; `nothing` for a request that is only noticed.
        request: At which request from now on, from 1. A request is what a client sends on a connection on which no
            reply is due; whatever it sends until the reply begins is part of it.
    """

    kind: Kind
    request: int = 1

    def told(self, which: str) -> str:
        """Return what it comes to, as a sentence about `which` request."""
        return MEANING[self.kind].format(which=which)
