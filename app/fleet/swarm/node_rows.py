"""The rows of a fleet command for a swarm's nodes, identified by the node's id."""

from typing import Any

import msgspec

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.runs.state import DeviceState, FleetState
from edge_bench.app.fleet.swarm.services import nodes_of
from edge_bench.bench.errors import BadInput
from edge_bench.bench.progress import FleetView

__all__ = ["Rows", "node_id", "swarm_settings"]

_SCHEME = "swarm://"


def swarm_settings(manager: EngineSetting, timeout: float) -> list[EngineSetting]:
    """Return one setting per node of a manager's swarm. The node's id is added to a host name that is not unique."""
    with Engine(manager, timeout) as engine:
        _require_manager(engine)
        nodes = nodes_of(engine)
    names = [node.hostname for node in nodes]
    return [
        EngineSetting(
            name=node.hostname if names.count(node.hostname) == 1 else f"{node.hostname[:50]}-{node.id[:8]}",
            url=f"{_SCHEME}{node.id}",
        )
        for node in nodes
    ]


def _require_manager(engine: Engine) -> None:
    if not engine.description.swarm_manager:
        raise BadInput(
            f"{engine.name}: not a manager of a swarm ({engine.description.swarm or 'unknown'})",
            "run `docker swarm init` there and `docker swarm join` on the others; the first --engine must be a manager",
        )


class Rows:
    """The rows on disk, by node id."""

    def __init__(self, state: FleetState, view: FleetView) -> None:
        self._state, self._view = state, view

    def row(self, identity: str) -> DeviceState:
        """Return the row of a node. Raise StopIteration if there is none."""
        return next(row for row in self._state.record.devices if node_id(row) == identity)

    def fail(self, identity: str, reason: str, remedy: str) -> None:
        """Mark a row as failed: the node will have no Run."""
        self.set(identity, state="failed", reason=reason, remedy=remedy)
        self._view.update(self.row(identity).engine.name, "no Run", note=reason)

    def set(self, identity: str, **changes: Any) -> None:
        """Change fields of a row."""
        self._state.set(msgspec.structs.replace(self.row(identity), **changes))


def node_id(row: DeviceState) -> str:
    """Return the swarm's id of a row's node."""
    return row.engine.url.removeprefix(_SCHEME)
