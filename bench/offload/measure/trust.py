"""What spoils an offload's times beside what spoils any: throttled or disturbed trials, and two ends on one machine."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.measure.trust import load_finding, throttling_finding
from edge_bench.bench.offload.records.offload import LOCAL, Arm, ServerIdentity
from edge_bench.bench.system.machine import Finding, Machine

__all__ = ["offload_findings"]


def offload_findings(arms: Sequence[Arm], machine: Machine, server: ServerIdentity, threads: int) -> list[Finding]:
    """Each with its remedy; empty where nothing is wrong."""
    # while images are away, the server on the same machine is one of the others: then only a hypervisor disturbs
    trials = [
        (trial if arm.where == LOCAL else msgspec.structs.replace(trial, other_cpu_ns=0), threads)
        for arm in arms
        for trial in arm.trials
    ]
    found = [
        throttling_finding([trial for trial, _ in trials]),
        load_finding(trials, machine.cores),
        _one_machine(machine, server),
    ]
    return [finding for finding in found if finding]


def _one_machine(machine: Machine, server: ServerIdentity) -> Finding | None:
    if not server.hostname or server.hostname != machine.hostname:
        return None
    return Finding(
        what="both ends are this machine: they share its processors, and the path is its loopback",
        remedy="run the server on the host, or see this as a rehearsal",
        spoils=False,
    )
