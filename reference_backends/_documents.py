"""The files of the `file` backend: the name that a key gives, and a document with its checksum."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from reference_backends._json import dumps, loads

if TYPE_CHECKING:
    from pathlib import Path

#: The bytes that stand for themselves in a file name. Upper case is not among them, because macOS and Windows ignore
#: case; nor is the dot, because a suffix begins with it.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")

#: Most file systems end at 255 bytes, and a backup has a longer name than its document.
_NAME_LENGTH_MAX = 240

_HASHED_NAME = re.compile(r"h_[0-9a-f]{64}\.json")

# One field a line, so that a person finds his way, and the key of a damaged document can be found as well.
_DOCUMENT = '{{\n  "format": 1,\n  "key": {key},\n  "version": "{version}",\n  "value": {value}'
_KEY_LINE = re.compile(rb'{\n  "format": 1,\n  "key": (".*"),\n')
_CHECKSUM = b',\n  "sha256": "'
_END = b'"\n}\n'


class CorruptDocument(Exception):
    """A file is not what the store wrote under that name.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class Document(NamedTuple):
    """What a file holds: a key, the version that its last write gave it, and its value."""

    key: str
    version: str
    value: Any


def hash_of(key: str) -> str:
    """Return the SHA-256 of `key` in hexadecimal digits, the same in every process."""
    return hashlib.sha256(_bytes(key)).hexdigest()


def file_name(key: str) -> str:
    """Return the name of the file that the document of `key` is in.

    It tells the key, escaped, where that fits, or else its hash. The prefix keeps the two apart, gives the empty key a
    name, and leaves no name that Windows reserves (`CON`, `nul.txt`).
    """
    escaped = "".join([chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in _bytes(key)])
    name = f"k_{escaped}.json"
    return name if len(name) <= _NAME_LENGTH_MAX else f"h_{hash_of(key)}.json"


def is_document(name: str) -> bool:
    """Tell whether `file_name` gives this name to some key."""
    return _HASHED_NAME.fullmatch(name) is not None or _key_told_by(name) is not None


def key_at(path: Path) -> str:
    """Return the key of the document at `path`; the file is read only where its name is a hash.

    Raises:
        CorruptDocument: The key in the file is not the one that was hashed. Other damage does no harm.
        FileNotFoundError: The file would have to be read, and is missing.
    """
    key = _key_told_by(path.name)
    if key is not None:
        return key
    line = _KEY_LINE.match(path.read_bytes())
    try:
        told = loads(line[1].decode("ascii")) if line else None
    except ValueError:
        told = None
    if not isinstance(told, str) or file_name(told) != path.name:
        raise CorruptDocument(path, "its key is damaged, and its name is only a hash of it")
    return told


def encode(key: str, version: str, value_text: str) -> bytes:
    """Return a document as it is in a file.

    Args:
        key: The key.
        version: The version that this write gives to the key.
        value_text: The value, as JSON; may have several lines.
    """
    # A line break in JSON text is never inside a string, so that lines can be indented.
    text = _DOCUMENT.format(key=dumps(key), version=version, value=value_text.replace("\n", "\n  "))
    fields = text.encode("ascii")
    return fields + _CHECKSUM + hashlib.sha256(fields).hexdigest().encode("ascii") + _END


def read_document(path: Path) -> Document:
    """Read the document at `path`.

    Raises:
        CorruptDocument: It is not, byte for byte, as it was written.
        FileNotFoundError: There is none.
    """
    fields, _, rest = path.read_bytes().rpartition(_CHECKSUM)
    # Every byte of the file is compared: those before the checksum by it, the others as they are.
    if rest != hashlib.sha256(fields).hexdigest().encode("ascii") + _END:
        raise CorruptDocument(path, "its checksum does not match: it was damaged, or changed by hand")
    document = loads(fields.decode("ascii") + "}")
    if document["format"] != 1:
        raise CorruptDocument(path, f"its format is {document['format']!r}, and only 1 is known here")
    return Document(document["key"], document["version"], document["value"])


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _key_told_by(name: str) -> str | None:
    """Return the key that `file_name` makes exactly this name of, None when there is none or the name is a hash."""
    escaped = name.removeprefix("k_").removesuffix(".json")
    try:
        key = unquote_to_bytes(escaped).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return key if file_name(key) == name else None
