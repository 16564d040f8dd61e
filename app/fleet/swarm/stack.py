"""The deployment as one description: a stack file that people can read, keep and deploy, and what the SDK is told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_bench.app.fleet.docker.container import LABEL
from edge_bench.app.fleet.docker.engine import PLATFORMS
from edge_bench.app.fleet.swarm.collector import PORT

__all__ = ["Stack", "architectures_of", "as_yaml"]

_HARDENED: dict[str, Any] = {"read_only": True, "cap_drop": ["ALL"]}
_TMP = {"type": "tmpfs", "target": "/tmp"}  # noqa: S108
_TOKEN = {"source": "token", "target": "token", "uid": "10001", "gid": "10001", "mode": 0o400}


@dataclass(frozen=True)
class Stack:
    """One fleet command in a swarm."""

    fleet: str
    node: str  # id of the manager that has the bundle and collects
    collector_image: str
    images: Mapping[str, str]  # platform → the image's name on its nodes
    artifacts: str  # names of the volumes on the collector's node
    results: str
    command: Sequence[str]  # options of `run`
    without: Sequence[str] = ()  # ids of nodes that have handed over their Run before
    reconnect_timeout: float = 600

    @property
    def network(self) -> str:
        """The overlay network's name."""
        return f"edge-bench-{self.fleet}"

    @property
    def secret(self) -> str:
        """The token's name."""
        return f"edge-bench-token-{self.fleet}"

    def compose(self) -> dict[str, Any]:
        """As a stack file says it."""
        return {
            "services": {"collector": self._collector()}
            | {f"run-{platform.replace('/', '-')}": self._job(platform) for platform in sorted(self.images)},
            "networks": {"fleet": {"name": self.network, "external": True}},
            "secrets": {"token": {"name": self.secret, "external": True}},
            "volumes": {
                "artifacts": {"name": self.artifacts, "external": True},
                "results": {"name": self.results, "external": True},
            },
        }

    def _collector(self) -> dict[str, Any]:
        return {
            "image": self.collector_image,
            "command": ["fleet", "collect", "/artifacts/bundle", "--results", "/results/runs"],
            **_HARDENED,
            "networks": ["fleet"],
            "secrets": [_TOKEN],
            "volumes": [
                {"type": "volume", "source": "artifacts", "target": "/artifacts", "read_only": True},
                {"type": "volume", "source": "results", "target": "/results"},
                _TMP,
            ],
            "deploy": {
                "mode": "replicated",
                "replicas": 1,
                "endpoint_mode": "dnsrr",
                "placement": {"constraints": [f"node.id == {self.node}"]},
                "restart_policy": {"condition": "any"},
                "labels": {LABEL: self.fleet},
            },
        }

    def _job(self, platform: str) -> dict[str, Any]:
        constraints = [f"node.platform.arch == {architectures_of(platform)}"]
        return {
            "image": self.images[platform],
            "command": ["fleet", "task", "--collector", f"collector:{PORT}", "--reconnect-timeout",
                        f"{self.reconnect_timeout:g}", "--", *self.command],
            "hostname": "{{.Node.Hostname}}",
            "environment": {"EDGE_BENCH_NODE": "{{.Node.ID}}", "EDGE_BENCH_COMPARE_WITH": ""},
            **_HARDENED,
            "networks": ["fleet"],
            "secrets": [_TOKEN],
            # volumes without a name go with their container
            "volumes": [{"type": "volume", "target": "/artifacts"}, {"type": "volume", "target": "/results"}, _TMP],
            "deploy": {
                "mode": "global-job",
                "endpoint_mode": "dnsrr",
                "placement": {"constraints": constraints + [f"node.id != {node}" for node in self.without]},
                "restart_policy": {"condition": "none"},
                "labels": {LABEL: self.fleet},
            },
        }  # fmt: skip

    def file(self) -> str:
        """The stack file, with what has to be there before it is deployed."""
        head = f"""\
# edge-bench fleet {self.fleet}: a task on every node of the architectures below, and a collector on one manager.
# `edge-bench fleet run --swarm` deploys exactly this and watches it. By hand, on that manager:
#
#   docker network create --driver overlay --attachable {self.network}
#   openssl rand -hex 32 | tr -d '\\n' | docker secret create {self.secret} -
#   docker volume create {self.artifacts} && docker volume create {self.results}
#   docker run --rm -u 0 -v {self.artifacts}:/artifacts -v "$PWD/BUNDLE:/bundle:ro" --entrypoint cp \\
#     {self.collector_image} -R /bundle /artifacts/bundle
#   docker stack deploy --compose-file THIS-FILE --resolve-image never edge-bench
#
# The images have to be on the nodes already, or in a registry that they reach. Runs are in {self.results}, runs/NODE/.
"""
        return head + as_yaml({"version": "3.8"} | self.compose())


def architectures_of(platform: str) -> str:
    """What a swarm calls a platform's machine: linux/arm64 is aarch64."""
    return next((machine for machine, name in PLATFORMS.items() if name == platform), platform.rpartition("/")[2])


def as_yaml(value: Any, indent: int = 0) -> str:
    """Nested dictionaries and lists as YAML; every text is quoted as in JSON, which YAML reads as well."""
    space = "  " * indent
    if isinstance(value, dict):
        return "".join(f"{space}{key}:{_inner(inner, indent)}" for key, inner in value.items())
    return "".join(f"{space}-{_inner(item, indent)}" for item in value)


def _inner(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        flat = all(not isinstance(item, dict | list) for item in value) and isinstance(value, list)
        return f" {json.dumps(value)}\n" if flat else f"\n{as_yaml(value, indent + 1)}"
    return f" {json.dumps(value)}\n"
