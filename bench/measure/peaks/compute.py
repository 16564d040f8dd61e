"""The highest rate of multiply-accumulates of a runtime, measured with its own code on models made for this purpose."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.measure.peaks.load import Load
from edge_bench.bench.measure.peaks.onnx_probe import write_onnx_probe
from edge_bench.bench.measure.peaks.probes import PROBES, Probe, Writer
from edge_bench.bench.measure.peaks.tflite_probe import write_tflite_probe
from edge_bench.bench.measure.peaks.worker import ProbeTimed
from edge_bench.bench.runtimes import Runtime
from edge_bench.bench.worker.access import access_to
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["ComputePeaks", "compute_peaks", "has_probes"]

#: Precision → whether the probe is quantized.
PRECISIONS = {"float32": False, "int8": True}
_WRITERS: dict[str, Writer] = {".tflite": write_tflite_probe, ".onnx": write_onnx_probe}


@dataclass
class ComputePeaks:
    """Multiply-accumulates per second by precision, and why one is missing."""

    rates: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, precision: str, probe: Probe, timed: ProbeTimed) -> None:
        """Keep the rate of a probe if it is the highest."""
        if timed.fastest_ns:
            rate = 1e9 * probe.macs / timed.fastest_ns
            self.rates[precision] = max(self.rates.get(precision, 0.0), rate)
        else:
            self.missing.setdefault(precision, f"{probe.name}: {timed.problem}")


def has_probes(runtime: Runtime) -> bool:
    """Return whether there are probes that the runtime loads."""
    return any(form in _WRITERS for form in runtime.formats)


def compute_peaks(runtime: Runtime, threads: int, timeout: float, load: Load) -> ComputePeaks:
    """Return the highest rate of all probes for each precision. ``timeout`` is in seconds per step.

    One worker process runs all probes in turn. The time of a probe is that of its fastest invocation, with copies of
    input and output, of as many as fit in two trials. ``load`` watches other programs.
    """
    form = next(form for form in runtime.formats if form in _WRITERS)
    wanted = [(precision, probe) for precision in PRECISIONS for probe in PROBES]
    found = ComputePeaks()
    try:
        with tempfile.TemporaryDirectory(prefix="edge-bench-peaks-") as folder:
            files = [Path(folder) / f"{number}{form}" for number in range(len(wanted))]
            for (precision, probe), file in zip(wanted, files, strict=True):
                np.save(
                    file.with_suffix(".npy"), _WRITERS[form](probe, file, PRECISIONS[precision]), allow_pickle=False
                )
            arguments = [runtime.name, str(threads), *map(str, files)]
            access = access_to([*files, *(file.with_suffix(".npy") for file in files)])
            with WorkerProcess.spawn("edge_bench.bench.measure.peaks.worker", arguments, ProbeTimed, access) as worker:
                for precision, probe in wanted:
                    with load.watch() as watched:
                        timed = worker.wait_for(ProbeTimed, timeout)
                        watched.own_ns = timed.cpu_ns
                    found.add(precision, probe, timed)
    except WorkerFailed as cause:
        found.missing["compute"] = cause.failure.message
    except EdgeBenchError as cause:
        found.missing["compute"] = cause.problem
    except OSError as cause:  # no temporary folder, or it is full
        found.missing["compute"] = str(cause)
    found.missing = {what: why for what, why in found.missing.items() if what not in found.rates}
    return found
