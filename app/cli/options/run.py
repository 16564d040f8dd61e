"""Options of ``run``: configurations, trials, processes, limits."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import argument, list_option, option
from edge_bench.bench.measure.scenario import Scenario

__all__ = [
    "BatchSizes",
    "Budget",
    "CompareWith",
    "Fresh",
    "MemoryLimit",
    "ModelArguments",
    "Once",
    "Processes",
    "RepeatRuns",
    "Resample",
    "ResumeRun",
    "Runtimes",
    "ScenarioName",
    "Stateful",
    "Strict",
    "Threads",
    "Trials",
    "Variants",
    "WithPostprocess",
]

# -- run
ModelArguments = Annotated[
    list[Path],
    argument(
        "BUNDLE|MODEL",
        "BUNDLE",
        show_default=False,
        help="A bundle, or model files (.tflite, .keras, .onnx, a SavedModel folder).  [default: artifacts/bundle]",
    ),
]
Variants = Annotated[
    str | None,
    list_option("--variant", help="keras,float32,float16,dynamic,int8  [default: all]"),
]
Runtimes = Annotated[
    str | None,
    list_option("--runtime", help="tensorflow,tflite-runtime,litert  [default: all]"),
]
Threads = Annotated[
    str | None,
    list_option("--threads", help="1,2,4  [default: all cores for tensorflow, 1 for the others]"),
]
BatchSizes = Annotated[
    str | None,
    list_option("--batch-size", help="1,8,32  [default: 32 for tensorflow, 1 for the others]"),
]
Trials = Annotated[int, option("--trials", min=1, help="Timed passes of each configuration.")]
Processes = Annotated[
    int,
    option("--processes", min=1, help="Fresh worker processes the trials are spread over."),
]
Budget = Annotated[
    str | None,
    option(
        "--budget",
        help="Time that measuring may take: 5m, 90s, 1h. Chooses images, trials and processes, unless they are set, "
        "before the first trial.",
    ),
]
RepeatRuns = Annotated[
    int,
    option(
        "--repeat-runs",
        min=1,
        max=1000,
        help="Number of complete runs, one after another, to see how much times vary between runs.",
    ),
]
ScenarioName = Annotated[
    Scenario | None,
    option(
        "--scenario",
        help="offline: sweep batch sizes (1,8,32,100) for the most images a second; single-stream: one at a time.",
    ),
]
Resample = Annotated[
    int | None,
    option(
        "--resample",
        min=1,
        help="Images that each trial draws for itself, so that accuracy spreads over trials as time does.",
    ),
]
MemoryLimit = Annotated[
    str | None,
    option(
        "--memory-limit",
        help="Memory that each worker may allocate: 512M, 2G; one that needs more is a row.  [default: no limit]",
    ),
]
WithPostprocess = Annotated[
    bool,
    option(
        "--with-postprocess",
        help="Also time the decoding of outputs that is no part of the graph, such as the boxes of a YOLO head, apart "
        "from the trials.",
    ),
]
Stateful = Annotated[
    bool,
    option(
        "--stateful",
        help="For streaming models: keep the model's state between invocations. `run` then reports no accuracy.",
    ),
]
CompareWith = Annotated[
    str | None,
    list_option(
        "--compare-with",
        help="Folders (separated by :) whose Runs of the same bundle, made on other machines, are compared at the end.",
    ),
]
Once = Annotated[
    bool,
    option(
        "--once",
        help="Reuse a Run of this machine with the same models, data and given options instead of measuring again.",
    ),
]
ResumeRun = Annotated[
    bool,
    option(
        "--resume",
        env="RUN_RESUME",
        help="Go on with a run of the same models, data and options that ended before its time.",
    ),
]
Strict = Annotated[
    bool,
    option("--strict", help="Exit code 4 where something spoiled the measurement."),
]
Fresh = Annotated[
    bool,
    option("--fresh", help="Measure again, also where a Run of this bundle is there."),
]
