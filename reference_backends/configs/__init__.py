"""Configurations that people read and edit: one JSON, YAML or TOML file each, with a version and references.

    configs = ConfigStore(path, current=2, migrations={1: name_the_model})
    configs["defaults"] = {"model": {"name": "small"}}
    configs["chat-agent"] = {"model": {"$ref": "defaults#/model"}}
    configs["chat-agent"]["model"]["name"]      # "small"

| module | what it holds |
|---|---|
| `store` | the store of documents: names, files, migrations |
| `formats` | documents as text, exact or refused |
| `references` | what `$ref` leads to |
| `entries` | any key and any value, each in a document: the store as the `state` contract has it |
"""

from __future__ import annotations

from conformance import Backend, Where
from reference_backends._errors import NewerSchemaError
from reference_backends.configs.entries import EntryState
from reference_backends.configs.errors import ConfigNameError, CorruptConfig, MigrationError, UnresolvedReference
from reference_backends.configs.store import ConfigStore

__all__ = [
    "ConfigNameError",
    "ConfigStore",
    "CorruptConfig",
    "EntryState",
    "MigrationError",
    "NewerSchemaError",
    "UnresolvedReference",
    "backend",
    "open_state",
    "open_yaml_state",
    "yaml",
]


def open_state(where: Where) -> EntryState:
    """Open the state store in the directory of `where`, a JSON document for each entry."""
    return EntryState(ConfigStore(where.path / "configs"))


def open_yaml_state(where: Where) -> EntryState:
    """Open the state store in the directory of `where`, a YAML document for each entry."""
    return EntryState(ConfigStore(where.path / "configs", form="yaml"))


_LACKS = {
    "detects": "documents are for people to edit: a checksum would refuse what they changed",
    "cas": "what people edit gets no version that nothing else had",
    "transactions": "one document is replaced at a time; there is no moment at which several are",
    "ttl": "nothing looks at the clock",
    "history": "a copy is kept of what was migrated, and of nothing else",
    "snapshots": "a copy of the directory is one",
    "health": "it is a directory: look at it",
    "maintenance": "there is nothing to be compacted, and no checksum to verify",
}
_ERRORS = {"corrupt": CorruptConfig}

backend = Backend("configs", state=open_state, lacks=_LACKS, errors=_ERRORS)
yaml = Backend("configs-yaml", state=open_yaml_state, lacks=_LACKS, errors=_ERRORS)
