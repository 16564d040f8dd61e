"""Runs, Offloads and machines made of known numbers, and real Runs of a small workload."""

import itertools
import zlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import BundleIdentity, Configuration, Images, Result, Run, Settings, Trial
from edge_bench.bench.system.machine import Machine

__all__ = ["LABELS", "cut", "group", "machine", "repeats", "result", "row", "run"]

from pathlib import Path

from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.measure.session import measure as measure_request
from edge_bench.bench.offload.network.link_profiles import DIRECT, Link
from edge_bench.bench.offload.records.offload import (
    LOCAL,
    Accuracy,
    Arm,
    ArmTrial,
    Offload,
    OffloadSettings,
    PathProbe,
    ServerIdentity,
)
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.bundle import Bundle

#: A small workload for real Runs.
QUICK = Settings(trials=4, processes=2, limit=60)

LABELS = np.arange(100) % 10


_NUMBERS = itertools.count(0x01234567)  # Runs of tests are different Runs


def machine(**changes: Any) -> Machine:
    fields: dict[str, Any] = {
        "hostname": "desk", "board": "", "cpu": "CPU", "architecture": "x86_64", "cores": 2, "frequency_mhz": None,
        "governor": "", "memory_bytes": 1, "os": "Linux", "kernel": "6", "python": "3.11", "container": False,
        "emulated": False, "emulation_signs": [], "libraries": {},
    }  # fmt: skip
    return Machine(**(fields | changes))


def result(variant: str, runtime: str, seconds: float, wrong: int = 0, size: int = 1000, noise: float = 0.0) -> Result:
    """Thirty trials over five processes, which differ by ``noise``; the first ``wrong`` images are misclassified."""
    generator = np.random.default_rng(zlib.crc32(f"{variant} {runtime}".encode()))
    luck = generator.normal(1, noise, 5)
    predictions = LABELS.copy()
    predictions[:wrong] = (predictions[:wrong] + 1) % 10
    trials = [
        Trial(
            process=number // 6, round=number % 6, sequence_number=number, began_ns=number, passes=1,
            correct=100 - wrong,
            elapsed_ns=int(1e9 * seconds * luck[number // 6] * generator.normal(1, 0.001)), latencies=pack([1, 2, 3]),
        )
        for number in range(30)
    ]  # fmt: skip
    configuration = Configuration(variant=variant, runtime=runtime, threads=1, batch_size=1)
    return Result(configuration=configuration, bytes=size, sha256="", trials=trials, predictions=pack(predictions))


def run(*results: Result, on: Machine | None = None, bundle: str = "b", indices: npt.NDArray[Any] | None = None) -> Run:
    indices = np.arange(100) if indices is None else indices
    return Run(
        run_id=f"{next(_NUMBERS):08x}{0:024x}", began="2026-01-01T00:00:00+00:00", ended="", wall_seconds=1,
        complete=True, tool_version="", tool_revision="", machine=on or machine(), settings=Settings(),
        results=list(results),
        bundle=BundleIdentity(
            sha256=bundle, created="", model="m", parameters=1, dataset="d", dataset_sha256="", classes=["0"] * 10
        ),
        images=Images(indices=pack(indices), labels=pack(LABELS[indices]), total_images=100),
    )  # fmt: skip


def repeats(whole: Run, count: int = 5, variation: float = 0.003, seed: int = 0) -> list[Run]:
    """Return Runs like this one, made on consecutive days, with speeds that vary by ``variation`` from run to run."""
    speeds = np.random.default_rng(seed).lognormal(0, variation, count)
    return [
        msgspec.structs.replace(
            whole,
            run_id=f"{seed:016d}{day:016d}",
            began=f"2026-01-{day + 1:02d}T00:00:00+00:00",
            results=[
                msgspec.structs.replace(
                    each,
                    trials=[
                        msgspec.structs.replace(trial, elapsed_ns=int(trial.elapsed_ns * speed))
                        for trial in each.trials
                    ],
                )
                for each in whole.results
            ],
        )
        for day, speed in enumerate(speeds)
    ]


def group(runs: list[Run], name: str = "g") -> list[Run]:
    """Return these Runs as the repeats of one ``run --repeat-runs``."""
    return [
        msgspec.structs.replace(each, repeat_group=name, repeat=number) for number, each in enumerate(runs, start=1)
    ]


def row(comparison: Comparison, variant: str, runtime: str) -> Row:
    return next(r for r in comparison.rows if (r.configuration.variant, r.configuration.runtime) == (variant, runtime))


def cut(whole: Result, count: int, start: int = 0) -> Result:
    return msgspec.structs.replace(whole, predictions=pack(whole.labels()[start : start + count]))


IMAGES = 100
#: What a remote image costs beside the link, in milliseconds.
PARTS = {
    "encode": 0.5, "send": 0.1, "wait": 4.4, "receive": 0.1, "decode": 0.2, "queue": 0.1, "unpack": 0.3,
    "compute": 3.0, "server": 4.0,
}  # fmt: skip


def arm(
    milliseconds: float, *, noise: float = 0.002, where: str = "remote", network: float = 0.0, **changes: Any
) -> Arm:
    """Thirty trials in five processes; ``network`` milliseconds of it are spent on the link."""
    generator = np.random.default_rng(int(milliseconds * 1000) + len(str(changes)))
    trials = []
    for number in range(30):
        scale = generator.normal(1, noise)
        latencies = np.full(IMAGES, milliseconds * 1e6 * scale).astype(np.int64)
        parts = {"prepare": 0.1, "model": milliseconds - 0.1} if where == LOCAL else PARTS | {"wait": 4.4 + network}
        packed = {name: pack(np.full(IMAGES, value * 1e6 * scale).astype(np.int64)) for name, value in parts.items()}
        trials.append(
            ArmTrial(
                process=number // 6, round=number % 6, sequence_number=number, began_ns=number, passes=1,
                elapsed_ns=int(latencies.sum()), latencies=pack(latencies), parts=packed,
            )
        )  # fmt: skip
    fields: dict[str, Any] = {"payload": "raw", "link": DIRECT, "bytes_up": 1000.0, "bytes_down": 500.0}
    if where == LOCAL:
        fields = {}
    return Arm(where=where, trials=trials, **(fields | changes))


def offload(*arms: Arm, links: tuple[Link, ...] = (), wrong: int = 0, **changes: Any) -> Offload:
    """The bundle's first hundred images; sending gets ``wrong`` of them wrong, staying none."""
    sent = LABELS.copy()
    sent[:wrong] = (sent[:wrong] + 1) % 10
    fields: dict[str, Any] = {
        "offload_id": "0123456789abcdef", "began": "2026-01-01T00:00:00+00:00", "ended": "", "wall_seconds": 1.0,
        "complete": True, "tool_version": "", "tool_revision": "", "machine": machine(hostname="pi"),
        "server": ServerIdentity(url="http://desk:8000", model="m", hostname="desk", variant="keras"),
        "bundle": BundleIdentity(
            sha256="b", created="", model="m", parameters=1, dataset="d", dataset_sha256="", classes=["0"] * 10
        ),
        "settings": OffloadSettings(),
        "images": Images(indices=pack(np.arange(100)), labels=pack(LABELS), total_images=100),
        "timed": IMAGES, "model_sha256": "", "runtime_version": "", "links": list(links),
        "configuration": Configuration(variant="dynamic", runtime="litert", threads=1, batch_size=1),
        "path": PathProbe(rtt_s=0.1e-3, empty_s=0.4e-3, up_bps=1e9),
        "accuracies": [
            Accuracy(payload="", predictions=pack(LABELS)), Accuracy(payload="raw", predictions=pack(sent))
        ],
    }  # fmt: skip
    return Offload(arms=list(arms), **(fields | changes))


def measure(bundle: Bundle, selection: Selection, settings: Settings = QUICK, progress: Progress | None = None) -> Run:
    return run_benchmark(
        bundle_workload(bundle, settings.limit, settings.seed), plan(bundle, selection), settings, progress or Silent()
    )


def measure_bundle(
    folder: Path, selection: Selection, settings: Settings, results: Path, progress: Progress, **how: Any
) -> tuple[Run, Path]:
    """As `edge-bench run BUNDLE` does it, in this process."""
    request = BenchmarkRequest.from_bundle(folder, selection, settings, progress)
    return measure_request(request, results, progress, **how)
