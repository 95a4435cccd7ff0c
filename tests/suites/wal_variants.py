"""The wal reference with every write and its directory synced, and with segments so small that each step begins one."""

from __future__ import annotations

from dataclasses import replace

from reference_backends.wal import WalLog, WalState, backend

full = replace(
    backend,
    name="wal-full",
    log=lambda where: WalLog(where.path / "log", durability="full"),
    state=lambda where: WalState(WalLog(where.path / "state", durability="full")),
    address=f"{__name__}:full",
)
rotating = replace(
    backend,
    name="wal-rotating",
    log=lambda where: WalLog(where.path / "log", segment_bytes=2_000),
    state=lambda where: WalState(WalLog(where.path / "state", segment_bytes=2_000)),
    address=f"{__name__}:rotating",
)
