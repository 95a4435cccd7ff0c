"""Keys, values, events and expiries, as they are stored and as they come back.

A value is its JSON text, in ASCII, behind a digest of all that the record says. Redis itself has a checksum for a
snapshot file (RDB), but none for what it appends to its log (AOF).
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Any

from reference_backends._errors import CorruptRecord
from reference_backends._json import dumps, loads


def encode_key(key: object) -> bytes:
    """Return a key as it is stored: UTF-8, which has NUL as it is and here lone surrogates too.

    Raises:
        TypeError: The key is not a str, or of a subclass of str, which would come back as a str.
    """
    if type(key) is not str:
        raise TypeError(f"The key {key!r} has type {type(key).__name__}; only a str comes back as it was.")
    return key.encode("utf-8", "surrogatepass")


def decode_key(name: bytes) -> str:
    """Return what `encode_key` was given.

    Raises:
        CorruptRecord: It never was.
    """
    try:
        return name.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise CorruptRecord(f"key {name!r}", "is not UTF-8") from error


def encode_record(name: bytes, text: str) -> bytes:
    """Return what is stored of one version of a key: a digest, the key in hexadecimal digits, the value as JSON."""
    content = f"{name.hex()} {text}".encode()
    return _digest(b"state " + content) + b" " + content


def decode_record(where: str, record: bytes | None) -> tuple[bytes, str]:
    """Return the key and the JSON text that a record was made of.

    Args:
        where: What an error calls it.
        record: As it is stored; None when it is not there.

    Raises:
        CorruptRecord: It is not there, or is not what `encode_record` returned.
    """
    if record is None:
        raise CorruptRecord(where, "is lost")
    found, _, content = record.partition(b" ")
    if found != _digest(b"state " + content):
        raise CorruptRecord(where, "has another digest")
    name, _, text = content.decode("ascii").partition(" ")
    return bytes.fromhex(name), text


def text_of(name: bytes, version: bytes, record: bytes | None) -> str:
    """Return the JSON text in the record of a version of a key.

    Raises:
        CorruptRecord: It is not there, is damaged, or is the record of another key.
    """
    where = f"key {name!r} version {version.decode('ascii', 'replace')}"
    found, text = decode_record(where, record)
    if found != name:
        raise CorruptRecord(where, f"is a record of the key {found!r}")
    return text


def encode_event(event: object) -> bytes:
    """Return what is stored of an event: a digest, and the event as JSON.

    Raises:
        TypeError, ValueError: JSON would alter it.
    """
    text = dumps(event).encode()
    return _digest(b"event " + text) + b" " + text


def decode_event(where: str, record: bytes) -> Any:
    """Return the event that `encode_event` was given.

    Raises:
        CorruptRecord: The record is not what it returned.
    """
    found, _, text = record.partition(b" ")
    if found != _digest(b"event " + text):
        raise CorruptRecord(where, "has another digest")
    return loads(text.decode("ascii"))


def encode_checkpoint(upto: int, state: object) -> bytes:
    """Return what is stored of a checkpoint: a digest, and its state as JSON.

    Raises:
        TypeError, ValueError: JSON would alter it.
    """
    text = dumps(state).encode()
    return _digest(f"checkpoint {upto} ".encode() + text) + b" " + text


def decode_checkpoint(upto: bytes, record: bytes | None) -> tuple[Any, int]:
    """Return the state and the position that `encode_checkpoint` was given.

    Raises:
        CorruptRecord: They are not what is stored.
    """
    found, _, text = (record or b"").partition(b" ")
    if found != _digest(b"checkpoint " + upto + b" " + text):
        raise CorruptRecord("checkpoint", "is lost, or has another digest")
    return loads(text.decode("ascii")), int(upto)


def deadline(now: float, ttl: float | None) -> str:
    """Return when something expires that has `ttl` seconds from `now` on; the empty text for never.

    Raises:
        TypeError: The ttl is not a number.
        ValueError: It is not positive, or too large for a time.
    """
    if ttl is None:
        return ""
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
        raise TypeError(f"ttl={ttl!r} is not a number of seconds.")
    try:
        instant = float(now + ttl)
    except OverflowError as error:  # an int beyond any float
        raise ValueError(f"ttl={ttl!r} is too large.") from error
    if not ttl > 0 or not math.isfinite(instant):
        raise ValueError(f"ttl={ttl!r} is not a positive, finite number of seconds.")
    return repr(instant)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).hexdigest().encode()
