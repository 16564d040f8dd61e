"""The description of this machine (the paper's Figure 1) and the findings that affect measurements on it."""

from collections.abc import Sequence

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant, size
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.system.arm_cores import boards_with
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.version import __version__, revision

__all__ = ["doctor_table"]


def doctor_table(machine: Machine, sandbox: Sequence[str], findings: Sequence[Finding]) -> Table:
    """Return a table with one row per property and per runtime, and the findings as notes.

    ``sandbox`` names the active parts of the sandbox.
    """
    frequency = f"{significant(machine.frequency_mhz / 1000)} GHz" if machine.frequency_mhz else "unknown"
    rows = [
        ("machine", machine.hostname),
        *([("board", machine.board)] if machine.board else []),
        ("CPU", machine.cpu or "unknown"),
        *([("emulated core of", boards)] if machine.emulated and (boards := boards_with(machine.cpu)) else []),
        ("architecture", f"{machine.architecture}{' EMULATED' if machine.emulated else ''}"),
        ("cores", str(machine.cores)),
        ("speed", frequency),
        ("frequency governor", machine.governor or "unknown"),
        ("memory", size(machine.memory_bytes)),
        ("operating system", f"{machine.os}, kernel {machine.kernel}"),
        ("container", "yes" if machine.container else "no"),
        ("model sandbox", ", ".join(sandbox) or "not active"),
        ("Python", machine.python),
        ("edge-bench", f"{__version__}, revision {revision()}"),
    ]
    missing = []
    for runtime in RUNTIMES.values():
        version = installed_version(runtime)
        rows.append((runtime.name, version or f"not installed{' (optional)' if runtime.optional else ''}"))
        if version is None and not runtime.optional:
            missing.append(f"- {runtime.name} is not installed: {runtime.missing}")
    rows.append(("numpy", machine.libraries.get("numpy", "not installed")))
    notes = missing + [f"! {finding.what}: {finding.remedy}" for finding in findings]
    return Table(
        title="This machine",
        header=("", "value"),
        rows=rows,
        keys=1,
        notes=notes or ["no problems found that affect measurements"],
        records=[
            msgspec.to_builtins(machine) | {"sandbox": list(sandbox), "findings": msgspec.to_builtins(list(findings))}
        ],
    )
