"""Whether a result of the kit speaks for the target: the same version, the same promises, all that is moved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.check import DIFFERENTIAL, catalogue
from conformance.migrate.errors import Stopped, Unfit
from conformance.migrate.side import Side
from conformance.recording import raised
from conformance.versions import backend_version, kit_version

_MAKE_ONE = (
    "Make one with `pytest --backend=... --conformance-json=FILE`, or move the data all the same with --unproven."
)
#: About no contract; about several backends.
_NOT_ASKED = ("open", DIFFERENTIAL)


def check_proof(path: Path, target: Side, contracts: Iterable[str]) -> str:
    """Return in words what a result says of a target, if it speaks for it.

    It does if it was made by this version of the kit, of this version of the backend, held to the promises that the
    target makes now, with every check of every suite of each contract that is moved; and if its verdict is conformance,
    with known gaps or without.

    Args:
        path: What `--conformance-json=FILE` wrote.
        target: The target; where its promises depend on a server, that server is asked.
        contracts: What is moved.

    Raises:
        Unfit: It does not; the text says why.
        Stopped: The server can't be asked.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        kit, backends = record["kit"]["version"], list(record["backends"])
        backend = _promising(target)
        found = next((one for one in backends if backend.address and one["address"] == backend.address), None)
        found = found or next((one for one in backends if one["name"] == backend.name), None)
        if found is None:
            names = ", ".join(one["name"] for one in backends) or "nothing"
            raise Unfit(f"{path} is the result of {names}, not of {backend.name}. {_MAKE_ONE}")
        for reason in _against(found, kit, backend, contracts):
            raise Unfit(f"{path} does not speak for {target}: {reason}. {_MAKE_ONE}")
        return f"{found['verdict']} ({path}: kit {kit}, {found.get('version') or 'of no known version'})"
    except OSError as error:
        raise Unfit(f"{path}: {error.strerror}. {_MAKE_ONE}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unfit(f"{path} is no result of the kit, or of another version of it. {_MAKE_ONE}") from None


def _against(found: Mapping[str, Any], kit: str, backend: Backend, contracts: Iterable[str]) -> Iterator[str]:
    """Give the reasons why a result does not speak for a backend."""
    version = backend_version(backend.address)
    if kit != kit_version():
        yield f"it was made by version {kit} of the kit, and this is {kit_version()}"
    if not version or found.get("version") != version:
        yield f"it is about the version {found.get('version') or 'unknown'}, and this is {version or 'unknown'}"
    if not found["verdict"].startswith("CONFORMANT"):
        yield f"its verdict is {found['verdict']}"
    if found["case"] or found["round"] or found["selected"] < found["of"]:
        yield f"only {found['selected']} of {found['of']} checks were selected"
    asked = [suite for contract in found["contracts"] for suite in contract["suites"]]
    blocked = sum(check["outcome"] == "blocked" for suite in asked for check in suite.get("checks", ()))
    if blocked:
        yield f"known gaps kept {blocked} of its checks from being carried out"
    for promise in found["promises"]:
        if getattr(backend, promise["name"]) != promise["claimed"]:
            now = getattr(backend, promise["name"])
            yield f"the {promise['name']} that it was held to is {promise['claimed']}, and {now} is promised now"
    if set(found["lacks"]) != set(backend.lacks):
        yield f"it lacked {_listed(found['lacks'])}, and lacks {_listed(backend.lacks)} now"
    judged = {one["name"]: {suite["name"] for suite in one["suites"]} for one in found["contracts"]}
    for contract in contracts:
        suites = {check.suite for check in catalogue().values() if check.contract == contract}
        missing = sorted(suites - judged.get(contract, set()) - set(_NOT_ASKED))
        if missing:
            yield f"the {contract} was not judged by the suites {', '.join(missing)}"


def _promising(side: Side) -> Backend:
    """Return the backend of a side with the promises that it makes where it is."""
    backend = side.backend
    if backend.declare is None:
        return backend
    try:
        told = dict(backend.declare(side.where))
    except Exception as error:
        raise Stopped(f"asking what {side} promises raised {raised(error)}") from error
    return replace(backend, **{**told, "lacks": {**backend.lacks, **told.get("lacks", {})}})


def _listed(lacks: Iterable[str]) -> str:
    return ", ".join(sorted(lacks)) or "nothing"
