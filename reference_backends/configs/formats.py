"""Documents as text: JSON, YAML 1.2 and TOML, each exact or refused.

`ruamel.yaml` and `tomli-w` are imported where they are needed: JSON needs neither.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

from reference_backends._json import check_value, dumps, loads

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover (the standard library has it from 3.11 on)
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

#: What `ruamel.yaml` writes as it is, and folds into a space or leaves out when it reads.
_FOLDED = re.compile("[\x85\u2028\u2029\ufeff]")


class Format(NamedTuple):
    """A way to write documents.

    Attributes:
        name: What messages call it.
        write: Gives the text of a value; raises whatever it likes for what it can't hold.
        read: Gives the value of a text; raises whatever it likes for what is none.
    """

    name: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def encode(document: dict[str, Any], form: Format) -> bytes:
    """Return a document as it is in a file.

    Raises:
        TypeError: Something in it is not JSON.
        ValueError: It would not come back equal from this format.
    """
    check_value(document)
    if form.name == "TOML" and (place := _place_of_none(document, "document")):
        raise ValueError(f"{place} is None, which TOML can't hold; leave it out, or use JSON or YAML.")
    try:
        data = form.write(document).encode("utf-8")
        back = form.read(data.decode("utf-8"))
    except Exception as error:
        raise ValueError(f"{form.name} can't hold this document: {error}") from error
    # What a library alters without a word is refused as well.
    if not _same(document, back):
        raise ValueError(f"{form.name} can't hold this document: it would come back as {back!r}.")
    return data


def decode(data: bytes, form: Format) -> dict[str, Any]:
    """Return the document of a file.

    Raises:
        ValueError: It is none; the text says why.
    """
    try:
        document = form.read(data.decode("utf-8"))
        check_value(document)
    except Exception as error:
        raise ValueError(f"it is no {form.name} that can be used here: {error}") from error
    if type(document) is not dict:
        raise ValueError(f"it holds a {type(document).__name__}, where a document has named fields")
    return document


def _write_json(document: Any) -> str:
    return f"{dumps(document, indent=2)}\n"


def _write_yaml(document: Any) -> str:
    text = _yaml_text(document, plain=True)
    return _yaml_text(document, plain=False) if _FOLDED.search(text) else text


def _read_yaml(text: str) -> Any:
    return _yaml().load(text)


def _yaml_text(document: Any, *, plain: bool) -> str:
    """Return a document as YAML; with letters beyond ASCII as they are, or escaped."""
    text, yaml = io.StringIO(), _yaml()
    yaml.allow_unicode = plain
    yaml.dump(document, text)
    return text.getvalue()


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)  # 1.2, in which `no` is a text
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # the order that was given is the one that people look for
    yaml.width = 120
    return yaml


def _write_toml(document: Any) -> str:
    import tomli_w

    return tomli_w.dumps(document)


#: By extension; a document that is new gets the first one of its format.
FORMATS = MappingProxyType(
    {
        "json": Format("JSON", _write_json, loads),
        "yaml": Format("YAML", _write_yaml, _read_yaml),
        "yml": Format("YAML", _write_yaml, _read_yaml),
        "toml": Format("TOML", _write_toml, tomllib.loads),
    }
)


def _place_of_none(value: Any, place: str) -> str:
    """Return where the first None in a value is, as Python would reach it; empty where there is none."""
    if value is None:
        return place
    items = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    return next((found for step, item in items if (found := _place_of_none(item, f"{place}[{step!r}]"))), "")


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal in type and content; the order of keys does not matter."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if type(one) is list:
        return len(one) == len(other) and all(map(_same, one, other))
    # As text, -0.0 is not 0.0, and NaN is NaN.
    return repr(one) == repr(other) if type(one) is float else bool(one == other)
