"""The plan of an offload, the server's identity, and the arms to measure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.schedule import passes_per_trial
from edge_bench.bench.offload.client.http import NOT_ALLOWED, Client, RemoteFailed, Server
from edge_bench.bench.offload.client.payload import payload_problem
from edge_bench.bench.offload.network.link_profiles import DIRECT, Link
from edge_bench.bench.offload.records.offload import LOCAL, Arm, ArmTrial, OffloadSettings, ServerIdentity
from edge_bench.bench.records.power import Power
from edge_bench.bench.records.run import Failure

__all__ = ["ArmState", "Plan", "arms_of", "identify_server"]

#: Parameters of the server's metadata that are fields of ServerIdentity.
_SERVER_PARAMETERS = (
    "bundle_sha256", "variant", "runtime", "runtime_version", "threads", "model_sha256", "hostname", "architecture",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Everything that determines an offload, except the machines."""

    bundle: Path
    workload: Workload  # all images to classify
    timed: int  # number of images to time, from the start of the workload
    local: Planned
    server: Server
    model: str
    token: str
    payloads: Sequence[str]
    links: Sequence[Link]
    in_flight: Sequence[int]
    settings: OffloadSettings
    power: Power | str | None = None  # stated, "none", or the file of a sensor; None: the best meter

    @property
    def is_graph(self) -> bool:
        """Whether the model has any inputs and outputs, instead of those of a classifier."""
        return bool(self.workload.graphs)


@dataclass
class ArmState:
    """An arm that is being measured."""

    arm: Arm
    port: int | None = None
    passes: int = 0
    pass_seconds: float = 0.0  # estimated by the last warm-up
    bytes_up: int = 0  # over all trials
    bytes_down: int = 0
    trials: list[ArmTrial] = field(default_factory=list)
    failure: Failure | None = None

    def warmed_up(self, pass_ns: int) -> None:
        """Keep the estimated duration of a pass. The first one fixes the passes of all trials."""
        self.pass_seconds = pass_ns / 1e9
        self.passes = self.passes or passes_per_trial(pass_ns)

    def record(self) -> Arm:
        """Return the arm with its trials, its failure and its mean bytes per image."""
        images = sum(trial.latencies.length for trial in self.trials) or 1
        up, down = self.bytes_up / images, self.bytes_down / images
        return msgspec.structs.replace(self.arm, trials=self.trials, failure=self.failure, bytes_up=up, bytes_down=down)


def identify_server(plan: Plan) -> tuple[ServerIdentity, Failure | None]:
    """Return the server's description of itself, and a failure if it is unreachable or serves another bundle.

    Raise BadInput if it does not accept the token: every request would fail, and only the user can change that.
    """
    unknown = ServerIdentity(url=plan.server.url, model=plan.model)
    try:
        with Client(plan.server, token=plan.token, timeout=plan.settings.timeout_s) as client:
            metadata = client.metadata(plan.model)
    except RemoteFailed as cause:
        if cause.kind == NOT_ALLOWED:
            raise BadInput(str(cause), cause.remedy) from None
        return unknown, Failure(kind=cause.kind, message=str(cause), remedy=cause.remedy)
    fields: dict[str, Any] = {name: metadata.parameter(name) for name in _SERVER_PARAMETERS}
    identity = ServerIdentity(
        **fields,
        url=plan.server.url,
        model=metadata.name,
        platform=metadata.platform,
        emulated=metadata.parameter("emulated").lower() == "true",
        tool_version=metadata.parameter("edge_bench_version"),
    )
    expected, served = plan.workload.identity.sha256, identity.bundle_sha256
    if served == expected:
        return identity, None
    what = f"of another bundle ({served[:12]}, not {expected[:12]})" if served else "of an unknown bundle"
    return identity, Failure(
        kind="another model",
        message=f"{plan.server.url} serves {metadata.name!r} {what}, so its answers are about another model",
        remedy="serve the same bundle there, or set --bundle to the one that it serves",
    )


def arms_of(plan: Plan, ports: Mapping[str, int], unreachable: Failure | None) -> Iterator[ArmState]:
    """Yield the local arm, then every payload on every link, the direct path first.

    ``ports`` maps the name of a simulated link to its local port.
    """
    yield ArmState(Arm(where=LOCAL), failure=plan.local.failure)
    images = open_npy(plan.workload.shared.pixels)
    for link in [DIRECT, *(link.name for link in plan.links)]:
        for payload in plan.payloads:
            for count in plan.in_flight:
                problem = payload_problem(payload, images)
                unsupported = Failure(kind="cannot be sent", message=problem) if problem else None
                arm = Arm(where="remote", payload=payload, link=link, in_flight=count)
                yield ArmState(arm, port=ports.get(link), failure=unreachable or unsupported)
