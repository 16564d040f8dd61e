"""What an offload is to measure, whom it talks to, and all the ways that images take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.offload.client.http import Client, RemoteFailed, Server
from edge_bench.bench.offload.client.payload import why_not_payload
from edge_bench.bench.offload.network.link import DIRECT, Link
from edge_bench.bench.offload.records.offload import LOCAL, Arm, ArmTrial, OffloadSettings, ServerIdentity
from edge_bench.bench.offload.records.power import Power
from edge_bench.bench.records.run import Failure

__all__ = ["ArmState", "Plan", "arms_of", "meet"]


@dataclass(frozen=True)
class Plan:
    """Everything that decides an offload but the machines."""

    bundle: Path
    workload: Workload  # all images whose labels are to be known
    timed: int  # the first so many of them are timed
    local: Planned
    server: Server
    model: str
    token: str
    payloads: Sequence[str]
    links: Sequence[Link]
    in_flight: Sequence[int]
    settings: OffloadSettings
    power: Power | None = None


@dataclass
class ArmState:
    """An arm while it is measured."""

    arm: Arm
    port: int | None = None
    passes: int = 0
    up: int = 0
    down: int = 0
    trials: list[ArmTrial] = field(default_factory=list)
    failure: Failure | None = None

    def done(self) -> Arm:
        """The record of it."""
        images = sum(trial.latencies.length for trial in self.trials) or 1
        return msgspec.structs.replace(
            self.arm, trials=self.trials, failure=self.failure, bytes_up=self.up / images, bytes_down=self.down / images
        )


def meet(plan: Plan) -> tuple[ServerIdentity, Failure | None]:
    """Asks the server what it serves; and why nothing can be sent to it, where that is so."""
    stranger = ServerIdentity(url=plan.server.url, model=plan.model)
    try:
        with Client(plan.server, token=plan.token, timeout=plan.settings.timeout_s) as client:
            said = client.metadata(plan.model)
    except RemoteFailed as cause:
        return stranger, Failure(kind=cause.kind, message=str(cause), remedy=cause.remedy)
    identity = ServerIdentity(
        url=plan.server.url,
        model=said.name,
        platform=said.platform,
        bundle_sha256=said.said("bundle_sha256"),
        variant=said.said("variant"),
        runtime=said.said("runtime"),
        runtime_version=said.said("runtime_version"),
        threads=said.said("threads"),
        model_sha256=said.said("model_sha256"),
        hostname=said.said("hostname"),
        architecture=said.said("architecture"),
        emulated=said.said("emulated").lower() == "true",
        tool_version=said.said("edge_bench_version"),
    )
    wanted, found = plan.workload.identity.sha256, identity.bundle_sha256
    if found == wanted:
        return identity, None
    what = f"of another bundle ({found[:12]}, not {wanted[:12]})" if found else "of an unknown bundle"
    return identity, Failure(
        kind="another model",
        message=f"{plan.server.url} serves {said.name!r} {what}: its answers are not about this model",
        remedy="serve the same bundle there, or name the one that it serves",
    )


def arms_of(plan: Plan, ports: Mapping[str, int], unreachable: Failure | None) -> Iterator[ArmState]:
    """The local way first, then every payload over every link, directly first; ``ports`` are the links'."""
    yield ArmState(Arm(where=LOCAL), failure=plan.local.failure)
    images = open_npy(plan.workload.pixels)
    for link in [DIRECT, *(link.name for link in plan.links)]:
        for payload in plan.payloads:
            for count in plan.in_flight:
                why = why_not_payload(payload, images)
                unable = Failure(kind="cannot be sent", message=why) if why else None
                arm = Arm(where="remote", payload=payload, link=link, in_flight=count)
                yield ArmState(arm, port=ports.get(link), failure=unreachable or unable)
