"""The profile of one configuration: fresh workers measure it, and the model file says what its operators compute."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.workers.preparation import files_for, preparation
from edge_bench.bench.models.operators.onnx_work import onnx_work
from edge_bench.bench.models.operators.tflite_work import tflite_work
from edge_bench.bench.models.operators.work import ModelWork, Work
from edge_bench.bench.records.profile import MAX_OPERATORS, OperatorTime, Profile
from edge_bench.bench.records.run import Failure, Settings
from edge_bench.bench.runtimes.profiling import why_no_profiler
from edge_bench.bench.runtimes.profiling.base import Executed
from edge_bench.bench.system.emulation.signs import emulation_signs
from edge_bench.bench.worker.durations import PROFILE
from edge_bench.bench.worker.messages import Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess
from edge_bench.bench.worker.profiling.messages import Profiled, ProfileModel

__all__ = ["MOST_INVOCATIONS", "PROCESSES", "profile_configuration"]

#: Fresh worker processes per profile, as times differ between processes.
PROCESSES = 3
#: Most profiled invocations of a process.
MOST_INVOCATIONS = 500
#: Parts of names of kernels that multiply 8-bit integers: XNNPACK's, ONNX Runtime's, OpenVINO's.
#: Kinds of operators that runtimes add: changes of types and layouts, which multiply nothing.
_WITHOUT_MACS = {"ReorderInput", "ReorderOutput", "Reorder", "Transpose", "Reshape", "Convert", "FakeQuantize", "Cast"}
_INTEGER_KERNEL = re.compile(r"\bQ[SUCD]+8\b|QDU?8|QLinear|Integer|_i8\b|_I8\b")


def profile_configuration(
    workload: Workload, planned: Planned, settings: Settings, processes: int = PROCESSES
) -> Profile:
    """Profile a configuration in fresh workers; raise WorkerFailed if it has no profile.

    ``settings`` are those of its trials: timeout, memory limit and state.
    """
    configuration = planned.configuration
    if planned.failure is not None:
        raise WorkerFailed(planned.failure)
    if why := why_no_profiler(configuration.runtime, planned.runtime_version):
        raise WorkerFailed(Failure(kind="no profiler", message=why[0], remedy=why[1]))
    measured, delegate = list[Profiled](), ""
    for _ in range(processes):
        files, library = files_for(workload, planned), planned.delegate_file
        with WorkerProcess(configuration.runtime, settings.memory_limit, files=files, delegate=library) as worker:
            worker.wait_for(Ready, settings.timeout_s)
            worker.ask(*preparation(workload, planned, settings), settings.timeout_s)
            request = ProfileModel(seconds=PROFILE.seconds(), most_invocations=MOST_INVOCATIONS)
            measured.append(worker.ask(request, Profiled, settings.timeout_s))
            delegate = configuration.delegate or worker.delegate()
    try:
        return _profile(workload.identity.model, planned, delegate, measured)
    except (ValueError, BadInput) as cause:
        raise WorkerFailed(Failure(kind="failed", message=f"its profile is not usable: {cause}")) from None


def _profile(model: str, planned: Planned, delegate: str, measured: Sequence[Profiled]) -> Profile:
    configuration, first = planned.configuration, measured[0]
    if any([_identity(each) for each in one.executed] != [_identity(each) for each in first.executed]
           for one in measured):  # fmt: skip
        raise ValueError("its processes executed different operators")
    work = _model_work(planned.file or Path(), configuration.batch_size, first)
    times = np.concatenate([_times(one) for one in measured], axis=1) / 1e9
    middle = _middle_half(times.sum(axis=0))
    operators = [_operator(number, each, work, times[number], middle) for number, each in enumerate(first.executed)]
    covered = {node for each in first.executed for node in each.nodes}
    missing = len(work.nodes) - len(covered)
    return Profile(
        model=model,
        variant=configuration.variant,
        sha256=planned.variant.sha256,
        runtime=configuration.runtime,
        runtime_version=planned.runtime_version,
        threads=configuration.threads,
        batch_size=configuration.batch_size,
        delegate=delegate,
        profiler=first.profiler,
        resolution_seconds=first.resolution_ns / 1e9,
        processes=len(measured),
        invocations=sum(len(one.profiled_ns) for one in measured),
        invocation_seconds=_typical([each for one in measured for each in one.invocation_ns]),
        profiled_seconds=_typical([each for one in measured for each in one.profiled_ns]),
        operators=operators,
        emulated=bool(emulation_signs()),
        model_nodes=len(work.nodes),
        warnings=[f"{missing} of {len(work.nodes)} operators of the model are not in the profile: the runtime computed "
                  "them when it loaded the model, or did not name them"] if missing else [],
    )  # fmt: skip


def _identity(executed: Executed) -> tuple[str, str, list[int]]:
    return executed.kind, executed.kernel, executed.nodes


def _model_work(file: Path, batch_size: int, measured: Profiled) -> ModelWork:
    if file.suffix == ".tflite":
        return tflite_work(file, batch_size)
    return onnx_work(file, measured.tensors)


def _times(measured: Profiled) -> npt.NDArray[np.int64]:
    """Return nanoseconds, [operators, invocations]; raise ValueError if there are none."""
    lengths = {len(each.times_ns) for each in measured.executed}
    if len(lengths) != 1 or 0 in lengths or len(measured.executed) > MAX_OPERATORS:
        raise ValueError("its profiler reported no operators, or different ones for each invocation")
    return np.array([each.times_ns for each in measured.executed], np.int64)


def _operator(
    number: int, executed: Executed, model: ModelWork, seconds: npt.NDArray[np.float64], middle: npt.NDArray[np.int64]
) -> OperatorTime:
    macs = 0 if executed.kind in _WITHOUT_MACS else None
    added = Work(executed.kind, executed.name, macs, None, "")
    work = model.of(executed.nodes, executed.kind) if executed.nodes else added
    lower, upper = np.quantile(seconds, [0.25, 0.75])
    return OperatorTime(
        index=number,
        kind=work.kind,
        name=work.name,
        nodes=executed.nodes,
        kernel=executed.kernel,
        seconds=float(seconds[middle].mean()),
        lower_seconds=float(lower),
        upper_seconds=float(upper),
        macs=work.macs,
        bytes_moved=work.bytes_moved,
        precision="int8" if work.macs and _INTEGER_KERNEL.search(executed.kernel) else work.precision,
    )


def _middle_half(durations: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the positions of the middle half by duration, at least one."""
    order, quarter = np.argsort(durations, kind="stable"), len(durations) // 4
    return order[quarter : len(order) - quarter]


def _typical(nanoseconds: Sequence[int]) -> float:
    """Return the mean of the middle half, in seconds."""
    if not nanoseconds:
        raise ValueError("no invocations")
    durations = np.array(nanoseconds, np.float64)
    return float(durations[_middle_half(durations)].mean() / 1e9)
