"""Commands, and programs of them: what a verb asks the server, apart from how the asking is done.

A verb is a generator that yields commands, is sent their replies, and returns its answer. So it is written once, and
run by plain calls (`connections`) or by awaited ones (`async_connections`).

What is asked again after a failure
    Only what never reached the server, and what only looks. A write is not sent twice, a plain put neither: between
    its first taking effect, whose answer was lost, and its second, somebody may have put and read another value, which
    the second would undo. It raises `NotAnsweredError` instead, and the caller decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
from redis.exceptions import BusyLoadingError

from reference_backends.redis.errors import NotAnsweredError, NotReachedError

T = TypeVar("T")

#: Yields commands, is sent their replies, returns an answer.
Program = Generator["Command", Any, T]

#: How often a command is tried at most. There is no pause in between: what needs longer, its caller must know of. A
#: time-out has been waited for long enough, and is the last attempt.
ATTEMPTS_MAX = 3

Part = bytes | str | int


@dataclass(frozen=True)
class Script:
    """A Lua script: it runs as a whole, and nobody comes in between.

    Attributes:
        name: As in messages.
        source: Its text.
    """

    name: str
    source: str

    @property
    def digest(self) -> str:
        """What the server knows the script by, once it has seen it."""
        return hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Command:
    """What is sent in one go.

    Attributes:
        name: As in messages.
        parts: What is sent.
        in_full: What is sent instead where the server does not know the script yet.
        looks: Whether it only looks, so that asking twice is as good as asking once.
    """

    name: str
    parts: tuple[Part, ...]
    in_full: tuple[Part, ...] = ()
    looks: bool = False


def plain(*parts: Part, looks: bool = False) -> Command:
    """Return a command of the server's own."""
    return Command(str(parts[0]), parts, looks=looks)


def evaluated(script: Script, keys: Sequence[bytes], *arguments: Part, looks: bool = False) -> Command:
    """Return a command that runs a script.

    Args:
        script: The script.
        keys: Every key of the server that it touches, as a cluster demands.
        *arguments: Its other arguments.
        looks: Whether it only looks. What removes what has expired only looks as well: nobody sees a difference.
    """
    rest = (len(keys), *keys, *arguments)
    return Command(script.name, ("EVALSHA", script.digest, *rest), ("EVAL", script.source, *rest), looks)


class Attempts:
    """The attempts at one command.

    Args:
        command: The command.

    Attributes:
        sent: Whether the present attempt began to send it.
    """

    def __init__(self, command: Command) -> None:
        self._command = command
        self._made = 0
        self.sent = False

    def failed(self, error: Exception) -> None:
        """Take note that an attempt failed, and return if there is to be another one.

        Raises:
            NotAnsweredError: The command may have taken effect, and is more than a look.
            NotReachedError: It has not; or it only looks, and all attempts failed.
        """
        # A server that is still loading its data says so, and does nothing.
        ambiguous = self.sent and not self._command.looks and not isinstance(error, BusyLoadingError)
        self._made += 1
        self.sent = False
        what = f"{self._command.name}: {str(error).rstrip('.')}."
        if ambiguous:
            raise NotAnsweredError(
                f"{what} The command was sent, so that it may have been done or not. It is not "
                f"sent again, because it might be done twice: look what is stored, and decide."
            ) from error
        if self._made == ATTEMPTS_MAX or isinstance(error, redis.TimeoutError):
            times = "once" if self._made == 1 else f"{self._made} times"
            raise NotReachedError(
                f"{what} Tried {times}; nothing was changed. Is the server up, and is the URL the right one?"
            ) from error
