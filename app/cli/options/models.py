"""Options of ``inspect`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import option

__all__ = [
    "Calibration",
    "ExportedModel",
    "ModelFile",
    "ModelMemoryLimit",
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
