"""Tables of a fleet's engines: their description, transferred megabytes, seconds per step, and Run or failure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.fleet.status import EngineStatus
from edge_bench.app.render.table import Table
from edge_bench.app.tables.runs.comparison import comparison_record, comparison_table
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.analysis.times.reliability import Reliability

__all__ = ["engines_table", "fleet_table"]

_STEPS = ("connect", "image", "bundle", "run", "fetch", "clean up")


def fleet_table(
    devices: Sequence[DeviceState], comparison: Comparison | None = None, machines: Comparison | None = None
) -> Table:
    """Return a table with one row per engine, in the given order.

    comparison: of all configurations of the fetched Runs
    machines: of the fastest configuration of each (`compare_machines`)

    The records of both are part of those of the engines.
    """
    all_records = list(comparison_table(comparison).records) if comparison else []
    fastest = {row.run_id: row for row in machines.rows} if machines else {}
    measured = {run_id: side for side in (machines.reliability if machines else []) for run_id in side.run_ids}
    return Table(
        title="engines",
        header=("engine", "machine", "Docker", "memory\nMB", "platform", "sent, MB\nimage", "sent, MB\nbundle",
                "fetched\nMB", *(f"{step}\ns" for step in _STEPS), "Run"),
        rows=[_cells(device) for device in devices],
        keys=1,
        notes=_notes(devices),
        records=[
            _record(device)
            | _fastest_record(fastest.get(device.run_id), measured.get(device.run_id))
            | {"configurations": [record for record in all_records if record["run"] == device.run_id]}
            for device in devices
        ],
    )  # fmt: skip


def _cells(device: DeviceState) -> list[str]:
    return [
        device.engine.name,
        device.machine.split(",")[0],
        device.engine_version,
        f"{device.memory_bytes / 1e6:,.0f}" if device.memory_bytes else "",
        device.platform,
        *(f"{count / 1e6:.1f}" for count in (device.image_bytes, device.bundle_bytes)),
        f"{device.fetched_bytes / 1e6:.2f}",
        *(f"{device.seconds[step]:.1f}" if step in device.seconds else "" for step in _STEPS),
        device.run_file or device.state,
    ]


def _notes(devices: Sequence[DeviceState]) -> list[str]:
    notes = []
    for device in devices:
        if not device.done:
            remedy = f"; {device.remedy}" if device.remedy else ""
            notes.append(f"{device.engine.name}: {device.reason or device.state}{remedy}")
        elif device.reason:
            notes.append(f"{device.engine.name}: {device.reason}; its Run is complete")
        if device.clock_warning:
            notes.append(device.clock_warning)
        if device.left_behind:
            notes.append(
                f"{device.engine.name}: containers or volumes are still there; `edge-bench fleet clean` removes them"
            )
    return notes


def _record(device: DeviceState) -> dict[str, object]:
    record: dict[str, object] = msgspec.to_builtins(device)
    record["engine"], record["address"] = device.engine.name, device.engine.address
    return record


def _fastest_record(row: Row | None, reliability: Reliability | None) -> dict[str, Any]:
    """Return the record fields of a machine's fastest configuration, compared with that of the fastest machine."""
    times = {} if row is None else comparison_record(row)
    names = (
        "emulated", "variant", "runtime", "threads", "batch_size", "delegate", "example_ms", "example_low_ms",
        "example_high_ms", "example_estimator", "time_ratio", "time_ratio_low", "time_ratio_high", "verdict",
        "verdict_reliable", "verdict_reason", "unstable", "fastest", "accuracy",
    )  # fmt: skip
    return {
        **{name: times.get(name) for name in names},
        "trusted": reliability.trusted if reliability else None,
        "not_trusted_because": "; ".join(each.what for each in reliability.reasons) if reliability else "",
    }


def engines_table(statuses: Sequence[EngineStatus]) -> Table:
    """Return a table with the description of each engine, or the reason why it is unknown."""
    return Table(
        title="engines",
        header=("engine", "address", "machine", "cores", "memory\nMB", "platform", "Docker", "swarm", "left there"),
        rows=[_status_cells(status) for status in statuses],
        keys=1,
        notes=[f"{status.setting.name}: {status.reason}" for status in statuses if status.reason],
        records=[_status_record(status) for status in statuses],
    )


def _status_cells(status: EngineStatus) -> list[str]:
    description = status.description
    if description is None:
        return [status.setting.name, status.setting.address, "no answer", "", "", "", "", "", ""]
    platform = status.setting.platform or description.platform
    return [
        status.setting.name, status.setting.address, f"{description.host}, {description.system}",
        str(description.cores), f"{description.memory_bytes / 1e6:,.0f}",
        platform if platform == description.platform else f"{platform} emulated", description.version,
        f"{description.swarm}{', manager' if description.swarm_manager else ''}", str(len(status.left) or ""),
    ]  # fmt: skip


def _status_record(status: EngineStatus) -> dict[str, object]:
    return {
        "engine": status.setting.name,
        "address": status.setting.address,
        "description": msgspec.to_builtins(status.description),
        "left": list(status.left),
        "images": list(status.images),
        "reason": status.reason,
    }
