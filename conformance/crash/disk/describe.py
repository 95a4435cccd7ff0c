"""Operations in words, for labels, and their behaviour: what is alike in operations that differ in place and data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from conformance.crash.disk.atoms import Atom
from conformance.crash.trace import (
    ROOT,
    Create,
    Link,
    Mark,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncAll,
    Trace,
    Truncate,
    Write,
)

#: What in a file name tells apart files of one role: numbers, and words of hexadecimal digits.
_VARYING = re.compile(r"[0-9a-fA-F]{4,}|[0-9]+")

#: What an operation does and to which kind of file, whether it makes the file larger, and how many atoms it has, log 2.
Behaviour = tuple[str, str, bool, int]


def names_of(trace: Trace) -> Mapping[int, str]:
    """Return the first name of each node."""
    names = {ROOT: "."}
    for operation in (*trace.initial, *trace.operations):
        if isinstance(operation, Create):
            names[operation.node] = operation.name
    return names


def described(operation: Operation, names: Mapping[int, str]) -> str:
    """Return an operation in a few words, with the first names of the files."""
    match operation:
        case Create(_, name, _, is_directory):
            return f"mkdir {name}" if is_directory else f"create {name}"
        case Link(_, name, node):
            return f"link {names[node]} as {name}"
        case Remove(_, name):
            return f"remove {name}"
        case Rename(_, name, _, to_name):
            return f"rename {name} to {to_name}"
        case Write(node, offset, data):
            return f"write {names[node]} [{offset}..{offset + len(data)})"
        case Truncate(node, size):
            return f"truncate {names[node]} to {size}"
        case Sync(node, failed):
            return f"sync {names[node]}{' (failed)' if failed else ''}"
        case SyncAll():
            return "sync all"
        case Mark(text):
            return text


def behaviour(operation: Operation, atoms: Sequence[Atom], names: Mapping[int, str]) -> Behaviour:
    """Return what an operation has in common with others like it.

    Source: the update behaviours of Pathfinder, OOPSLA 2025, with the role of the file in place of the call stack.
    """
    match operation:
        case Create(_, name, _, _) | Remove(_, name):
            role = name
        case Link(_, name, node):
            role = f"{names[node]} {name}"
        case Rename(_, name, _, to_name):
            role = f"{name} {to_name}"
        case Write(node, _, _) | Truncate(node, _) | Sync(node, _):
            role = names[node]
        case SyncAll() | Mark(_):
            role = ""
    extends = any(atom.extends for atom in atoms)
    return type(operation).__name__, _VARYING.sub("#", role), extends, len(atoms).bit_length()
