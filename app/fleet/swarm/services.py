"""A Stack in a real swarm: made, looked at and removed through the SDK."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.container import LABEL
from edge_bench.app.fleet.docker.engine import Engine, platform_of
from edge_bench.app.fleet.docker.errors import EngineTrouble, one_line
from edge_bench.app.fleet.swarm.stack import Stack

__all__ = ["Node", "Task", "deploy", "nodes_of", "remove", "tasks_of"]

_REMOVED_WITHIN = 60.0
_PAUSE_SECONDS = 0.5


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of the swarm."""

    id: str
    hostname: str
    architecture: str
    state: str  # ready · down · …
    availability: str  # active · pause · drain
    memory_bytes: int
    engine_version: str

    @property
    def platform(self) -> str:
        """Which image it gets."""
        return platform_of(self.architecture)

    @property
    def takes_tasks(self) -> bool:
        """Whether the swarm gives it work."""
        return self.state == "ready" and self.availability == "active"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the swarm says of the job's task on one node."""

    node: str
    state: str  # new · preparing · running · complete · failed · rejected · shutdown · …
    desired: str
    error: str
    seconds: float  # since it was made, as far as it has come


def nodes_of(engine: Engine) -> list[Node]:
    """Every node, in the order of names."""
    with engine.trouble("asking for the swarm's nodes"):
        found = engine.client.nodes.list()
    return sorted((_node(node.attrs) for node in found), key=lambda node: (node.hostname, node.id))


def _node(attrs: Mapping[str, Any]) -> Node:
    description, spec = attrs.get("Description") or {}, attrs.get("Spec") or {}
    return Node(
        id=str(attrs["ID"]),
        hostname=one_line(description.get("Hostname", ""), 63),
        architecture=one_line((description.get("Platform") or {}).get("Architecture", ""), 40),
        state=one_line((attrs.get("Status") or {}).get("State", ""), 20),
        availability=one_line(spec.get("Availability", ""), 20),
        memory_bytes=int((description.get("Resources") or {}).get("MemoryBytes") or 0),
        engine_version=one_line((description.get("Engine") or {}).get("EngineVersion", ""), 40),
    )


def prepare(engine: Engine, stack: Stack, token: str) -> None:
    """The network and the secret, each with the fleet's label."""
    labels = {LABEL: stack.fleet}
    with engine.trouble("making the network and the token"):
        engine.client.networks.create(stack.network, driver="overlay", attachable=True, scope="swarm", labels=labels)
        engine.client.secrets.create(name=stack.secret, data=token.encode(), labels=labels)


def deploy(engine: Engine, stack: Stack) -> dict[str, str]:
    """Makes the stack's services; their ids by their names in the stack."""
    described, made = stack.compose(), {}
    with engine.trouble("looking for the token"):
        secret = engine.client.secrets.list(filters={"name": stack.secret})[0]
    names = {place: volume["name"] for place, volume in described["volumes"].items()}
    for name, service in described["services"].items():
        with engine.trouble(f"making the service {name}"):
            made[name] = str(_create(engine, stack, name, service, secret, names).id)
    return made


def _create(
    engine: Engine, stack: Stack, name: str, service: Mapping[str, Any], secret: Any, names: Mapping[str, str]
) -> Any:
    from docker.types import EndpointSpec, Mount, NetworkAttachmentConfig, RestartPolicy, SecretReference, ServiceMode

    deployed, token = service["deploy"], service["secrets"][0]
    mounts = [
        Mount(
            mount["target"], names.get(mount.get("source", "")), type=mount["type"],
            read_only=mount.get("read_only", False),
        )
        for mount in service["volumes"]
    ]  # fmt: skip
    more = {"hostname": service["hostname"]} if "hostname" in service else {}
    return engine.client.services.create(
        service["image"],
        args=service["command"],
        name=f"edge-bench-{stack.fleet}-{name}",
        labels=deployed["labels"],
        container_labels={LABEL: stack.fleet},
        mode=ServiceMode(deployed["mode"], **({"replicas": 1} if "replicas" in deployed else {})),
        constraints=deployed["placement"]["constraints"],
        restart_policy=RestartPolicy(condition=deployed["restart_policy"]["condition"]),
        endpoint_spec=EndpointSpec(mode=deployed["endpoint_mode"]),
        networks=[NetworkAttachmentConfig(stack.network, aliases=[name])],
        secrets=[
            SecretReference(
                secret.id, stack.secret, filename=token["target"], uid=token["uid"], gid=token["gid"],
                mode=token["mode"],
            )
        ],
        mounts=mounts,
        env=[f"{key}={value}" for key, value in service.get("environment", {}).items()],
        read_only=service["read_only"],
        cap_drop=service["cap_drop"],
        **more,
    )  # fmt: skip


def tasks_of(engine: Engine, services: Mapping[str, str]) -> dict[str, Task]:
    """The job's newest task on each node, by the node's id."""
    found: dict[str, tuple[str, Task]] = {}
    for name, service in services.items():
        if name == "collector":
            continue
        with engine.trouble("asking for the job's tasks"):
            tasks = engine.client.api.tasks(filters={"service": service})
        for task in tasks:
            node, created, status = str(task.get("NodeID", "")), str(task.get("CreatedAt", "")), task["Status"]
            if node and created >= found.get(node, ("",))[0]:
                found[node] = (
                    created,
                    Task(
                        node=node,
                        state=one_line(status.get("State", ""), 20),
                        desired=one_line(task.get("DesiredState", ""), 20),
                        error=one_line(status.get("Err", "")),
                        seconds=_between(created, str(status.get("Timestamp", ""))),
                    ),
                )
    return {node: task for node, (_, task) in found.items()}


def _between(begin: str, end: str) -> float:
    import datetime

    try:
        times = [datetime.datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00") for stamp in (begin, end)]
    except ValueError:
        return 0.0
    return max(0.0, (times[1] - times[0]).total_seconds())


def remove(engine: Engine, fleet: str = "") -> None:
    """A fleet's services, or every fleet's; then what they held, secret and network, when the last task lets go.

    EngineTrouble where something stays.
    """
    label = {"label": f"{LABEL}={fleet}" if fleet else LABEL}
    with engine.trouble("removing the services"):
        for service in engine.client.services.list(filters=label):
            service.remove()
    _patiently(engine, lambda: _remove_all(engine.client.secrets.list(filters=label)))
    _patiently(engine, lambda: _remove_all(_networks(engine, label)))
    # containers of this node; the other nodes' go in the same moment, or when they are back
    _patiently(engine, lambda: _gone(engine, label))


def _networks(engine: Engine, label: Mapping[str, str]) -> list[Any]:
    return list(engine.client.networks.list(filters=label))


def _remove_all(things: list[Any]) -> bool:
    for thing in things:
        thing.remove()
    return not things


def _gone(engine: Engine, label: Mapping[str, str]) -> bool:
    theirs = {"label": [label["label"], "com.docker.swarm.service.id"]}
    return not engine.client.containers.list(all=True, filters=theirs)


def _patiently(engine: Engine, work: Callable[[], bool]) -> None:
    """Until ``work`` is done: a swarm lets go of things some seconds after it was told to."""
    deadline = time.monotonic() + _REMOVED_WITHIN
    while True:
        try:
            with engine.trouble("removing what the services held"):
                if work():
                    return
        except EngineTrouble:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise EngineTrouble("the swarm does not let go of it", "`edge-bench fleet clean` tries again")
        time.sleep(_PAUSE_SECONDS)
