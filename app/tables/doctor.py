"""The description of this machine (the paper's Figure 1) and the findings that affect measurements on it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant, size
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.system.arm_cores import boards_with
from edge_bench.bench.system.cores import core_list
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.system.tuning.record import Tuned
from edge_bench.bench.version import __version__, revision

__all__ = ["Tuning", "doctor_table"]


class Tuning(NamedTuple):
    """What `edge-bench tune` has set, if that is known, and the cores in groups of equal capacity, slowest first."""

    settings: Sequence[str] | None = None
    record: Tuned | None = None
    clusters: Sequence[Sequence[int]] = ()

    @property
    def text(self) -> str:
        """The settings in one line."""
        if self.record is None:
            return "unknown" if self.settings is None else "no"
        cores = f"; measured cores: {self.record.cpus}" if self.record.cpus else ""
        return f"{', '.join(self.record.summary) or 'no settings'}{cores}; since {self.record.began}"


_NOT_TUNED = Tuning(settings=[])


def doctor_table(
    machine: Machine, sandbox: Sequence[str], findings: Sequence[Finding], tuning: Tuning = _NOT_TUNED
) -> Table:
    """Return a table with one row per property and per runtime, and the findings as notes.

    ``sandbox`` names the active parts of the sandbox.
    """
    kinds = [core_list(each) for each in tuning.clusters] if len(tuning.clusters) > 1 else []
    rows = _machine_rows(machine, sandbox, tuning.text, kinds)
    missing = []
    for runtime in RUNTIMES.values():
        version = installed_version(runtime)
        rows.append((runtime.name, version or f"not installed{' (optional)' if runtime.optional else ''}"))
        if version is None and not runtime.optional:
            missing.append(f"- {runtime.name} is not installed: {runtime.missing}")
    rows.append(("numpy", machine.libraries.get("numpy", "not installed")))
    notes = missing + [f"! {finding.what}: {finding.remedy}" for finding in findings]
    notes = notes or ["no problems found that affect measurements"]
    if tuning.record is not None:
        notes.append("- the machine is tuned: sudo edge-bench tune --restore restores its settings")
    return Table(
        title="This machine",
        header=("", "value"),
        rows=rows,
        keys=1,
        notes=notes,
        records=[
            msgspec.to_builtins(machine)
            | {
                "sandbox": list(sandbox),
                "findings": msgspec.to_builtins(list(findings)),
                "tuned": None if tuning.settings is None else list(tuning.settings),
                "clusters": kinds,
            }
        ],
    )


def _machine_rows(machine: Machine, sandbox: Sequence[str], tuned: str, kinds: Sequence[str]) -> list[tuple[str, str]]:
    frequency = f"{significant(machine.frequency_mhz / 1000)} GHz" if machine.frequency_mhz else "unknown"
    return [
        ("machine", machine.hostname),
        *([("board", machine.board)] if machine.board else []),
        ("CPU", machine.cpu or "unknown"),
        *([("emulated core of", boards)] if machine.emulated and (boards := boards_with(machine.cpu)) else []),
        ("architecture", f"{machine.architecture}{' EMULATED' if machine.emulated else ''}"),
        ("cores", str(machine.cores)),
        *([("kinds of cores", f"slowest first: {' · '.join(kinds)}")] if kinds else []),
        ("speed", frequency),
        ("frequency governor", machine.governor or "unknown"),
        ("tuned", tuned),
        ("memory", size(machine.memory_bytes)),
        ("operating system", f"{machine.os}, kernel {machine.kernel}"),
        ("container", "yes" if machine.container else "no"),
        ("model sandbox", ", ".join(sandbox) or "not active"),
        ("Python", machine.python),
        ("edge-bench", f"{__version__}, revision {revision()}"),
    ]
