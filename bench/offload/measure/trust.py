"""Findings about an offload's reliability: throttling, load, and client and server on one machine."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.measure.trust import load_finding, throttling_finding
from edge_bench.bench.offload.records.offload import LOCAL, Arm, ServerIdentity
from edge_bench.bench.system.machine import Finding, Machine

__all__ = ["offload_findings"]


def offload_findings(arms: Sequence[Arm], machine: Machine, server: ServerIdentity, threads: int) -> list[Finding]:
    """Return the findings, each with its remedy; empty if nothing is wrong."""
    # during remote trials a server on this machine counts as other load, so only steal time is considered
    trials = [
        (trial if arm.where == LOCAL else msgspec.structs.replace(trial, other_cpu_ns=0), threads)
        for arm in arms
        for trial in arm.trials
    ]
    findings = [
        throttling_finding([trial for trial, _ in trials]),
        load_finding(trials, machine.cores),
        _same_machine_finding(machine, server),
    ]
    return [finding for finding in findings if finding]


def _same_machine_finding(machine: Machine, server: ServerIdentity) -> Finding | None:
    if not server.hostname or server.hostname != machine.hostname:
        return None
    return Finding(
        what="client and server are on this machine: they share its processors, and the path is its loopback",
        remedy="run the server on another host, or use this only as a test",
        spoils=False,
    )
