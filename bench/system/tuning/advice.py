"""Findings of ``doctor`` about settings that `edge-bench tune` changes."""

from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.system.tuning.kernel_files import KernelFiles
from edge_bench.bench.system.tuning.record import read_tuned
from edge_bench.bench.system.tuning.settings import Group, plan_for

__all__ = ["tuning_findings"]


def tuning_findings(machine: Machine, root: Path = Path("/")) -> list[Finding]:
    """Return a finding for each kind of setting that `edge-bench tune` would change, and for a record it cannot use.

    The governor is left out: it is among the findings of every Run (`machine_findings`).
    """
    if machine.emulated:
        return []
    changes = plan_for(KernelFiles(root), keep=[Group.GOVERNOR]).visible
    where = "on the host: " if machine.container else ""
    findings = [
        Finding(what=why, remedy=f"{where}sudo edge-bench tune", spoils=False)
        for why in dict.fromkeys(change.why for change in changes)
    ]
    try:
        read_tuned(root)
    except BadInput as cause:
        findings.append(Finding(what=cause.problem, remedy=cause.remedy, spoils=False))
    return findings
