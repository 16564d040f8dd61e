"""The services, nodes and tasks of a Stack in a running swarm, through the SDK."""

import datetime
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.container import LABEL
from edge_bench.app.fleet.docker.engine import Engine, platform_of
from edge_bench.app.fleet.docker.errors import BadAnswer, EngineTrouble, one_line, stated_number
from edge_bench.app.fleet.swarm.stack import Stack

__all__ = ["Node", "Task", "deploy", "nodes_of", "prepare", "remove", "tasks_of"]

_REMOVAL_SECONDS = 60.0
_POLL_SECONDS = 0.5


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
        """The platform of the image for this node."""
        return platform_of(self.architecture)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The job's task on one node."""

    state: str  # new · preparing · running · complete · failed · rejected · shutdown · …
    error: str
    seconds: float  # from its creation to its last change of state


def nodes_of(engine: Engine) -> list[Node]:
    """Return every node, sorted by host name."""
    with engine.trouble("listing the swarm's nodes"):
        nodes = [_node(node.attrs) for node in engine.client.nodes.list()]
    return sorted(nodes, key=lambda node: (node.hostname, node.id))


def _node(attrs: Mapping[str, Any]) -> Node:
    description, spec = attrs.get("Description") or {}, attrs.get("Spec") or {}
    if not re.fullmatch("[A-Za-z0-9]{1,64}", attrs["ID"]):  # the id is used as a folder name for received Runs
        raise BadAnswer("the id of a node is not a valid Docker id")
    return Node(
        id=attrs["ID"],
        hostname=one_line(description.get("Hostname", ""), 63),
        architecture=one_line((description.get("Platform") or {}).get("Architecture", ""), 40),
        state=one_line((attrs.get("Status") or {}).get("State", ""), 20),
        availability=one_line(spec.get("Availability", ""), 20),
        memory_bytes=stated_number((description.get("Resources") or {}).get("MemoryBytes")),
        engine_version=one_line((description.get("Engine") or {}).get("EngineVersion", ""), 40),
    )


def prepare(engine: Engine, stack: Stack, token: str) -> None:
    """Create the network and the secret, each with the fleet's label."""
    labels = {LABEL: stack.fleet}
    with engine.trouble("creating the network and the token"):
        engine.client.networks.create(stack.network, driver="overlay", attachable=True, scope="swarm", labels=labels)
        engine.client.secrets.create(name=stack.secret, data=token.encode(), labels=labels)


def deploy(engine: Engine, stack: Stack) -> dict[str, str]:
    """Create the stack's services, and return their ids by their names in the stack."""
    compose, ids = stack.compose(), {}
    with engine.trouble("looking for the token"):
        secret = engine.client.secrets.list(filters={"name": stack.secret})[0]
    volumes = {key: volume["name"] for key, volume in compose["volumes"].items()}
    for name, service in compose["services"].items():
        with engine.trouble(f"creating the service {name}"):
            ids[name] = str(_create(engine, stack, name, service, secret, volumes).id)
    return ids


def _create(
    engine: Engine, stack: Stack, name: str, service: Mapping[str, Any], secret: Any, volumes: Mapping[str, str]
) -> Any:
    from docker.types import EndpointSpec, Mount, NetworkAttachmentConfig, RestartPolicy, SecretReference, ServiceMode

    deployed, token = service["deploy"], service["secrets"][0]
    mounts = [
        Mount(
            mount["target"], volumes.get(mount.get("source", "")), type=mount["type"],
            read_only=mount.get("read_only", False),
        )
        for mount in service["volumes"]
    ]  # fmt: skip
    options = {"hostname": service["hostname"]} if "hostname" in service else {}
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
        **options,
    )  # fmt: skip


def tasks_of(engine: Engine, services: Mapping[str, str]) -> dict[str, Task]:
    """Return the job's newest task on each node, by the node's id."""
    newest: dict[str, tuple[str, Task]] = {}
    for name, service in services.items():
        if name == "collector":
            continue
        with engine.trouble("listing the job's tasks"):
            for task in engine.client.api.tasks(filters={"service": service}):
                node, created = one_line(task.get("NodeID", ""), 64), one_line(task.get("CreatedAt", ""), 40)
                if node and created >= newest.get(node, ("",))[0]:
                    newest[node] = (created, _task(created, task["Status"]))
    return {node: task for node, (_, task) in newest.items()}


def _task(created: str, status: Mapping[str, Any]) -> Task:
    return Task(
        state=one_line(status.get("State", ""), 20),
        error=one_line(status.get("Err", "")),
        seconds=_seconds_between(created, one_line(status.get("Timestamp", ""), 40)),
    )


def _seconds_between(begin: str, end: str) -> float:
    """Return the seconds between two timestamps of an engine, 0 if one is invalid."""
    try:
        times = [datetime.datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00") for stamp in (begin, end)]
    except ValueError:
        return 0.0
    return max(0.0, (times[1] - times[0]).total_seconds())


def remove(engine: Engine, fleet: str = "") -> None:
    """Remove a fleet's services or those of all fleets, then their secrets, networks and containers.

    Raise EngineTrouble if something cannot be removed.
    """
    label = {"label": f"{LABEL}={fleet}" if fleet else LABEL}
    with engine.trouble("removing the services"):
        for service in engine.client.services.list(filters=label):
            service.remove()
    _retry(engine, lambda: _remove_all(engine.client.secrets.list(filters=label)))
    _retry(engine, lambda: _remove_all(engine.client.networks.list(filters=label)))
    # only containers of this node can be listed; other nodes remove theirs at the same time or when they return
    containers = {"label": [label["label"], "com.docker.swarm.service.id"]}
    _retry(engine, lambda: not engine.client.containers.list(all=True, filters=containers))


def _remove_all(resources: list[Any]) -> bool:
    """Remove the resources, and return whether there were none left."""
    for resource in resources:
        resource.remove()
    return not resources


def _retry(engine: Engine, is_removed: Callable[[], bool]) -> None:
    """Repeat until ``is_removed`` returns True: a swarm removes resources some seconds after the request."""
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while True:
        try:
            with engine.trouble("removing networks and tokens of the services"):
                if is_removed():
                    return
        except EngineTrouble:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise EngineTrouble("the swarm did not remove it in time", "try again with `edge-bench fleet clean`")
        time.sleep(_POLL_SECONDS)
