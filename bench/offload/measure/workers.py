"""The two sides of an offload as worker processes: one with the model, one that talks to the server."""

import contextlib
from collections.abc import Iterator

from edge_bench.bench.measure.runner import TRIAL_NS
from edge_bench.bench.offload.measure.messages import OffloadReply, Prepared, PrepareLocal, PrepareRemote
from edge_bench.bench.offload.measure.plan import ArmState, Plan
from edge_bench.bench.offload.records.offload import LOCAL
from edge_bench.bench.progress import Progress
from edge_bench.bench.worker.messages import Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["Sides", "passes_for"]

_HEADROOM = 1.2  # a warm-up's estimate of a pass may be that much too long
_LOST = ("crashed", "timed out")  # what a worker does not survive
_GRACE_S = 30.0


class Sides:
    """Workers by their side, started where one is asked for."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._plan, self._progress = plan, progress
        self._workers: dict[str, WorkerProcess] = {}
        #: For what a worker does at once; the client has a limit of its own for every request.
        self.timeout = 10 * plan.settings.timeout_s + _GRACE_S

    def running(self, state: ArmState) -> bool:
        """Whether an arm's side has a worker."""
        return state.arm.where in self._workers

    def worker(self, state: ArmState) -> WorkerProcess:
        """The living worker of an arm's side, started and prepared where there is none."""
        side = state.arm.where
        if side not in self._workers:
            name = self._plan.local.configuration.runtime if side == LOCAL else side
            worker = self._workers[side] = WorkerProcess.spawn(
                "edge_bench.bench.offload.measure.worker", [name], OffloadReply
            )
            worker.wait_for(Ready, self.timeout)
            prepared = worker.ask(self._preparation(side), Prepared, self.timeout)
            if side == LOCAL:
                state.passes = state.passes or passes_for(prepared.pass_ns)
        return self._workers[side]

    def _preparation(self, side: str) -> PrepareLocal | PrepareRemote:
        plan, workload = self._plan, self._plan.workload
        rows, pixels = workload.rows[: plan.timed].tolist(), str(workload.pixels)
        if side == LOCAL:
            return PrepareLocal(
                configuration=plan.local.configuration,
                file=str(plan.local.file),
                images=pixels,
                rows=rows,
                preprocessing=workload.preprocessing,
                input_shape=None if workload.input_shape is None else list(workload.input_shape),
            )
        return PrepareRemote(
            server=plan.server, model=plan.model, token=plan.token, images=pixels, rows=rows,
            quality=plan.settings.quality, timeout_s=plan.settings.timeout_s,
        )  # fmt: skip

    def stop(self) -> None:
        """Ends all workers. Safe to call twice."""
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()

    @contextlib.contextmanager
    def guarded(self, state: ArmState) -> Iterator[None]:
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


def passes_for(pass_ns: int) -> int:
    """Passes that make a trial of at least 100 ms, where one takes so many nanoseconds."""
    return max(1, -int(-TRIAL_NS * _HEADROOM // max(pass_ns, 1)))
