"""Rows of ``doctor``, ``fleet run`` and ``fleet list``."""

import msgspec

from edge_bench.app.fleet.docker.engine import Description
from edge_bench.bench.system.machine import Finding, Machine

__all__ = ["DeviceRow", "DoctorRow", "EngineRow"]


class DoctorRow(Machine, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This machine, and findings that affect measurements on it."""

    sandbox: list[str]
    findings: list[Finding]


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
    image_bytes: int
    bundle_bytes: int
    fetched_bytes: int
    seconds: dict[str, float]
    run_file: str
    run_id: str
    left_behind: bool


class EngineRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An engine and its description."""

    engine: str
    address: str
    description: Description | None
    left: list[str]
    images: list[str]
    reason: str
