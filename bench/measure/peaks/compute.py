"""The highest rate of multiply-accumulates of a runtime, measured with its own code on models made for this purpose."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.measure.peaks.load import Load
from edge_bench.bench.measure.peaks.onnx_probe import write_onnx_probe
from edge_bench.bench.measure.peaks.probes import INPUT_NAME, PROBES, Writer
from edge_bench.bench.measure.peaks.tflite_probe import write_tflite_probe
from edge_bench.bench.records.outputs.decoding import TensorDecoding
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.records.tensor_spec import has_batch_axis
from edge_bench.bench.runtimes import Runtime
from edge_bench.bench.worker.durations import TRIAL
from edge_bench.bench.worker.graphs.messages import GraphInput, GraphPrepared, PrepareGraph
from edge_bench.bench.worker.messages import Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["ComputePeaks", "compute_peaks", "has_probes"]

#: Precision → whether the probe is quantized.
PRECISIONS = {"float32": False, "int8": True}
_WRITERS: dict[str, Writer] = {".tflite": write_tflite_probe, ".onnx": write_onnx_probe}
#: Invocations of a pass.
_ROWS = 8


@dataclass
class ComputePeaks:
    """Multiply-accumulates per second by precision, and why one is missing."""

    rates: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def has_probes(runtime: Runtime) -> bool:
    """Return whether there are probes that the runtime loads."""
    return any(form in _WRITERS for form in runtime.formats)


def compute_peaks(runtime: Runtime, threads: int, timeout: float, load: Load) -> ComputePeaks:
    """Return the highest rate of all probes for each precision. ``timeout`` is in seconds per step.

    Each probe has a worker process of its own. Its time is that of the fastest invocation, with copies of input and
    output, of as many as fit in two trials. ``load`` is told about other programs.
    """
    found = ComputePeaks()
    form = next(form for form in runtime.formats if form in _WRITERS)
    with tempfile.TemporaryDirectory(prefix="edge-bench-peaks-") as folder:
        for precision, quantized in PRECISIONS.items():
            for number, probe in enumerate(PROBES):
                file = Path(folder) / f"{precision}-{number}{form}"
                try:
                    values = _WRITERS[form](probe, file, quantized)
                    np.save(file.with_suffix(".npy"), values if has_batch_axis(values.shape) else values[None])
                    seconds = _fastest_seconds(runtime, threads, file, timeout, load)
                except WorkerFailed as cause:
                    found.missing.setdefault(precision, f"{probe.name}: {cause.failure.message}")
                except EdgeBenchError as cause:
                    found.missing.setdefault(precision, cause.problem)
                else:
                    found.rates[precision] = max(found.rates.get(precision, 0.0), probe.macs / seconds)
    for precision in found.rates:
        found.missing.pop(precision, None)
    return found


def _fastest_seconds(runtime: Runtime, threads: int, file: Path, timeout: float, load: Load) -> float:
    """Return the duration of the fastest invocation. Raise WorkerFailed."""
    values = file.with_suffix(".npy")
    request = PrepareGraph(
        configuration=Configuration(variant=file.stem, runtime=runtime.name, threads=threads, batch_size=1),
        file=file,
        inputs=[GraphInput(name=INPUT_NAME, file=values)],
        rows=[0] * _ROWS,
        decoding=TensorDecoding(),
        warm_up=False,  # the first trials warm up: only the fastest invocation counts
    )
    with WorkerProcess(runtime.name, files=[file, values]) as worker:
        worker.wait_for(Ready, timeout)
        worker.ask(request, GraphPrepared, timeout)
        fastest, left = float("inf"), 2 * TRIAL.nanoseconds()
        while left >= 0:
            with load.watch() as watched:
                timed = worker.ask(Time(passes=1), Timed, timeout)
                watched.own_ns = timed.cpu_ns
            fastest = min(fastest, *timed.latencies_ns)
            left -= max(1, timed.elapsed_ns)
    return fastest / 1e9
