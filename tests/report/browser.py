"""A headless Chromium, spoken to over its DevTools protocol through pipes: what a page asks for and what it says.

Source: https://chromedevtools.github.io/devtools-protocol/ and the switch `--remote-debugging-pipe`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: How long any one answer may take.
PATIENCE_S = 60
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


def chromium() -> str | None:
    """Return the program, if one is installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """A browser that runs until it is closed."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4.
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *_SWITCHES, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._number = 0
        self._buffer = b""
        #: What it told without being asked, by session.
        self.events: dict[str, list[dict[str, Any]]] = {}

    def close(self) -> None:
        """End the browser."""
        os.close(self._to)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            self._keep(answer)

    def wait(self, session: str, method: str) -> None:
        """Wait for an event."""
        while not any(event["method"] == method for event in self.events.get(session, ())):
            self._keep(self._next())

    def _keep(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.events.setdefault(message.get("sessionId", ""), []).append(message)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._from], [], [], PATIENCE_S)
            assert ready, "the browser does not answer"
            data = os.read(self._from, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


class Tab:
    """A page that was loaded."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        return self._browser.call(method, self._session, **params)

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def content_width(self) -> int:
        """Return how wide what can be scrolled to is, in CSS pixels."""
        return int(self.call("Page.getLayoutMetrics")["cssContentSize"]["width"])

    def requested(self) -> list[str]:
        """Return the addresses that were asked for."""
        return [event["params"]["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    def complaints(self) -> list[Any]:
        """Return errors and warnings, of the page and of the browser about it."""
        logged = [event["params"]["entry"] for event in self._events("Log.entryAdded")]
        return [
            *(entry["text"] for entry in logged if entry["level"] in ("error", "warning")),
            *(event["params"]["exceptionDetails"] for event in self._events("Runtime.exceptionThrown")),
            *(event["params"]["args"] for event in self._events("Runtime.consoleAPICalled")),
        ]

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self._browser.events.get(self._session, ()) if event["method"] == method]


@contextmanager
def opened(
    browser: Browser, address: str, *, width: int = 1200, scripts: bool = True, dark: bool = False
) -> Iterator[Tab]:
    """Open a page in a tab of its own and give it when it is loaded."""
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    tab = Tab(browser, session)
    for domain in ("Page", "Network", "Log", "Runtime"):
        tab.call(f"{domain}.enable")
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    tab.call("Emulation.setScriptExecutionDisabled", value=not scripts)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    tab.call("Emulation.setEmulatedMedia", features=[scheme])
    browser.events.pop(session, None)
    tab.call("Page.navigate", url=address)
    browser.wait(session, "Page.loadEventFired")
    try:
        yield tab
    finally:
        browser.call("Target.closeTarget", targetId=target)
