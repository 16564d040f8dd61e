"""The description of a swarm deployment, for the stack file and for the SDK."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_bench.app.fleet.docker.container import LABEL
from edge_bench.app.fleet.docker.engine import PLATFORMS
from edge_bench.app.fleet.swarm.collector import PORT

__all__ = ["Stack", "as_yaml"]

_HARDENED: dict[str, Any] = {"read_only": True, "cap_drop": ["ALL"]}
_TMP = {"type": "tmpfs", "target": "/tmp"}  # noqa: S108
_TOKEN = {"source": "token", "target": "token", "uid": "10001", "gid": "10001", "mode": 0o400}


@dataclass(frozen=True)
class Stack:
    """One fleet command in a swarm."""

    fleet: str
    node: str  # id of the manager with the bundle and the collector
    collector_image: str
    images: Mapping[str, str]  # platform → name of the image on its nodes
    artifacts: str  # volume on the collector's node
    results: str  # volume on the collector's node
    command: Sequence[str]  # options of `run`
    without: Sequence[str] = ()  # ids of nodes whose Run is already here
    reconnect_timeout: float = 600  # seconds for which a task repeats a failed request to the collector

    @property
    def network(self) -> str:
        """The overlay network's name."""
        return f"edge-bench-{self.fleet}"

    @property
    def secret(self) -> str:
        """The token's name."""
        return f"edge-bench-token-{self.fleet}"

    def compose(self) -> dict[str, Any]:
        """Return the content of the stack file, except its version."""
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
        constraints = [f"node.platform.arch == {_architecture_of(platform)}"]
        return {
            "image": self.images[platform],
            "command": ["fleet", "task", "--collector", f"collector:{PORT}", "--reconnect-timeout",
                        f"{self.reconnect_timeout:g}", "--", *self.command],
            "hostname": "{{.Node.Hostname}}",
            "environment": {
                "EDGE_BENCH_NODE": "{{.Node.ID}}",
                "EDGE_BENCH_COMPARE_WITH": "",
                "EDGE_BENCH_DEFAULT_BUDGET": "",
            },
            **_HARDENED,
            "networks": ["fleet"],
            "secrets": [_TOKEN],
            # volumes without a name are removed with their container
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
        """Return the stack file, with the commands to run before its deployment as a comment."""
        head = f"""\
# edge-bench fleet {self.fleet}: a task on every node of the architectures below, and a collector on one manager.
# `edge-bench fleet run --swarm` deploys exactly this and follows it. To deploy it manually on that manager:
#
#   docker network create --driver overlay --attachable {self.network}
#   openssl rand -hex 32 | tr -d '\\n' | docker secret create {self.secret} -
#   docker volume create {self.artifacts} && docker volume create {self.results}
#   docker run --rm -u 0 -v {self.artifacts}:/artifacts:nocopy -v "$PWD/BUNDLE:/bundle:ro" --entrypoint cp \\
#     {self.collector_image} -R /bundle /artifacts/bundle
#   docker stack deploy --compose-file THIS-FILE --resolve-image never edge-bench
#
# The images must be on the nodes, or in a registry that they can reach. Runs are in {self.results}, runs/NODE/.
"""
        return head + as_yaml({"version": "3.8"} | self.compose())


def _architecture_of(platform: str) -> str:
    """Return a swarm's name of a platform's architecture: aarch64 for linux/arm64."""
    return next((name for name, value in PLATFORMS.items() if value == platform), platform.rpartition("/")[2])


def as_yaml(value: dict[str, Any]) -> str:
    """Return a value as YAML without aliases. Strings that a parser could read as another type are quoted.

    PyYAML alone would not quote "12e34", "09" and "0o17", numbers in YAML 1.2, nor "y", a boolean in YAML 1.1.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    Dumper.add_implicit_resolver("number-like", re.compile(r"[-+]?\.?[0-9]|[yYnN]$"), list("-+.0123456789yYnN"))
    text: str = yaml.dump(value, Dumper=Dumper, sort_keys=False)
    return text
