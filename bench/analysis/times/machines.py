"""Which Runs are of the same machine."""

import re
from collections.abc import Hashable
from typing import Protocol

__all__ = ["machine_key"]

#: Hostname that Docker gives to a container unless it is told one: the start of the container's identifier.
_RANDOM_HOSTNAME = re.compile("[0-9a-f]{12}")


class _Machine(Protocol):
    """The properties by which a machine is recognised; ``Run.machine`` has them."""

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


def machine_key(machine: _Machine) -> tuple[Hashable, ...]:
    """Return what is equal for two descriptions of the same machine: hostname, architecture, emulated.

    The hostname of a container may be a random identifier, new for each container. It does not count then; the board,
    CPU and memory do.
    """
    if machine.container and _RANDOM_HOSTNAME.fullmatch(machine.hostname):
        return machine.board, machine.cpu, machine.architecture, machine.memory_bytes, machine.emulated
    return machine.hostname, machine.architecture, machine.emulated
