"""Options of ``run`` that say what is measured and how."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.bench.measure.scenario import Scenario

__all__ = [
    "BatchSizes",
    "CompareWith",
    "Fresh",
    "MemoryLimit",
    "ModelArguments",
    "Once",
    "Processes",
    "Resample",
    "ResumeRun",
    "Runtimes",
    "ScenarioName",
    "Strict",
    "Threads",
    "Trials",
    "Variants",
]

# -- run
ModelArguments = Annotated[
    list[Path],
    typer.Argument(
        metavar="BUNDLE|MODEL",
        envvar="EDGE_BENCH_BUNDLE",
        show_default=False,
        help="A bundle, or model files (.tflite, .keras, .onnx, a SavedModel folder).  [default: artifacts/bundle]",
    ),
]
Variants = Annotated[
    str | None,
    typer.Option("--variant", envvar="EDGE_BENCH_VARIANT", help="keras,float32,float16,dynamic,int8  [default: all]"),
]
Runtimes = Annotated[
    str | None,
    typer.Option("--runtime", envvar="EDGE_BENCH_RUNTIME", help="tensorflow,tflite-runtime,litert  [default: all]"),
]
Threads = Annotated[
    str | None,
    typer.Option(
        "--threads",
        envvar="EDGE_BENCH_THREADS",
        help="1,2,4  [default: all cores for tensorflow, 1 for the others]",
    ),
]
BatchSizes = Annotated[
    str | None,
    typer.Option(
        "--batch-size",
        envvar="EDGE_BENCH_BATCH_SIZE",
        help="1,8,32  [default: 32 for tensorflow, 1 for the others]",
    ),
]
Trials = Annotated[int, typer.Option(min=1, envvar="EDGE_BENCH_TRIALS", help="Timed passes of each configuration.")]
Processes = Annotated[
    int,
    typer.Option(min=1, envvar="EDGE_BENCH_PROCESSES", help="Fresh worker processes the trials are spread over."),
]
ScenarioName = Annotated[
    Scenario | None,
    typer.Option(
        "--scenario",
        envvar="EDGE_BENCH_SCENARIO",
        help="offline: sweep batch sizes (1,8,32,100) for the most images a second; single-stream: one at a time.",
    ),
]
Resample = Annotated[
    int | None,
    typer.Option(
        min=1,
        envvar="EDGE_BENCH_RESAMPLE",
        help="Images that each trial draws for itself, so that accuracy spreads over trials as time does.",
    ),
]
MemoryLimit = Annotated[
    str | None,
    typer.Option(
        "--memory-limit",
        envvar="EDGE_BENCH_MEMORY_LIMIT",
        help="Memory that each worker may allocate: 512M, 2G; one that needs more is a row.  [default: no limit]",
    ),
]
CompareWith = Annotated[
    str | None,
    typer.Option(
        "--compare-with",
        envvar="EDGE_BENCH_COMPARE_WITH",
        help="Folders (separated by :) whose Runs of the same bundle, made on other machines, are compared at the end.",
    ),
]
Once = Annotated[
    bool,
    typer.Option(
        "--once",
        envvar="EDGE_BENCH_ONCE",
        help="Where this machine has measured this bundle already, as far as options say how, print that Run only.",
    ),
]
ResumeRun = Annotated[
    bool,
    typer.Option(
        "--resume",
        envvar="EDGE_BENCH_RUN_RESUME",
        help="Go on with a run of the same models, data and options that ended before its time.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", envvar="EDGE_BENCH_STRICT", help="Exit code 4 where something spoiled the measurement."),
]
Fresh = Annotated[
    bool,
    typer.Option("--fresh", envvar="EDGE_BENCH_FRESH", help="Measure again, also where a Run of this bundle is there."),
]
