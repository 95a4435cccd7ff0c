"""What came of a round, and how a store is opened for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.drive import Driver
from conformance.histories.drivers.schedule import Switch
from conformance.histories.operation import Operation
from conformance.histories.perform import Raised
from conformance.histories.plans.plan import Plan
from conformance.histories.records import as_asked
from conformance.place import place_of

#: Seconds after which a round hangs. It has up to 160 calls, and on a slow disk each may take a tenth of a second.
LIMIT_S = 30.0


@dataclass(frozen=True)
class Round:
    """What came of a round.

    Args:
        history: All calls, in the order in which they were made.
        raised: Calls that raised.
        stuck: Why some worker never came to its end; empty where all did.
        switches: Where the scheduler let another worker go on, when there was one.
    """

    history: Sequence[Operation]
    raised: Sequence[Raised] = ()
    stuck: str = ""
    switches: Sequence[Switch] = ()


#: Carries out a plan on a fresh store in an empty folder, with a seed for what else is drawn.
CarryOut = Callable[[Path, Plan, int], Round]
#: Prepares what rounds share, for a backend, a contract and a number of workers.
Meeting = Callable[[Backend, str, int], AbstractContextManager[CarryOut]]


def opened(backend: Backend, contract: str, folder: Path) -> tuple[Driver, Any]:
    """Return an open store in a folder, as a client asks it, and what calls it."""
    driver = Driver()
    try:
        where = place_of(backend, folder, namespace="concurrency")
        return driver, as_asked(contract, driver.open(getattr(backend, contract), where))
    except BaseException:
        driver.close()
        raise


def closed(driver: Driver, store: Any) -> None:
    """Close a store, and what calls it."""
    try:
        if callable(getattr(store, "close", None)):
            driver.call(store.close)
    finally:
        driver.close()
