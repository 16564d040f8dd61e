"""Identification of Runs of the same machine."""

import re
from typing import Protocol

from edge_bench.bench.records.run import Run

__all__ = ["machine_key", "machine_name", "on_cores", "run_place"]

#: Default hostname of a container.
_RANDOM_HOSTNAME = re.compile(r"[0-9a-f]{12}")
#: The kernel may reserve a few MiB more or less of the memory after an update.
_MEMORY_UNIT = 256 << 20


class _Described(Protocol):
    """The fields of ``Machine`` that identify it."""

    @property
    def hostname(self) -> str: ...
    @property
    def board(self) -> str: ...
    @property
    def cpu(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def container(self) -> bool: ...
    @property
    def emulated(self) -> bool: ...
    @property
    def label(self) -> str: ...


def machine_key(machine: _Described) -> tuple[str, ...]:
    """Return the key that Runs of one machine share: its hostname, architecture, and whether it is emulated.

    A container whose hostname is a random id has a different one in each Run. In that case board, CPU, architecture and
    memory, to the nearest 256 MiB, identify the machine. They cannot distinguish two machines of one kind.
    """
    if _has_random_hostname(machine):
        return "container", machine.board, machine.cpu, machine.architecture, _memory(machine), str(machine.emulated)
    return "host", machine.hostname, machine.architecture, str(machine.emulated)


def machine_name(machine: _Described) -> str:
    """Return the machine's name in tables. For a random hostname, it consists of the parts of `machine_key`."""
    if not _has_random_hostname(machine):
        return machine.label
    parts = filter(None, (machine.board, machine.cpu, machine.architecture, _memory(machine)))
    name = f"container ({', '.join(parts)})"
    return f"{name} EMULATED" if machine.emulated else name


def on_cores(name: str, cpus: str) -> str:
    """Return a machine's name with the cores of ``--cpus``, which are other conditions; empty ``cpus``: all."""
    return f"{name}, cores {cpus}" if cpus else name


def run_place(run: Run) -> str:
    """Return the machine of a Run, and the cores if it was measured on some of them."""
    return on_cores(run.machine.label, run.settings.cpus)


def _memory(machine: _Described) -> str:
    return f"{round(machine.memory_bytes / _MEMORY_UNIT) * _MEMORY_UNIT / (1 << 30):.10g} GiB"


def _has_random_hostname(machine: _Described) -> bool:
    return machine.container and _RANDOM_HOSTNAME.fullmatch(machine.hostname) is not None
