"""What is done in a transaction, step after step, and what each step saw.

A list is one value: who appends reads it, and puts a longer one in its place. So an append says what it follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conformance.drive import Driver
from conformance.histories.operation import Step
from conformance.histories.values import list_of, number_of, numbers_of, value_of


class Aborted(Exception):
    """Leaves a transaction, which must then have no effect."""


@dataclass(frozen=True)
class Inside:
    """The mapping that a transaction gives; or a store itself, outside of any.

    Args:
        driver: Calls it.
        mapping: Is called.
        missing: What is raised for a missing key.
        domain: Of the values.
    """

    driver: Driver
    mapping: Any
    missing: tuple[type[BaseException], ...]
    domain: str

    def done(self, steps: Iterable[Step]) -> tuple[Step, ...]:
        """Do some steps, and return them with what was seen.

        Raises:
            Aborted: That was one of the steps.
        """
        return tuple(seen for step in steps for seen in self._done(*step))

    def _done(self, verb: str, key: Any, value: Any) -> list[Step]:
        match verb:
            case "read":  # a list
                return [("read", key, numbers_of(self._get(key)))]
            case "append":
                before = numbers_of(self._get(key))
                if not all(isinstance(one, int) for one in before):
                    return [("read", key, before)]
                self._put(key, list_of((*before, value), self.domain))
                return [("read", key, before), ("append", key, value)]
            case "get":  # a number
                return [("get", key, self._number(key))]
            case "add":
                number = self._number(key)
                if not isinstance(number, int):
                    return [("get", key, number)]
                self._put(key, value_of(number + value, self.domain))
                return [("get", key, number), ("add", key, value)]
            case "scan":  # lists the keys, and gets each
                keys = self._keys()
                return [("list", None, keys), *(("get", one, self._number(one)) for one in keys)]
            case "replace":  # deletes one of the keys, and puts another one
                keys = self._keys()
                if not keys:
                    return [("list", None, keys)]
                gone = keys[value % len(keys)]
                self.driver.call(self.mapping.__delitem__, gone)
                self._put(key, value_of(value, self.domain))
                return [("list", None, keys), ("delete", gone, None), ("put", key, value)]
            case _:
                raise Aborted

    def _get(self, key: Any) -> Any:
        try:
            return self.driver.call(self.mapping.__getitem__, key)
        except self.missing:
            return None

    def _number(self, key: Any) -> Any:
        value = self._get(key)
        return None if value is None else number_of(value)

    def _put(self, key: Any, value: Any) -> None:
        self.driver.call(self.mapping.__setitem__, key, value)

    def _keys(self) -> tuple[Any, ...]:
        return tuple(sorted(self.driver.items(getattr(self.mapping, "__aiter__", None) or self.mapping.__iter__)))
