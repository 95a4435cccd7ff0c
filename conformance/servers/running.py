"""The `Running` record: a server that answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from conformance.servers.server import STOP_S


class Held(Protocol):
    """What a server is held by: its process, or its container."""

    @property
    def mine(self) -> bool:
        """Whether this process has started it; a forked child has not."""
        ...

    @property
    def pid(self) -> int | None:
        """The number of its process on this machine, while it runs."""

    @property
    def log(self) -> str:
        """What it has printed."""
        ...

    def stop(self, patience_s: float = STOP_S, /) -> None:
        """End it in good order, and remove what is not needed any more."""

    def kill(self) -> None:
        """End it at once."""

    def pause(self) -> None:
        """Have it do nothing."""

    def resume(self) -> None:
        """Have it go on."""

    def restart(self) -> None:
        """Start it again at its address."""


@dataclass(frozen=True)
class Running:
    """A server that answers; a context manager that stops it.

    Args:
        url: Its address.
        how: What it is and where it comes from, in a line for a report.
        private: Whether it is the kit's own, which may be killed. One that the environment names is not.
        held: By what; None for one that is not the kit's, or another process's.
    """

    url: str
    how: str
    private: bool = True
    held: Held | None = field(default=None, repr=False, compare=False)

    @property
    def pid(self) -> int | None:
        """The number of the server's process; None when that is unknown, or it does not run."""
        return self.held.pid if self.held else None

    @property
    def log(self) -> str:
        """What the server has printed; empty when that is unknown."""
        return self.held.log if self.held else ""

    def stop(self, patience_s: float = STOP_S) -> None:
        """End the server in good order; nothing happens when it has ended, or is not this process's.

        Args:
            patience_s: Seconds after which it is killed.
        """
        if self.held and self.held.mine:
            self.held.stop(patience_s)

    def kill(self) -> None:
        """End all processes of the server at once, as a power cut does; its data stay."""
        self._own("kill").kill()

    def pause(self) -> None:
        """Have all processes of the server do nothing: connections stay open, and nothing answers."""
        self._own("pause").pause()

    def resume(self) -> None:
        """Have a paused server go on."""
        self._own("resume").resume()

    def restart(self) -> None:
        """Start a server that was killed again, on its data and at its address.

        Raises:
            StartError: It does not start.
        """
        self._own("restart").restart()

    def __enter__(self) -> Running:  # noqa: PYI034 - `Self` needs Python 3.11, and nobody inherits
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _own(self, verb: str) -> Held:
        if self.held is None or not self.held.mine:
            raise ValueError(f"{verb}(): {self.how} is not this process's to {verb}; only who started it can.")
        return self.held


__all__ = ["Held", "Running"]
