"""Options of ``run``: configurations, trials, processes, limits. Options of ``tune``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.completion import RUNTIMES, VARIANTS, each_of
from edge_bench.app.cli.options.declare import Section, argument, list_option, option
from edge_bench.bench.measure.options.scenario import Scenario

__all__ = [
    "BatchSizes",
    "Budget",
    "CompareWith",
    "Cooldown",
    "Cpus",
    "Delegates",
    "DryRun",
    "DryRunOfRun",
    "DurationOption",
    "FindFastest",
    "Fresh",
    "Keep",
    "MemoryLimit",
    "ModelArguments",
    "Once",
    "PowerOption",
    "Processes",
    "RepeatRuns",
    "Resample",
    "RestoreSettings",
    "ResumeRun",
    "Runtimes",
    "ScenarioName",
    "Stateful",
    "Strict",
    "Threads",
    "Trials",
    "TuneCpus",
    "Variants",
    "WithPostprocess",
    "WithProfile",
    "Yes",
]

ModelArguments = Annotated[
    list[Path],
    argument(
        "BUNDLE|MODEL",
        "BUNDLE",
        show_default=False,
        help="A bundle, or model files: .tflite, .keras, .onnx, .param or a SavedModel folder. "
        "[default: artifacts/bundle]",
    ),
]
Variants = Annotated[
    str | None,
    list_option(
        "--variant",
        autocompletion=each_of(*VARIANTS),
        help="Variants of the model: keras,float32,float16,dynamic,int8. [default: all]",
    ),
]
Runtimes = Annotated[
    str | None,
    list_option(
        "--runtime",
        autocompletion=each_of(*RUNTIMES),
        help="tensorflow, tflite-runtime, litert, openvino; for .onnx files onnxruntime, openvino; for .param files "
        "ncnn. [default: all]",
    ),
]
Budget = Annotated[
    str | None,
    option(
        "--budget",
        metavar="TIME",
        help="Maximum time for measuring: 5m, 90s, 1h. Before the first trial, images, trials and processes that are "
        "not set are chosen to fit.",
    ),
]
Once = Annotated[
    bool,
    option(
        "--once",
        help="Reuse a Run of this machine with the same models, data and options, if there is one, instead of "
        "measuring again.",
    ),
]
ResumeRun = Annotated[
    bool,
    option("--resume", env="RUN_RESUME", help="Continue an interrupted run of the same models, data and options."),
]
Fresh = Annotated[
    bool,
    option("--fresh", help="Measure again even if there is a Run of this bundle."),
]
CompareWith = Annotated[
    str | None,
    list_option(
        "--compare-with",
        section=Section.OUTPUT,
        help="Folders, separated by colons, with Runs of other machines. Runs of the same bundle are included in the "
        "comparison.",
    ),
]

# -- measuring
Trials = Annotated[
    int, option("--trials", section=Section.MEASURING, metavar="N", min=1, help="Timed passes per configuration.")
]
Processes = Annotated[
    int,
    option(
        "--processes",
        section=Section.MEASURING,
        metavar="N",
        min=1,
        help="Fresh worker processes per configuration; the trials are spread over them.",
    ),
]
Threads = Annotated[
    str | None,
    list_option(
        "--threads",
        section=Section.MEASURING,
        help="Numbers of threads: 1,2,4. [default: all cores for tensorflow, otherwise 1]",
    ),
]
BatchSizes = Annotated[
    str | None,
    list_option(
        "--batch-size", section=Section.MEASURING, help="Batch sizes: 1,8,32. [default: 32 for tensorflow, otherwise 1]"
    ),
]
Delegates = Annotated[
    list[str] | None,
    option(
        "--delegate",
        metavar="LIB",
        help="Delegate for .tflite models on litert and tflite-runtime: a library such as libedgetpu.so.1, with "
        "options as LIB,key=value; none: also without XNNPACK; default: the runtime's choice. Repeat it to compare "
        "several.",
    ),
]
Cpus = Annotated[
    str | None,
    list_option(
        "--cpus",
        section=Section.MEASURING,
        help="Cores to measure on: 4-7 or 0,2; big or little, if there are two kinds; all. [default: those of "
        "`edge-bench tune`, otherwise all]",
    ),
]
FindFastest = Annotated[
    bool,
    option(
        "--find-fastest",
        section=Section.MEASURING,
        help="Find the fastest configuration: measure all briefly, then the best of them fully. If not set, threads "
        "are 1, 2, 4 … up to all cores, and batch sizes 1,8,32.",
    ),
]
DurationOption = Annotated[
    str | None,
    option(
        "--duration",
        section=Section.MEASURING,
        metavar="TIME",
        help="Sustained load: run each configuration for this long without a pause, one after the other, and show "
        "whether it stays as fast: 30m, 1h. --limit is then 100 if not set.",
    ),
]
Cooldown = Annotated[
    str | None,
    option(
        "--cooldown",
        section=Section.MEASURING,
        metavar="TEMP|TIME",
        help="With --duration, before each configuration: wait until the hottest zone is at most this warm, such as "
        "60C, for up to 15 min; or pause between configurations, such as 5m.",
    ),
]
RepeatRuns = Annotated[
    int,
    option(
        "--repeat-runs",
        section=Section.MEASURING,
        metavar="N",
        min=1,
        max=1000,
        help="Number of complete runs, to see how much times vary from run to run.",
    ),
]
ScenarioName = Annotated[
    Scenario | None,
    option(
        "--scenario",
        section=Section.MEASURING,
        metavar="NAME",
        help="offline: batch sizes 1,8,32,100, to find the highest throughput; single-stream: one image at a time.",
    ),
]
Resample = Annotated[
    int | None,
    option(
        "--resample",
        section=Section.MEASURING,
        metavar="N",
        min=1,
        help="Images to draw anew for each trial, so that accuracy varies between trials as time does.",
    ),
]
Stateful = Annotated[
    bool,
    option(
        "--stateful",
        section=Section.MODEL,
        help="Keep the model's state between invocations, for streaming models. `run` then reports no accuracy.",
    ),
]
PowerOption = Annotated[
    str | None,
    list_option(
        "--power",
        section=Section.MEASURING,
        help="Power of this machine: idle=2.7W,compute=5.8W, or pi4; the file of a power sensor; none: no energy. "
        "[default: from a power meter, otherwise no energy is reported]",
    ),
]
WithPostprocess = Annotated[
    bool,
    option(
        "--with-postprocess",
        section=Section.MEASURING,
        help="Also time decoding of outputs outside the graph, for example of a YOLO head. It is timed apart from the "
        "trials.",
    ),
]
WithProfile = Annotated[
    bool,
    option(
        "--profile",
        section=Section.MEASURING,
        help="Also measure each operator of each model, after the trials and in other processes.",
    ),
]
Strict = Annotated[
    bool,
    option("--strict", section=Section.MEASURING, help="Exit with code 4 if the measurements are not reliable."),
]
MemoryLimit = Annotated[
    str | None,
    option(
        "--memory-limit",
        section=Section.LIMITS,
        metavar="SIZE",
        help="Memory that each worker may allocate: 512M, 2G. A configuration that needs more is reported as failed. "
        "[default: no limit]",
    ),
]

# -- tune
TuneCpus = Annotated[
    str | None,
    list_option(
        "--cpus",
        help="Cores that `run` measures on while the machine is tuned, and from which interrupts are moved away: 1-3; "
        "big or little, if there are two kinds; all. [default: big, if there are two kinds, otherwise all]",
    ),
]
Keep = Annotated[
    str | None,
    list_option(
        "--keep", env="TUNE_KEEP", help="Kinds of settings to leave unchanged: governor,turbo,swap,interrupts."
    ),
]
DryRun = Annotated[bool, option("--dry-run", help="Show what would be changed, and change nothing.")]
DryRunOfRun = Annotated[
    bool,
    option(
        "--dry-run",
        env="RUN_DRY_RUN",
        help="Check options, models and data, show the configurations, and measure nothing.",
    ),
]
Yes = Annotated[bool, option("--yes", "-y", help="Do not ask. Needed if there is no terminal.")]
RestoreSettings = Annotated[
    bool, option("--restore", help="Restore all settings that `tune` has changed, also after a crash.")
]
