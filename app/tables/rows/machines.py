"""Rows of ``doctor``, ``fleet run`` and ``fleet list``."""

import msgspec

from edge_bench.app.fleet.docker.engine import Description
from edge_bench.app.tables.rows.compared import CompareRow
from edge_bench.bench.system.machine import Finding, Machine

Number = float | None

__all__ = ["DeviceRow", "DoctorRow", "EngineRow"]


class DoctorRow(Machine, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This machine, and findings that affect measurements on it."""

    sandbox: list[str]
    findings: list[Finding]
    tuned: list[str] | None  # what `tune` has set; null: unknown, as in a container
    clusters: list[str]  # lists of cores of the same capacity, the slowest first; empty if all are equal


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An engine of a fleet run; see `DeviceState`."""

    engine: str
    address: str
    state: str
    reason: str
    remedy: str
    machine: str
    platform: str
    memory_bytes: int
    engine_version: str
    clock_offset_seconds: int
    image_bytes: int
    bundle_bytes: int
    fetched_bytes: int
    seconds: dict[str, float]
    run_file: str
    run_id: str
    left_behind: bool
    # the fastest configuration of its Run, compared with that of the fastest machine; null: nothing was measured
    emulated: bool | None
    variant: str | None
    runtime: str | None
    threads: int | None
    batch_size: int | None
    delegate: str | None
    example_ms: Number
    example_low_ms: Number
    example_high_ms: Number
    example_estimator: str | None
    time_ratio: Number
    time_ratio_low: Number
    time_ratio_high: Number
    verdict: str | None
    verdict_reliable: bool | None  # whether the times of both machines are reliable; null: not known
    verdict_reason: str | None  # why there is no verdict, or no interval
    unstable: bool | None
    fastest: bool | None  # whether no machine is significantly faster
    accuracy: Number
    trusted: bool | None  # whether the times of the Run are reliable
    not_trusted_because: str
    configurations: list[CompareRow]  # all of its Run, as `compare` has them


class EngineRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An engine and its description."""

    engine: str
    address: str
    description: Description | None
    left: list[str]
    images: list[str]
    reason: str
