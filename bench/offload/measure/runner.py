"""Measurement of local and remote inference in interleaved rounds.

Worker processes are replaced in generations, as in bench/measure/runner.py: one loads the model, one talks to the
server. Each round runs every arm once, in a seeded shuffled order. If an arm fails, the others still run.
"""

import time
import uuid
from collections.abc import Sequence
from functools import partial

import numpy as np

from edge_bench.bench.dataset.workload import pixel_checksums
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.duration.announcement import Announcement
from edge_bench.bench.measure.duration.remaining import Remaining
from edge_bench.bench.measure.energy.findings import meter_findings
from edge_bench.bench.measure.energy.start import chosen_meter
from edge_bench.bench.measure.schedule import Generation, schedule
from edge_bench.bench.measure.trust import setup_findings
from edge_bench.bench.offload.measure.messages import (
    Classify,
    Labels,
    PathTimes,
    Probe,
    Timed,
    TimeLocal,
    TimeRemote,
    WarmedUp,
    WarmUp,
)
from edge_bench.bench.offload.measure.plan import ArmState, Plan, arms_of, identify_server
from edge_bench.bench.offload.measure.samples import compare_outputs
from edge_bench.bench.offload.measure.trust import offload_findings
from edge_bench.bench.offload.measure.workers import Workers
from edge_bench.bench.offload.network.link_profiles import DIRECT
from edge_bench.bench.offload.network.proxy_process import Proxied, proxied
from edge_bench.bench.offload.network.upload_rate import upload_rate
from edge_bench.bench.offload.records.offload import (
    LOCAL,
    Accuracy,
    Arm,
    ArmTrial,
    Offload,
    OutputComparison,
    PathProbe,
)
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.power import Power
from edge_bench.bench.records.run import Images
from edge_bench.bench.records.run_files import utc_now
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.system.environment import machine_findings
from edge_bench.bench.system.machine import Finding, describe_machine
from edge_bench.bench.system.power.find import Search
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.system.trial_monitor import monitor_trial
from edge_bench.bench.version import __version__, revision
from edge_bench.bench.wording import counted
from edge_bench.bench.worker.durations import WARM_UP
from edge_bench.bench.worker.graphs.messages import Sample, Sampled

__all__ = ["measure_offload"]

#: Later arms run in a process that is already warm. Only their connections need warming up.
_CONNECTION_WARM_UP_NS = 50_000_000


def measure_offload(plan: Plan, progress: Progress, offload_id: str = "") -> Offload:
    """Measure all arms of the plan. After Ctrl-C, or without the server, return the measurements so far."""
    return _Measurement(plan, progress, offload_id or uuid.uuid4().hex).run()


class _Measurement:
    def __init__(self, plan: Plan, progress: Progress, offload_id: str) -> None:
        self._plan, self._progress, self._id = plan, progress, offload_id
        self._machine = describe_machine()
        self._sensors = Sensors(emulated=self._machine.emulated)
        self._power = Search(None) if self._machine.emulated else chosen_meter(plan.power)
        self._began, self._began_ns = utc_now(), time.perf_counter_ns()
        self._identity, self._unreachable = identify_server(plan)
        self._path: PathProbe | None = None
        self._accuracies: list[Accuracy] = []
        self._comparison: OutputComparison | None = None
        self._workers = Workers(plan, progress)
        self._states: list[ArmState] = []
        self._sequence_number = 0

    def run(self) -> Offload:
        interrupted = False
        plan, server, unreachable = self._plan, self._plan.server, self._unreachable
        if unreachable:
            self._progress.say(f"! {unreachable.message}; only local inference is measured")
        with proxied(() if unreachable else plan.links, server.host, server.port, plan.settings.seed) as proxies:
            self._states = list(arms_of(plan, proxies.ports, unreachable))
            try:
                self._measure(proxies)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                self._workers.stop()
        self._progress.finish("interrupted" if interrupted else "")
        return self._offload(complete=not interrupted)

    def _measure(self, proxies: Proxied) -> None:
        settings = self._plan.settings
        generations = schedule(len(self._states), settings.trials, settings.processes, settings.seed)
        self._progress.start("measuring", settings.trials * len(self._states))
        self._progress.expect(None)
        possible = {number: settings.trials for number, state in enumerate(self._states) if not state.failure}
        remaining = Remaining(possible, len(generations))
        announcement = Announcement(remaining, self._progress, "configuration")
        for generation in generations:
            began = time.monotonic()
            for state in self._states:
                self._progress.advance(0, f"preparing {state.arm.name}")
                with self._workers.guarded(state):
                    self._warm_up(state)
            seconds = time.monotonic() - began
            if generation.number == 0:
                self._probe(proxies)
                if self._plan.is_graph:
                    self._compare_outputs()
                else:
                    self._classify()
            announcement.started(seconds, self._expect(remaining))
            self._rounds(generation, remaining, announcement)
            self._workers.stop()

    def _expect(self, remaining: Remaining) -> float:
        """Add what the warm-up tells about trials. Return the seconds by which all of them may take longer.

        The warm-up sends one request at a time. How many at once shorten a pass is known only from the trials.
        """
        more = 0.0
        for number, state in enumerate(self._states):
            if state.failure:
                remaining.failed(number)
            else:
                remaining.prepared(number, state.pass_seconds, state.passes)
                own = state.pass_seconds * state.passes
                more += self._plan.settings.trials * own * (state.arm.in_flight - 1)
        return more

    def _warm_up(self, state: ArmState) -> None:
        """Start the arm's worker if needed, and warm it up. The first generation fixes the passes per trial."""
        if state.failure:
            return
        fresh = not self._workers.running(state)
        worker = self._workers.worker(state)
        if state.arm.where != LOCAL:
            arm, least = state.arm, WARM_UP.nanoseconds() if fresh else _CONNECTION_WARM_UP_NS
            request = WarmUp(payload=arm.payload, port=state.port, in_flight=arm.in_flight, least_ns=least)
            reply = worker.ask(request, WarmedUp, self._workers.timeout)
            state.warmed_up(reply.pass_ns)

    def _rounds(self, generation: Generation, remaining: Remaining, announcement: Announcement) -> None:
        for round_number, order in enumerate(generation.rounds):
            for number in order:
                state, began = self._states[number], time.monotonic()
                if not state.failure:
                    with self._workers.guarded(state):
                        self._trial(state, generation.number, round_number)
                    if state.failure:
                        remaining.failed(number)
                    else:
                        announcement.trial(number, time.monotonic() - began)
                self._progress.advance(1, state.arm.name)

    def _trial(self, state: ArmState, process: int, round_number: int) -> None:
        arm, worker = state.arm, self._workers.worker(state)
        request: TimeLocal | TimeRemote = TimeLocal(passes=state.passes)
        if arm.where != LOCAL:
            request = TimeRemote(payload=arm.payload, port=state.port, in_flight=arm.in_flight, passes=state.passes)
        with monitor_trial(self._sensors, self._power.meter) as readings:
            # the client has its own timeout for each request, but only the parent can end hanging native code
            requests = 1 if arm.where == LOCAL else state.passes * self._plan.timed
            timed = worker.ask(request, Timed, self._workers.timeout * requests)
        state.bytes_up += timed.bytes_up
        state.bytes_down += timed.bytes_down
        power_w = readings.power_w(timed.began_ns, timed.elapsed_ns)
        state.trials.append(
            ArmTrial(
                process=process,
                round=round_number,
                sequence_number=self._sequence_number,
                began_ns=max(0, timed.began_ns - self._began_ns),
                elapsed_ns=timed.elapsed_ns,
                passes=state.passes,
                latencies=pack(timed.latencies),
                parts={name: pack(np.maximum(values, 0)) for name, values in timed.parts.items()},
                cpu_ns=timed.cpu_ns,
                other_cpu_ns=readings.other_cpu_ns(timed.cpu_ns),
                steal_ns=readings.passed("steal_ns"),
                temperature_c=readings.after.temperature_c,
                throttled=readings.throttled,
                joules=None if power_w is None else power_w * timed.elapsed_ns / 1e9,
            )
        )
        self._sequence_number += 1

    def _probe(self, proxies: Proxied) -> None:
        """Measure the direct path: round trips, empty requests and the upload rate."""
        direct = next((state for state in self._states if state.arm.link == DIRECT and not state.failure), None)
        if direct is None:
            return
        with self._workers.guarded(direct):
            path = self._workers.worker(direct).ask(Probe(), PathTimes, self._workers.timeout)
            self._path = PathProbe(
                rtt_s=float(np.median(path.connect_ns)) / 1e9,
                empty_s=float(np.median(path.empty_ns)) / 1e9,
                up_bps=upload_rate(path.upload_bytes, path.upload_ns),
                proxy_overhead_s=proxies.overhead_s,
            )

    def _classify(self) -> None:
        """Collect the labels of all images, local and by each payload, to compare their accuracies."""
        rows = self._plan.workload.shared.rows.tolist()
        for payload in ["", *self._plan.payloads]:
            state = next(
                (s for s in self._states if s.arm.payload == payload and s.arm.link in ("", DIRECT) and not s.failure),
                None,
            )
            if state is None:
                continue
            self._progress.advance(0, f"labels of {counted(len(rows), 'image')}, {payload or LOCAL}")
            with self._workers.guarded(state):
                request = Classify(rows=rows, payload=payload, batch_size=32)
                labels = self._workers.worker(state).ask(request, Labels, self._workers.timeout * len(rows))
                self._accuracies.append(Accuracy(payload=payload, predictions=pack(np.maximum(labels.labels, 0))))

    def _compare_outputs(self) -> None:
        """Compare the outputs of all examples here and there."""
        local, count = self._states[0], len(self._plan.workload.indices)
        remote = next((state for state in self._states if state.arm.link == DIRECT and not state.failure), None)
        if local.failure or remote is None:
            return
        self._progress.advance(0, f"outputs of {counted(count, 'example')}")

        def ask(state: ArmState, request: Sample) -> Sampled | None:
            with self._workers.guarded(state):
                timeout = self._workers.timeout * len(request.positions)
                return self._workers.worker(state).ask(request, Sampled, timeout)
            return None

        try:
            specs = self._workers.outputs(local), self._workers.outputs(remote)
            self._comparison = compare_outputs(partial(ask, local), partial(ask, remote), specs, count)
        except ValueError as cause:
            self._progress.say(f"! local and remote outputs cannot be compared: {cause}")

    def _offload(self, *, complete: bool) -> Offload:
        plan, workload = self._plan, self._plan.workload
        labels = np.zeros(0, np.int64) if workload.labels is None else workload.labels
        arms = [state.record() for state in self._states]
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
            bundle=workload.identity,
            settings=plan.settings,
            images=Images(
                indices=pack(workload.indices),
                labels=pack(labels),
                total_images=workload.total_images,
                checksums=pack(pixel_checksums(workload)),
                notes=list(workload.notes),
            ),
            timed=plan.timed,
            configuration=plan.local.configuration,
            model_sha256=plan.local.variant.sha256,
            runtime_version=plan.local.runtime_version,
            links=list(plan.links),
            path=self._path,
            arms=arms,
            accuracies=self._accuracies,
            comparison=self._comparison,
            power=plan.power if isinstance(plan.power, Power) else None,
            meter=self._power.meter.name if self._power.meter else "",
            sandbox=sandbox_support().parts,
            findings=self._findings(arms),
        )

    def _findings(self, arms: Sequence[Arm]) -> list[Finding]:
        threads = self._plan.local.configuration.threads
        return [
            *machine_findings(self._machine),
            *setup_findings(),
            *meter_findings(self._power),
            *offload_findings(arms, self._machine, self._identity, threads),
        ]
