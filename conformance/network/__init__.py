"""Network faults: a proxy between a store and its server, and what becomes of the store when the network fails."""

from __future__ import annotations
