"""Worker processes of an offload: the local side has the model, the remote side talks to the server."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.offload.measure.messages import (
    OffloadReply,
    Prepared,
    PrepareLocal,
    PrepareLocalGraph,
    PrepareRemote,
    PrepareRemoteGraph,
)
from edge_bench.bench.offload.measure.plan import ArmState, Plan
from edge_bench.bench.offload.records.offload import LOCAL
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.sandbox.launch import Access
from edge_bench.bench.worker.access import access_to
from edge_bench.bench.worker.messages import Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["Workers"]

_FATAL_KINDS = ("crashed", "timed out")  # failures after which the worker must be replaced
_GRACE_S = 30.0


class Workers:
    """One worker process per side, started on first use."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._plan, self._progress = plan, progress
        self._workers: dict[str, WorkerProcess] = {}
        self._outputs: dict[str, list[TensorSpec]] = {}  # by side
        #: Seconds that a worker may take for one reply. Within it, the client has its own timeout for each request.
        self.timeout = 10 * plan.settings.timeout_s + _GRACE_S

    def running(self, state: ArmState) -> bool:
        """Return whether a worker of the arm's side is running."""
        return state.arm.where in self._workers

    def worker(self, state: ArmState) -> WorkerProcess:
        """Return the worker of the arm's side; start and prepare it first if it is not running."""
        side = state.arm.where
        if side not in self._workers:
            name = self._plan.local.configuration.runtime if side == LOCAL else side
            worker = self._workers[side] = WorkerProcess.spawn(
                "edge_bench.bench.offload.measure.worker", [name], OffloadReply, self._access(side)
            )
            worker.wait_for(Ready, self.timeout)
            prepared = worker.ask(self._prepare_request(side), Prepared, self.timeout)
            self._outputs[side] = prepared.outputs
            if side == LOCAL:
                state.warmed_up(prepared.pass_ns)
        return self._workers[side]

    def outputs(self, state: ArmState) -> list[TensorSpec]:
        """Return the outputs of the model of the arm's side, which is running; empty for a classifier."""
        return self._outputs[state.arm.where]

    def _access(self, side: str) -> Access | None:
        """Return the files of the local side. The remote side loads no model, and needs the network."""
        if side != LOCAL:
            return None
        local = self._plan.local
        files = self._plan.workload.files_of(local.configuration.variant)
        return access_to([*([local.file] if local.file else []), *files])

    def _prepare_request(self, side: str) -> PrepareLocal | PrepareRemote | PrepareLocalGraph | PrepareRemoteGraph:
        plan = self._plan
        if plan.is_graph:
            return self._prepare_graph(side)
        own = plan.workload.input_of(plan.local.configuration.variant)
        rows, pixels = own.rows[: plan.timed].tolist(), own.pixels
        if side == LOCAL:
            return PrepareLocal(
                configuration=plan.local.configuration,
                file=plan.local.file or Path(),
                images=pixels,
                rows=rows,
                preprocessing=own.preprocessing,
                input_shape=None if own.input_shape is None else list(own.input_shape),
                threshold=own.score_threshold,
                class_of_output=own.class_of_output,
            )
        return PrepareRemote(
            server=plan.server, model=plan.model, token=plan.token, images=pixels, rows=rows,
            quality=plan.settings.quality, timeout_s=plan.settings.timeout_s,
        )  # fmt: skip

    def _prepare_graph(self, side: str) -> PrepareLocalGraph | PrepareRemoteGraph:
        plan = self._plan
        graph = plan.workload.graphs[plan.local.configuration.variant]
        rows = graph.rows.tolist()
        if side == LOCAL:
            return PrepareLocalGraph(
                configuration=plan.local.configuration,
                file=plan.local.file or Path(),
                inputs=list(graph.inputs),
                rows=rows,
                timed=plan.timed,
                signature=graph.signature,
                shapes={name: list(shape) for name, shape in graph.shapes.items()},
            )
        return PrepareRemoteGraph(
            server=plan.server, model=plan.model, token=plan.token, inputs=list(graph.inputs), rows=rows,
            timed=plan.timed, timeout_s=plan.settings.timeout_s,
        )  # fmt: skip

    def stop(self) -> None:
        """Stop all workers. Safe to call twice."""
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()

    @contextlib.contextmanager
    def guarded(self, state: ArmState) -> Iterator[None]:
        """Record a worker's failure on the arm. Stop a worker that cannot continue: the next arm gets a new one."""
        try:
            yield
        except WorkerFailed as cause:
            state.failure = cause.failure
            self._progress.say(f"! {state.arm.name}: {cause.failure.message}")
            if cause.failure.kind in _FATAL_KINDS or (state.arm.where == LOCAL and not state.trials):
                lost = self._workers.pop(state.arm.where, None)
                if lost:
                    lost.stop()
