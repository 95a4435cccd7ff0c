"""The texts of the files that `conformance init` writes."""

from __future__ import annotations

import builtins
from importlib.resources import files

from conformance.editions import newest
from conformance.scaffold.look import Looked

ADAPTER = "conformance_adapter.py"
#: The files of CI, by the service, and where each reads them.
WORKFLOWS = {"github": ".github/workflows/conformance.yml", "gitlab": ".gitlab-ci.yml"}
#: What the jobs install beside the project itself.
_KIT = '"pytest-backend-conformance[report]" pytest-xdist'

_ADAPTER = '''"""Opens {address} for the conformance kit: `pytest --backend={name}`."""

from __future__ import annotations

from typing import Any

{imports}


{opener} open_store(where: Where) -> Any:
    """Open the store in a directory that is fresh for each example, and the same again on a reopen."""
    store = {awaiting}{call}(str(where.path / "store"))
    return {opened}


backend = Backend(
    "{name}",
{fields}
    # What the store is not meant to do, with the reason, which every report prints. Nothing is disclaimed yet, so it is
    # held to the strictest promises.
    # lacks={{"power-loss": "a cache; the source of truth is elsewhere"}},
)
'''


def adapter(address: str, module: str, attribute: str, name: str, looked: Looked, *, awaited: bool) -> str:
    """Return the adapter of a store.

    Args:
        address: As it was given.
        module: What it is imported from.
        attribute: What opens it there.
        name: Of the backend.
        looked: What was seen of the store.
        awaited: The opener is written as a coroutine function.
    """
    adapts = bool(looked.verbs)
    imports = [
        f"from conformance import Backend, Where{', adapt' * adapts}",
        f"from {module} import {attribute.split('.')[0]}",
    ]
    named = [f"{verb}={_name(is_)}" for verb, is_ in looked.verbs.items()]
    named += [f"missing={looked.missing}"] if looked.missing else []
    fields = [f"    {contract}=open_store," for contract in looked.contracts]
    error = looked.error
    if error is not None and error.__module__ != builtins.__name__:
        imports.append(f"from {error.__module__} import {error.__name__}")
    if error is not None:
        fields.append(f'    errors={{"missing": {error.__name__}}},')
    return _ADAPTER.format(
        address=address,
        name=name,
        imports="\n".join(_joined(imports)),
        opener="async def" if awaited else "def",
        awaiting="await " if awaited and looked.opener_is_async else "",
        call=attribute,
        opened=f"adapt(store, {', '.join(named)})" if adapts else "store",
        fields="\n".join(fields),
    )


def _joined(imports: list[str]) -> list[str]:
    """Return the imports, those of one module in one line."""
    names: dict[str, list[str]] = {}
    for line in imports:
        _, module, _, what = line.split(" ", 3)
        names.setdefault(module, []).extend(one for one in what.split(", ") if one not in names.get(module, ()))
    return [f"from {module} import {', '.join(sorted(what))}" for module, what in names.items()]


def _name(name: str | None) -> str:
    return f'"{name}"' if name is not None else "None"


def configuration(name: str) -> str:
    """Return the tables of pyproject.toml."""
    return (
        "[tool.conformance]\n"
        f'backend = "{name}"\n'
        "# A newer kit brings more checks: they gate when this says so.\n"
        f'edition = "{newest()}"\n'
        "\n"
        "[tool.conformance.backends]\n"
        f'{name} = "{ADAPTER}:backend"\n'
    )


def workflow(service: str, name: str, installed: str) -> str:
    """Return the file of a service of CI.

    Args:
        service: `github` or `gitlab`.
        name: Of the backend.
        installed: How pip is told the project itself, such as `.`; empty for nothing.
    """
    text = files("conformance.scaffold").joinpath("templates").joinpath(f"{service}.yml").read_text(encoding="utf-8")
    return text.replace("@BACKEND@", name).replace("@INSTALL@", f"{installed} {_KIT}".strip())
