"""Which Runs are of the same machine."""

import re

from edge_bench.bench.system.machine import Machine

__all__ = ["machine_key"]


def machine_key(machine: Machine) -> tuple[object, ...]:
    return (machine.hostname, machine.architecture, machine.emulated)
