"""The options that say what data is and how it becomes a model's input; for `run` and `export`."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="EDGE_BENCH_RUN_DATA",
        help="A folder of images, a .npy or an .npz to measure model files with.  [default: random inputs, speed only]",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        envvar="EDGE_BENCH_LABELS",
        help="True labels of --data: a text file with a line (FILE LABEL, or LABEL in the order of names) an image, "
        "or a .npy.",
    ),
]
Classes = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        envvar="EDGE_BENCH_CLASSES",
        help="Names of the model's outputs, a line each, in their order.  [default: alphabetical]",
    ),
]
LabelNames = Annotated[
    Path | None,
    typer.Option(
        "--label-names",
        envvar="EDGE_BENCH_LABEL_NAMES",
        help="Names of the numbers in --labels, a line each, where these are not the model's (ILSVRC's ids, say).",
    ),
]
LabelOffset = Annotated[
    int | None,
    typer.Option(
        envvar="EDGE_BENCH_LABEL_OFFSET",
        help="Added to a label to give the model's output: 1 for a background class.  [default: by their numbers]",
    ),
]
Preprocess = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_PREPROCESS",
        help="raw, unit, imagenet-tf, imagenet-caffe or imagenet-torch.  [default: what the model's input says]",
    ),
]
Scale = Annotated[
    str | None,
    typer.Option(envvar="EDGE_BENCH_SCALE", help="A pixel (0 to 255) times this; one number, or one a channel: a,b,c"),
]
Offset = Annotated[
    str | None, typer.Option(envvar="EDGE_BENCH_OFFSET", help="Plus this; one number, or one a channel: a,b,c")
]
ChannelOrder = Annotated[
    str | None, typer.Option(envvar="EDGE_BENCH_CHANNEL_ORDER", help="rgb or bgr.  [default: the preset's]")
]
Crop = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=1,
        envvar="EDGE_BENCH_CROP",
        help="Share of the centre that is kept.  [default: the preset's; 0.875 for 1,000 classes, else 1]",
    ),
]
Interpolation = Annotated[
    str,
    typer.Option(envvar="EDGE_BENCH_INTERPOLATION", help="nearest, bilinear, bicubic, area or lanczos"),
]
Squash = Annotated[
    bool,
    typer.Option("--squash", envvar="EDGE_BENCH_SQUASH", help="Resize the whole image, whatever its proportions."),
]
ImageSize = Annotated[
    str | None,
    typer.Option(envvar="EDGE_BENCH_IMAGE_SIZE", help="HEIGHTxWIDTH, for a model that takes images of any size."),
]
SkipBroken = Annotated[
    bool,
    typer.Option(
        "--skip-broken",
        envvar="EDGE_BENCH_SKIP_BROKEN",
        help="Leave files out that are no whole images, and say how many.",
    ),
]
