"""The command ``predict``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_bench.app.cli.answers import Shown, print_answered, width
from edge_bench.app.cli.options.declare import list_option, option
from edge_bench.app.cli.options.shared import OutputFormat, Why, Wide
from edge_bench.app.render.formats import Format

if TYPE_CHECKING:
    from edge_bench.bench.prediction.answer import PredictedModel

__all__ = ["predict"]

PredictedPath = Annotated[Path, typer.Argument(metavar="MODEL|BUNDLE", help="A .tflite file, or a bundle.")]
DeviceName = Annotated[
    str | None,
    option(
        "--device",
        metavar="NAME|FILE",
        help="pi5, pi4, pi3b+, pi3b or zero2w, or a device file (.toml) that `edge-bench calibrate` wrote.",
    ),
]
AllDevices = Annotated[
    bool, option("--all-devices", help="Predict the Raspberry Pi Zero 2 W, 3 B+, 4 and 5 in one table.")
]
PredictedThreads = Annotated[str | None, list_option("--threads", help="Numbers of threads, such as 1,4. [default: 1]")]
PredictedRuntime = Annotated[
    str,
    option(
        "--runtime",
        env="PREDICT_RUNTIME",
        metavar="NAME",
        help="litert, which uses XNNPACK, or ruy: TensorFlow Lite without XNNPACK.",
    ),
]
PredictedVariant = Annotated[str | None, list_option("--variant", help="Variants of the bundle. [default: all]")]
Clock = Annotated[
    float | None,
    option("--clock", metavar="GHZ", min=0.1, max=10.0, help="Clock of the device, such as 1.5 for an older Pi 4."),
]


def predict(
    model: PredictedPath,
    device: DeviceName = None,
    all_devices: AllDevices = False,
    threads: PredictedThreads = None,
    runtime: PredictedRuntime = "litert",
    variant: PredictedVariant = None,
    clock: Clock = None,
    output_format: OutputFormat = Format.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Predict the latency of a model on a device that is not at hand.

    From the model's operators and published latencies of the device. Predictions are labelled PREDICTED and have
    intervals; they are no measurements. Nothing is executed.
    """
    from edge_bench.app.cli import parsing
    from edge_bench.bench.errors import BadInput
    from edge_bench.bench.prediction.answer import predict_all, predict_model, subjects
    from edge_bench.bench.prediction.catalogue import ALL_DEVICES, load_device

    if all_devices == (device is not None):
        raise BadInput("no device is given" if device is None else "--device and --all-devices exclude each other",
                       "use --device pi4, a device file, or --all-devices")  # fmt: skip
    shown = Shown(output_format, wide=wide, why=why)
    devices = [load_device(name) for name in (ALL_DEVICES if device is None else [device])]
    counts = list(dict.fromkeys(parsing.counts(threads, "--threads") or [1]))
    models = subjects(model, parsing.names(variant))
    if len(models) == len(devices) == len(counts) == 1:
        _print([predict_model(models[0], devices[0], counts[0], runtime, clock)], shown)
        return
    predicted = predict_all(models, devices, counts, runtime, clock)
    if not any(each.prediction for each in predicted):
        raise BadInput(predicted[0].refusal, predicted[0].remedy)
    _print(predicted, shown)


def _print(predicted: "list[PredictedModel]", shown: Shown) -> None:
    from edge_bench.app.cli import console
    from edge_bench.app.tables.prediction.sentences import prediction_sentences
    from edge_bench.app.tables.prediction.table import prediction_tables
    from edge_bench.app.tables.prediction.text import prediction_text

    tables = prediction_tables(predicted)
    print_answered(
        tables,
        lambda: prediction_sentences(predicted),
        lambda **how: prediction_text(predicted, tables, width(), **how),
        shown,
    )
    console.note_unless_shown(tables[0].notes, shown.form)
