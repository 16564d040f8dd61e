"""The measurement: fresh workers, here and there in interleaved rounds, one Offload comes out.

As in bench/benchmark.py, a generation of worker processes at a time: one loads the model, one talks to the server.
Their trials alternate in a seeded shuffled order over all ways (arms). A way that fails is a row; the rest goes on.
"""

import contextlib
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from bench.benchmark import TRIAL_NS
from bench.codec import pack
from bench.machine import describe_machine
from bench.manager import Worker, WorkerFailed
from bench.npy import open_npy
from bench.offload.client import Client, RemoteFailed, Server
from bench.offload.energy import Power
from bench.offload.findings import offload_findings
from bench.offload.links import DIRECT, Link
from bench.offload.messages import (
    Classify,
    Labels,
    OffloadReply,
    PathTimes,
    Prepared,
    PrepareLocal,
    PrepareRemote,
    Probe,
    Timed,
    TimeLocal,
    TimeRemote,
    Warm,
    Warmed,
)
from bench.offload.meters import Metered, meter_of
from bench.offload.payloads import why_not_payload
from bench.offload.proxies import Proxied, proxied
from bench.offload.records import (
    LOCAL,
    Accuracy,
    Arm,
    ArmTrial,
    Offload,
    OffloadSettings,
    PathProbe,
    ServerIdentity,
)
from bench.plan import Planned
from bench.progress import Progress
from bench.protocol import Ready
from bench.results import Failure, Images, utc_now
from bench.schedule import Generation, schedule
from bench.subject import Subject, pixel_checksums
from bench.telemetry import Sensors, throttling
from bench.trust import machine_findings
from bench.version import __version__, revision
from bench.warming import WARM_UP_NS

__all__ = ["Plan", "measure_offload"]

_HEADROOM = 1.2
#: A way that follows another in the same, warm process needs its connections warm, not the process.
_NEXT_WARM_UP_NS = 50_000_000
_LOST = ("crashed", "timed out")  # what a worker does not survive
_GRACE_S = 30.0


@dataclass(frozen=True)
class Plan:
    """Everything that decides an offload but the machines."""

    bundle: Path
    subject: Subject  # all images whose labels are to be known
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
class _ArmState:
    """An arm while it is measured."""

    arm: Arm
    port: int | None = None
    passes: int = 0
    up: int = 0
    down: int = 0
    trials: list[ArmTrial] = field(default_factory=list)
    failure: Failure | None = None

    def done(self) -> Arm:
        images = sum(trial.latencies.length for trial in self.trials) or 1
        return msgspec.structs.replace(
            self.arm, trials=self.trials, failure=self.failure, bytes_up=self.up / images, bytes_down=self.down / images
        )


def measure_offload(plan: Plan, progress: Progress, offload_id: str = "") -> Offload:
    """Measures everything; what was measured comes back, also after Ctrl-C or where the server is not there."""
    return _Measurement(plan, progress, offload_id or uuid.uuid4().hex).run()


class _Measurement:
    def __init__(self, plan: Plan, progress: Progress, offload_id: str) -> None:
        self._plan, self._progress, self._id = plan, progress, offload_id
        self._machine = describe_machine()
        self._sensors = Sensors(emulated=self._machine.emulated)
        self._meter = None if self._machine.emulated else meter_of()
        self._began, self._began_ns = utc_now(), time.perf_counter_ns()
        self._identity = ServerIdentity(url=plan.server.url, model=plan.model)
        self._path: PathProbe | None = None
        self._accuracies: list[Accuracy] = []
        self._workers: dict[str, Worker] = {}
        self._states: list[_ArmState] = []
        self._place = 0

    def run(self) -> Offload:
        interrupted = False
        unreachable = self._meet()
        with proxied(
            () if unreachable else self._plan.links, self._plan.server.host, self._plan.server.port,
            self._plan.settings.seed,
        ) as proxies:  # fmt: skip
            self._states = list(self._arms(proxies, unreachable))
            try:
                self._measure(proxies)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                self._stop_workers()
        self._progress.finish("interrupted" if interrupted else "")
        return self._offload(complete=not interrupted)

    # -- the other end

    def _meet(self) -> Failure | None:
        """Asks the server what it serves. Why nothing can be sent to it; BadInput where it serves something else."""
        plan = self._plan
        try:
            with Client(plan.server, token=plan.token, timeout=plan.settings.timeout_s) as client:
                said = client.metadata(plan.model)
        except RemoteFailed as cause:
            self._progress.say(f"! {cause}; what can be measured here is measured. {cause.remedy}")
            return Failure(kind=cause.kind, message=str(cause), remedy=cause.remedy)
        self._identity = ServerIdentity(
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
        wanted, found = plan.subject.identity.sha256, self._identity.bundle_sha256
        if found == wanted:
            return None
        what = f"of another bundle ({found[:12]}, not {wanted[:12]})" if found else "of an unknown bundle"
        message = f"{plan.server.url} serves {said.name!r} {what}: its answers are not about this model"
        remedy = "serve the same bundle there, or name the one that it serves"
        self._progress.say(f"! {message}; what can be measured here is measured. {remedy}")
        return Failure(kind="another model", message=message, remedy=remedy)

    def _arms(self, proxies: Proxied, unreachable: Failure | None) -> Iterator[_ArmState]:
        yield _ArmState(Arm(where=LOCAL), failure=self._plan.local.failure)
        images = open_npy(self._plan.subject.pixels)
        for link in [DIRECT, *(link.name for link in self._plan.links)]:
            for payload in self._plan.payloads:
                for count in self._plan.in_flight:
                    why = why_not_payload(payload, images)
                    unable = Failure(kind="cannot be sent", message=why) if why else None
                    arm = Arm(where="remote", payload=payload, link=link, in_flight=count)
                    yield _ArmState(arm, port=proxies.ports.get(link), failure=unreachable or unable)

    # -- the two sides

    def _worker(self, state: _ArmState) -> Worker:
        """The living worker of an arm's side, started where there is none."""
        side = state.arm.where
        if side not in self._workers:
            runtime = self._plan.local.configuration.runtime
            worker = self._workers[side] = Worker.of(
                "bench.offload.worker", [runtime if side == LOCAL else side], OffloadReply
            )
            worker.wait_for(Ready, self._timeout)
            prepared = worker.ask(self._preparation(side), Prepared, self._timeout)
            if side == LOCAL:
                state.passes = state.passes or _passes(prepared.pass_ns)
        return self._workers[side]

    @property
    def _timeout(self) -> float:
        """For what a worker does at once; the client has a limit of its own for every request."""
        return 10 * self._plan.settings.timeout_s + _GRACE_S

    def _preparation(self, side: str) -> PrepareLocal | PrepareRemote:
        plan, subject = self._plan, self._plan.subject
        rows, pixels = subject.rows[: plan.timed].tolist(), str(subject.pixels)
        if side == LOCAL:
            return PrepareLocal(
                configuration=plan.local.configuration,
                file=str(plan.local.file),
                images=pixels,
                rows=rows,
                preprocessing=subject.preprocessing,
                input_shape=None if subject.input_shape is None else list(subject.input_shape),
            )
        return PrepareRemote(
            server=plan.server, model=plan.model, token=plan.token, images=pixels, rows=rows,
            quality=plan.settings.quality, timeout_s=plan.settings.timeout_s,
        )  # fmt: skip

    def _stop_workers(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()

    @contextlib.contextmanager
    def _guarded(self, state: _ArmState) -> Iterator[None]:
        """A failure is the arm's; a worker that is lost is started anew for the next."""
        try:
            yield
        except WorkerFailed as cause:
            state.failure = cause.failure
            self._progress.say(f"! {state.arm.name}: {cause.failure.message}")
            if cause.failure.kind in _LOST or (state.arm.where == LOCAL and not state.trials):
                lost = self._workers.pop(state.arm.where, None)
                if lost:
                    lost.stop()

    # -- the trials

    def _measure(self, proxies: Proxied) -> None:
        settings = self._plan.settings
        generations = schedule(len(self._states), settings.trials, settings.processes, settings.seed)
        self._progress.start("measuring", settings.trials * len(self._states))
        for generation in generations:
            for state in self._states:
                self._progress.advance(0, f"preparing {state.arm.name}")
                with self._guarded(state):
                    self._warm(state)
            if generation.number == 0:
                self._probe(proxies)
                self._classify()
            self._rounds(generation)
            self._stop_workers()

    def _warm(self, state: _ArmState) -> None:
        """Loads or connects, and warms up. How many passes a trial has is fixed by the first generation."""
        if state.failure:
            return
        fresh = state.arm.where not in self._workers
        worker = self._worker(state)
        if state.arm.where != LOCAL:
            arm, least = state.arm, WARM_UP_NS if fresh else _NEXT_WARM_UP_NS
            warm = Warm(payload=arm.payload, port=state.port, in_flight=arm.in_flight, least_ns=least)
            warmed = worker.ask(warm, Warmed, self._timeout)
            state.passes = state.passes or _passes(warmed.pass_ns)

    def _rounds(self, generation: Generation) -> None:
        for round_number, order in enumerate(generation.rounds):
            for number in order:
                state = self._states[number]
                if not state.failure:
                    with self._guarded(state):
                        self._trial(state, generation.number, round_number)
                self._progress.advance(1, state.arm.name)

    def _trial(self, state: _ArmState, process: int, round_number: int) -> None:
        arm, worker = state.arm, self._worker(state)
        request: TimeLocal | TimeRemote = TimeLocal(passes=state.passes)
        if arm.where != LOCAL:
            request = TimeRemote(payload=arm.payload, port=state.port, in_flight=arm.in_flight, passes=state.passes)
        before, own = self._sensors.read(), time.process_time_ns()
        with self._meter.watch() if self._meter else contextlib.nullcontext(Metered()) as metered:
            # the client bounds each of its requests; what hangs in native code here only the parent can end
            sent = 1 if arm.where == LOCAL else state.passes * self._plan.timed
            timed = worker.ask(request, Timed, self._timeout * sent)
        own, after = time.process_time_ns() - own, self._sensors.read()
        busy = None if before.busy_ns is None or after.busy_ns is None else after.busy_ns - before.busy_ns
        stolen = None if before.stolen_ns is None or after.stolen_ns is None else after.stolen_ns - before.stolen_ns
        state.up, state.down = state.up + timed.bytes_up, state.down + timed.bytes_down
        state.trials.append(
            ArmTrial(
                process=process,
                round=round_number,
                place=self._place,
                began_ns=max(0, timed.began_ns - self._began_ns),
                elapsed_ns=timed.elapsed_ns,
                passes=state.passes,
                latencies=pack(timed.latencies),
                parts={name: pack(np.maximum(values, 0)) for name, values in timed.parts.items()},
                cpu_ns=timed.cpu_ns,
                others_ns=None if busy is None else max(0, busy - timed.cpu_ns - own),
                stolen_ns=stolen,
                temperature_c=after.temperature_c,
                throttled=throttling(before, after),
                joules=metered.joules,
            )
        )
        self._place += 1

    # -- what is known once

    def _probe(self, proxies: Proxied) -> None:
        """The path as it is: what a request costs, and how fast bytes go up."""
        direct = next((state for state in self._states if state.arm.link == DIRECT and not state.failure), None)
        if direct is None:
            return
        with self._guarded(direct):
            path = self._worker(direct).ask(Probe(), PathTimes, self._timeout)
            self._path = PathProbe(
                rtt_s=float(np.median(path.connect_ns)) / 1e9,
                empty_s=float(np.median(path.empty_ns)) / 1e9,
                up_bps=upload_rate(path.upload_bytes, path.upload_ns),
                proxy_overhead_s=proxies.overhead_s,
            )

    def _classify(self) -> None:
        """Labels of all images, here and by each payload: what sending them so costs in accuracy."""
        rows = self._plan.subject.rows.tolist()
        for payload in ["", *self._plan.payloads]:
            state = next(
                (s for s in self._states if s.arm.payload == payload and s.arm.link in ("", DIRECT) and not s.failure),
                None,
            )
            if state is None:
                continue
            self._progress.advance(0, f"labels of {len(rows):,} images, {payload or LOCAL}")
            with self._guarded(state):
                request = Classify(rows=rows, payload=payload, batch_size=32)
                labels = self._worker(state).ask(request, Labels, self._timeout * len(rows))
                self._accuracies.append(Accuracy(payload=payload, predictions=pack(np.maximum(labels.labels, 0))))

    # -- the record

    def _offload(self, *, complete: bool) -> Offload:
        plan, subject = self._plan, self._plan.subject
        labels = np.zeros(0, np.int64) if subject.labels is None else subject.labels
        arms = [state.done() for state in self._states]
        return Offload(
            offload_id=self._id,
            began=self._began,
            ended=utc_now(),
            wall_seconds=round((time.perf_counter_ns() - self._began_ns) / 1e9, 3),
            complete=complete,
            tool_version=__version__,
            tool_revision=revision(),
            machine=self._machine,
            server=self._identity,
            bundle=subject.identity,
            settings=plan.settings,
            images=Images(
                indices=pack(subject.indices),
                labels=pack(labels),
                of=subject.of,
                checksums=pack(pixel_checksums(subject)),
                notes=list(subject.notes),
            ),
            timed=plan.timed,
            configuration=plan.local.configuration,
            model_sha256=plan.local.variant.sha256,
            runtime_version=plan.local.runtime_version,
            links=list(plan.links),
            path=self._path,
            arms=arms,
            accuracies=self._accuracies,
            power=plan.power,
            meter=self._meter.name if self._meter else "",
            findings=[
                *machine_findings(self._machine),
                *offload_findings(arms, self._machine, self._identity, plan.local.configuration.threads),
            ],
        )


def _passes(pass_ns: int) -> int:
    return max(1, -int(-TRIAL_NS * _HEADROOM // max(pass_ns, 1)))


def upload_rate(sizes: Sequence[int], times_ns: Sequence[int]) -> float | None:
    """Bits a second, from the slope of the least time of each upload size over its size.

    The least, because what disturbs an upload only ever adds to it. None where larger ones took no longer.
    """
    table: npt.NDArray[np.float64] = np.array([sizes, times_ns], np.float64)
    distinct = np.unique(table[0])
    if len(distinct) < 2:
        return None
    least = np.array([table[1][table[0] == size].min() for size in distinct])
    slope = float(np.polyfit(distinct, least, 1)[0])  # ns a byte
    return 8e9 / slope if slope > 0 else None
