"""Every option of the command line, once: its flags, its environment variable, its limits and its help."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.presentation.formats import Format, Layout
from bench.scenario import Scenario


def _remember(name: str) -> Callable[[bool], bool]:
    def keep(value: bool) -> bool:
        from app import console

        setattr(console.settings, name, value or getattr(console.settings, name))
        return value

    return keep


Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", envvar="EDGE_BENCH_QUIET", callback=_remember("quiet"), help="No progress."),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        envvar="EDGE_BENCH_DEBUG",
        callback=_remember("debug"),
        help="Show the traceback of an error.",
    ),
]
OutputFormat = Annotated[
    Format, typer.Option("--format", "-f", envvar="EDGE_BENCH_FORMAT", help="How tables are printed.")
]
Seed = Annotated[
    int,
    typer.Option(min=0, max=2**32 - 1, envvar="EDGE_BENCH_SEED", help="Seed of everything that is drawn."),
]

# -- train
BundleFolder = Annotated[
    Path,
    typer.Option("--bundle", "-b", envvar="EDGE_BENCH_BUNDLE", help="Folder that the bundle is written to."),
]
DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        envvar="EDGE_BENCH_DATASET",
        help="fashion-mnist, digits, cifar10, a folder of images with one folder a class, or auto: fashion-mnist, or "
        "digits where that cannot be had.",
    ),
]
ModelName = Annotated[str, typer.Option("--model", envvar="EDGE_BENCH_MODEL", help="paper-cnn or resnet20.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="EDGE_BENCH_DATA_DIR",
        help="Look for the data here and nowhere else. Without it: EDGE_BENCH_DATA, the cache, the official download.",
    ),
]
Epochs = Annotated[
    int, typer.Option(min=1, envvar="EDGE_BENCH_EPOCHS", help="Times the training images are gone through.")
]
TrainBatchSize = Annotated[
    int,
    typer.Option("--batch-size", min=1, envvar="EDGE_BENCH_TRAIN_BATCH_SIZE", help="Images a training step."),
]
LearningRate = Annotated[
    float,
    typer.Option(min=1e-12, envvar="EDGE_BENCH_LEARNING_RATE", help="Adam's, at the start; decays to 0 as a cosine."),
]
Dropout = Annotated[
    float,
    typer.Option(
        "--dropout",
        min=0,
        max=0.99,
        envvar="EDGE_BENCH_DROPOUT",
        help="Share of features dropped before Flatten.",
    ),
]
NoDropout = Annotated[
    bool, typer.Option("--no-dropout", envvar="EDGE_BENCH_NO_DROPOUT", help="The paper's first version.")
]
Resume = Annotated[
    bool,
    typer.Option("--resume", envvar="EDGE_BENCH_RESUME", help="Go on where a training ended, with its settings."),
]
StopAfter = Annotated[
    int | None,
    typer.Option(
        min=1,
        envvar="EDGE_BENCH_STOP_AFTER",
        help="End after this epoch on purpose; go on elsewhere with --resume.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", envvar="EDGE_BENCH_OVERWRITE", help="Replace what is in the bundle's folder."),
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
Limit = Annotated[
    int | None,
    typer.Option(min=1, envvar="EDGE_BENCH_LIMIT", help="Images a pass, drawn evenly over classes.  [default: all]"),
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
Timeout = Annotated[
    float,
    typer.Option(min=1, envvar="EDGE_BENCH_TIMEOUT", help="Seconds after which a silent worker is stopped."),
]
MemoryLimit = Annotated[
    str | None,
    typer.Option(
        "--memory-limit",
        envvar="EDGE_BENCH_MEMORY_LIMIT",
        help="Memory that each worker may allocate: 512M, 2G; one that needs more is a row.  [default: no limit]",
    ),
]
ResultsFolder = Annotated[
    Path,
    typer.Option("--results", "-o", envvar="EDGE_BENCH_RESULTS", help="Folder that Run files are written to."),
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

# -- inspect and export
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A .tflite or .keras file, or a SavedModel folder.")]
ExportedModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .keras file, a SavedModel folder, resnet50 or mobilenetv2.")
]
Weights = Annotated[
    str,
    typer.Option(
        envvar="EDGE_BENCH_WEIGHTS",
        help="For resnet50 and mobilenetv2: imagenet (downloaded), none (random), or a FILE.",
    ),
]
Calibration = Annotated[
    Path | None,
    typer.Option(
        envvar="EDGE_BENCH_CALIBRATION",
        help="Images (a folder, .npy or .npz) that set the ranges of the int8 variant; without them there is none.",
    ),
]

# -- compare
RunFiles = Annotated[list[Path], typer.Argument(help="Run files, or folders of them.")]
Baseline = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_BASELINE",
        help="VARIANT[/RUNTIME[/THREADS[/BATCH]]] to compare with, or an older Run's file.  [default: keras]",
    ),
]
FailIfSlower = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_FAIL_IF_SLOWER",
        help="Exit code 3 where a configuration takes more than 5% (say) longer than in the --baseline Run.",
    ),
]
FailIfAccuracyDrops = Annotated[
    float | None,
    typer.Option(
        min=0,
        envvar="EDGE_BENCH_FAIL_IF_ACCURACY_DROPS",
        help="Exit code 3 where it loses more than so many percentage points of accuracy.",
    ),
]

# -- report and history
Bundles = Annotated[
    list[Path] | None,
    typer.Option(
        "--bundle",
        "-b",
        envvar="EDGE_BENCH_BUNDLE",
        help="The bundle that was measured, for its training and its images; may be given once for each.",
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        envvar="EDGE_BENCH_REPORT",
        help="The page, or without html in --format the folder of the pictures.  [default: report.html, figures]",
    ),
]
ReportFormats = Annotated[
    str,
    typer.Option("--format", "-f", envvar="EDGE_BENCH_REPORT_FORMAT", help="html; single pictures: png,svg,pdf"),
]
FigureSize = Annotated[
    Layout,
    typer.Option(
        "--size", envvar="EDGE_BENCH_FIGURE_SIZE", help="Width of single pictures: a paper's column or its whole page."
    ),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "--picture",
        envvar="EDGE_BENCH_PICTURE",
        help="Draw it, too: a file named .png, .svg, .pdf or .html.",
    ),
]
