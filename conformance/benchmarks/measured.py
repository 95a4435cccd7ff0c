"""What was measured of one operation of one backend, and the plain data that reports are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.benchmarks.growth import Growth
from conformance.benchmarks.samples import Samples, interval, ratio, summary

#: Digits of a number in a record: more would be noise.
_DIGITS = 4


class NotMeasuredError(Exception):
    """An operation does not concern a backend; the text says why."""


@dataclass(frozen=True)
class Measured:
    """What was measured of one operation of one backend.

    Args:
        backend: Its name.
        contract: e.g. `state`.
        operation: e.g. `put`.
        samples: Seconds of one operation, round by round.
        batch: Operations of a round.
        parts: Samples are of one of so many parts of an operation: of its records, or of what each worker did.
        limits: Of the bare disk in the same rounds, by what it did; the nearest to the disk first.
        reference: The name and the samples of the first backend; None for itself, or where it was not measured.
        payload_bytes: Of a record.
        durability: That was promised, and measured at.
        workers: Who did the operation at once.
        conditions: What else must be known to read the figures.
        growth: With the length of the store, where that was measured.
        seed: Of the intervals.
    """

    backend: str
    contract: str
    operation: str
    samples: Samples
    batch: int
    parts: int
    limits: Mapping[str, Samples]
    reference: tuple[str, Samples] | None
    payload_bytes: int
    durability: str
    workers: int = 1
    conditions: Mapping[str, str] = field(default_factory=dict)
    growth: Growth | None = None
    seed: int = 0

    def record(self) -> dict[str, Any]:
        """Return plain data, without the samples. A ratio above one is slower; its interval is that of `samples`."""
        of = summary(self.samples)
        first = next(iter(self.limits), "")
        intervals: dict[str, Any] = {"median": interval(lambda one: summary(one).median, self.samples, seed=self.seed)}
        limits = []
        for name, samples in self.limits.items():
            limits.append(
                {
                    "name": name,
                    "median": _short(summary(samples).median),
                    "q1": _short(summary(samples).q1),
                    "q3": _short(summary(samples).q3),
                    "ratio": _short(ratio(self.samples, samples)),
                }
            )
        if self.reference is not None:
            intervals["reference"] = interval(ratio, self.samples, self.reference[1], seed=self.seed)
        if limits:
            intervals["limit"] = interval(ratio, self.samples, self.limits[first], seed=self.seed)
        return {
            **_head(self.backend, self.contract, self.operation),
            "unit": "s",
            "rounds": len(self.samples),
            "batch": self.batch,
            "median": _short(of.median),
            "q1": _short(of.q1),
            "q3": _short(of.q3),
            "limit": first,
            "ratio_to_limit": limits[0]["ratio"] if limits else None,
            "reference": self.reference[0] if self.reference is not None else "",
            "ratio_to_reference": _short(ratio(self.samples, self.reference[1]))
            if self.reference is not None
            else None,
            "interval": {name: [_short(end) for end in ends] for name, ends in intervals.items()},
            "limits": limits,
            "durability_claimed": self.durability,
            "payload_bytes": self.payload_bytes,
            "workers": self.workers,
            "conditions": dict(self.conditions),
            **({"growth": _growth(self.growth)} if self.growth is not None else {}),
        }


def space_record(
    backend: str, contract: str, overhead: float, payload_bytes: int, durability: str, conditions: Mapping[str, str]
) -> dict[str, Any]:
    """Return plain data about the bytes that a store takes for a record beside the record's own."""
    return {
        **_head(backend, contract, "space"),
        "unit": "bytes",
        "rounds": 1,
        "batch": 1,
        "median": _short(overhead),
        "q1": _short(overhead),
        "q3": _short(overhead),
        "limit": "",
        "ratio_to_limit": None,
        "reference": "",
        "ratio_to_reference": None,
        "interval": {},
        "limits": [],
        "durability_claimed": durability,
        "payload_bytes": payload_bytes,
        "workers": 1,
        "conditions": dict(conditions),
    }


def failed_record(backend: str, contract: str, operation: str, error: str) -> dict[str, Any]:
    """Return plain data about an operation that raised."""
    return {**_head(backend, contract, operation), "error": error}


def tried_record(backend: str, contract: str, operation: str, reason: str) -> dict[str, Any]:
    """Return plain data about an operation that was carried out once, and not measured."""
    return {**_head(backend, contract, operation), "tried": reason}


def left_out_record(backend: str, contract: str, operation: str, reason: str) -> dict[str, Any]:
    """Return plain data about an operation that was not measured."""
    return {**_head(backend, contract, operation), "not_measured": reason}


def _head(backend: str, contract: str, operation: str) -> dict[str, Any]:
    return {"backend": backend, "contract": contract, "operation": operation}


def _growth(found: Growth) -> dict[str, Any]:
    return {
        "lengths": list(found.lengths),
        "medians": [_short(one) for one in found.medians],
        "slope": _short(found.slope),
        "slope_interval": [_short(end) for end in found.slope_interval],
        "halves": _short(found.halves),
        "halves_interval": [_short(end) for end in found.halves_interval],
        "word": found.word,
    }


def _short(number: float) -> float | None:
    """Return a number with a few digits; None for infinity, which JSON has not."""
    return float(f"{number:.{_DIGITS}g}") if abs(number) != float("inf") else None
