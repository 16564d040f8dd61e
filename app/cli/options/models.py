"""Options of ``inspect`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import option

__all__ = ["Calibration", "ExportedModel", "ModelFile", "Weights"]

# -- inspect and export
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A .tflite or .keras file, or a SavedModel folder.")]
ExportedModel = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .keras file, a SavedModel folder, resnet50 or mobilenetv2.")
]
Weights = Annotated[
    str,
    option("--weights", help="For resnet50 and mobilenetv2: imagenet (downloaded), none (random), or a FILE."),
]
Calibration = Annotated[
    Path | None,
    option(
        "--calibration",
        help="Images (a folder, .npy or .npz) that set the ranges of the int8 variant; without them there is none.",
    ),
]
