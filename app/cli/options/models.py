"""Options of ``inspect`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import option

__all__ = [
    "Calibration",
    "ExportedModel",
    "ExportedTask",
    "ModelFile",
    "ModelMemoryLimit",
    "OutputName",
    "Ranges",
    "Shapes",
    "SignatureName",
    "Weights",
]

# -- inspect and export
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A .tflite or .keras file, or a SavedModel folder.")]
ExportedModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .keras file, a SavedModel folder, resnet50 or mobilenetv2.")
]
ModelMemoryLimit = Annotated[
    str | None,
    option(
        "--memory-limit",
        help="Memory that each process with the model may allocate: 512M, 2G.  "
        "[default: 7/8 of the available memory, at least 4 GiB]",
    ),
]
Weights = Annotated[
    str,
    option("--weights", help="For resnet50 and mobilenetv2: imagenet (downloaded), none (random), or a FILE."),
]
Calibration = Annotated[
    Path | None,
    option(
        "--calibration",
        help="Images (a folder, .npy or .npz), or an .npz with one array per input, that set the ranges of the int8 "
        "variant; without them there is none.",
    ),
]
ExportedTask = Annotated[
    str | None,
    option(
        "--task",
        help="What the outputs mean: classify, tensor (numbers), regress, binary or multilabel.  "
        "[default: classify for a classifier, otherwise tensor]",
    ),
]
OutputName = Annotated[
    str | None,
    option("--output-name", help="The output that has the values of --task, if the model has several."),
]
SignatureName = Annotated[
    str | None,
    option(
        "--signature", help="Function of a SavedModel to export.  [default: serving_default, or the only one there is]"
    ),
]
Ranges = Annotated[
    list[str] | None,
    option("--range", metavar="NAME=LOW..HIGH", help="Range of random values of an input, without --data; repeatable."),
]
Shapes = Annotated[
    list[str] | None,
    option("--shape", metavar="NAME=SIZExSIZE", help="Size of an input with open axes: tokens=1x128; repeatable."),
]
