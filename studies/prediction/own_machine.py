"""Calibrate on this machine, then compare predictions of other models with what `run` measures.

    python -m studies.prediction.own_machine FOLDER [--mlperf FOLDER] [--trials 15] [--processes 3]
        [--once] [--percentile 50]

The models are the paper's CNN, ResNet-20 and MobileNet v1 with random weights, exported once to FOLDER, and MLPerf
Tiny's ResNet, if ``--mlperf`` names the folder with its two files; each in float32 and int8, with one thread and with
two. The aim is a median within 15 % of that of `run`, and inside the 90 % interval. The calibration and its device file
are in FOLDER, too. Takes about ten minutes, and needs an otherwise idle machine: the load is printed, and rows of Runs
that are not reliable are marked. On a busy machine, ``--percentile 10`` compares the 10th percentile of all invocations
on both sides, which other programs affect less than the median. Figures: docs/device-calibration.md.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.device_calibration.device import calibrated_device
from edge_bench.bench.device_calibration.measuring import RUNTIME, calibration_settings, measure_networks
from edge_bench.bench.device_calibration.network_bundle import write_network_bundle
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.prediction.device_file import Device, write_device
from edge_bench.bench.prediction.model_operators import read_operators
from edge_bench.bench.prediction.predict import predict_latency
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Settings

AIM = 0.15
THREADS = (1, 2)
_MAKE = """
import sys
from pathlib import Path
import keras, numpy as np
from edge_bench.app.training.fit.architectures import paper_cnn, resnet20
keras.utils.set_random_seed(1)
folder, pixels = Path(sys.argv[1]), np.random.default_rng(0)
for name, model, shape in (
    ("paper-cnn", paper_cnn((28, 28, 1), 10, 0.0), (28, 28, 1)),
    ("resnet20", resnet20((32, 32, 3), 10, 0.0), (32, 32, 3)),
    ("mobilenet-v1", keras.applications.MobileNet((224, 224, 3), weights=None), (224, 224, 3)),
):
    model.save(folder / f"{name}.keras")
    np.save(folder / f"{name}.npy", pixels.integers(0, 256, (16, *shape), np.uint8))
"""


class Row(NamedTuple):
    """A model, measured and predicted, in milliseconds."""

    model: str
    precision: str
    threads: int
    measured: float
    predicted: float
    interval: tuple[float, float]
    reliable: bool
    load: float

    @property
    def error(self) -> float:
        """Predicted ÷ measured − 1."""
        return self.predicted / self.measured - 1

    @property
    def inside(self) -> bool:
        """Whether the measured median is inside the 90 % interval."""
        return self.interval[0] <= self.measured <= self.interval[1]


def exported_models(folder: Path) -> dict[str, dict[str, Path]]:
    """Return the .tflite files of each model by precision; export those that are missing."""
    names = ("paper-cnn", "resnet20", "mobilenet-v1")
    folder.mkdir(parents=True, exist_ok=True)
    if not all((folder / f"{name}.keras").exists() for name in names):
        subprocess.run([sys.executable, "-c", _MAKE, str(folder)], check=True)
    for name in names:
        if not (folder / name / "manifest.json").exists():
            options = ["--calibration", f"{folder / name}.npy", "--preprocess", "unit", "--limit", "16", "--quiet"]
            command = ["export", f"{folder / name}.keras", "--bundle", str(folder / name), *options]
            subprocess.run([sys.executable, "-m", "edge_bench", *command], check=True)
    files = {name: folder / name / "variants" for name in names}
    return {name: {each: path / f"{each}.tflite" for each in ("float32", "int8")} for name, path in files.items()}


def mlperf_models(folder: Path | None) -> dict[str, dict[str, Path]]:
    if folder is None:
        return {}
    files = {"float32": folder / "pretrainedResnet.tflite", "int8": folder / "pretrainedResnet_quant.tflite"}
    return {"mlperf-tiny-resnet": files}


def calibration(folder: Path, trials: int, processes: int, *, percentile: float, once: bool) -> Device:
    """Calibrate this machine, and return its device file."""
    bundle, settings = write_network_bundle(folder / "networks"), calibration_settings(trials, processes)
    run, path = measure_networks(bundle, folder / "calibration", Silent(), settings, force=True, once=once)
    made = calibrated_device(run, bundle, "this-machine", percentile)
    write_device(folder / "this-machine.toml", made.device)
    print(f"calibration: {path}, reliable: {made.device.reliable}, {run.wall_seconds:.0f} s")
    for each in made.fits:
        errors = ", ".join(f"{name} {100 * error:+.1f}" for name, error in each.errors.items())
        parameters = each.parameters
        print(
            f"  {parameters.precision}, {parameters.threads} threads: leave-one-out {100 * each.error:.1f} % ({errors})"
        )
    return made.device


def compared(
    device: Device, model: tuple[str, dict[str, Path]], folder: Path, settings: Settings, **how: Any
) -> list[Row]:
    """Measure a model and predict it; the two precisions are interleaved. ``how``: once and percentile, as options."""
    load, (name, files) = os.getloadavg()[0], model
    selection = Selection(runtimes=[RUNTIME], threads=THREADS)
    request = BenchmarkRequest.from_files(list(files.values()), DataOptions(), selection, settings, Silent())
    run, _ = measure(request, folder / "runs" / name, Silent(), once=how["once"])
    rows = []
    for precision, path in files.items():
        operators = read_operators(path)
        for threads in THREADS:
            result = next(
                each
                for each in run.results
                if each.configuration.variant == path.stem and each.configuration.threads == threads
            )
            parameters = next(
                each for each in device.parameters if each.precision == precision and each.threads == threads
            )
            predicted = predict_latency(operators.operators, parameters)
            middle = float(np.percentile(result.latencies_ms_per_image(), how["percentile"]))
            rows.append(
                Row(
                    name, precision, threads, middle, predicted.milliseconds, predicted.interval_90,
                    run.trusted is True and device.reliable, load,
                )
            )  # fmt: skip
    return rows


def print_rows(rows: Sequence[Row]) -> None:
    print(f"{'model':20} {'type':8} threads  measured  predicted   90 % interval       error  inside  load")
    for row in rows:
        low, high = row.interval
        print(
            f"{row.model:20} {row.precision:8} {row.threads:7}  {row.measured:8.4f}  {row.predicted:9.4f}"
            f"   {low:.4f} to {high:.4f}  {100 * row.error:+6.1f} %  {'yes' if row.inside else 'NO':6}  {row.load:.1f}"
            f"{'' if row.reliable else '  not reliable'}"
        )
    for threads in THREADS:
        own = [row for row in rows if row.threads == threads]
        near, inside = sum(abs(row.error) <= AIM for row in own), sum(row.inside for row in own)
        mean = 100 * float(np.mean([abs(row.error) for row in own]))
        print(
            f"{threads} thread(s): mean absolute error {mean:.1f} %, within {100 * AIM:.0f} %: {near} of {len(own)}, "
            f"inside the interval: {inside}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mlperf", type=Path, help="folder with MLPerf Tiny's two ResNet files")
    parser.add_argument("--trials", type=int, default=15)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--once", action="store_true", help="use the last Runs of this machine in FOLDER")
    parser.add_argument("--percentile", type=float, default=50, help="of the invocations, predicted and measured")
    arguments = parser.parse_args()
    models = exported_models(arguments.folder / "models") | mlperf_models(arguments.mlperf)
    print(f"load before: {os.getloadavg()[0]:.1f}")
    how: dict[str, Any] = {"once": arguments.once, "percentile": arguments.percentile}
    device = calibration(arguments.folder, arguments.trials, arguments.processes, **how)
    settings = Settings(trials=arguments.trials, processes=arguments.processes, limit=4)
    rows = [row for model in models.items() for row in compared(device, model, arguments.folder, settings, **how)]
    print_rows(rows)


if __name__ == "__main__":
    main()
