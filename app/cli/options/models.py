"""Options of ``inspect`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import Section, list_option, option

__all__ = [
    "Calibration",
    "ExportFormats",
    "ExportedModel",
    "ModelFile",
    "ModelMemoryLimit",
    "Weights",
]

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A .tflite, .keras or .onnx file, or a SavedModel folder.")
]
ExportedModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .keras file, a SavedModel folder, resnet50 or mobilenetv2.")
]
ModelMemoryLimit = Annotated[
    str | None,
    option(
        "--memory-limit",
        section=Section.LIMITS,
        metavar="SIZE",
        help="Memory that each process with the model may allocate: 512M, 2G. [default: 7/8 of the available memory, "
        "at least 4 GiB]",
    ),
]
Weights = Annotated[
    str,
    option(
        "--weights",
        metavar="NAME|FILE",
        help="Weights of resnet50 and mobilenetv2: imagenet (downloaded), none (random) or a file.",
    ),
]
ExportFormats = Annotated[
    str | None,
    list_option(
        "--to",
        help="Other formats of an image classifier to write: ncnn (downloads pnnx, 30 MB, at the first use).",
    ),
]
Calibration = Annotated[
    Path | None,
    option(
        "--calibration",
        metavar="PATH",
        help="Data for the ranges of the int8 variant: images (a folder, .npy or .npz), or an .npz with one array per "
        "input. Without it there is no int8 variant.",
    ),
]
