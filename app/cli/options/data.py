"""Options of ``run`` and ``export`` for data and its preprocessing."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import OptionGroup, option

Data = Annotated[
    Path | None,
    option(
        "--data",
        env="RUN_DATA",
        help="A folder of images, a .npy or an .npz to measure model files with.  [default: random inputs, speed only]",
    ),
]
Labels = Annotated[
    Path | None,
    option(
        "--labels",
        help="True labels of --data: a text file with a line (FILE LABEL, or LABEL in the order of names) an image, "
        "or a .npy.",
    ),
]
Classes = Annotated[
    Path | None,
    option("--classes", help="Names of the model's outputs, a line each, in their order.  [default: alphabetical]"),
]
LabelNames = Annotated[
    Path | None,
    option(
        "--label-names",
        help="Names of the numbers in --labels, a line each, where these are not the model's (ILSVRC's ids, say).",
    ),
]
LabelOffset = Annotated[
    int | None,
    option(
        "--label-offset",
        help="Added to a label to give the model's output: 1 for a background class.  [default: by their numbers]",
    ),
]
Preprocess = Annotated[
    str | None,
    option(
        "--preprocess",
        help="raw, unit, imagenet-tf, imagenet-caffe or imagenet-torch.  [default: what the model's input says]",
    ),
]
Scale = Annotated[
    str | None,
    option("--scale", help="A pixel (0 to 255) times this; one number, or one a channel: a,b,c"),
]
Offset = Annotated[str | None, option("--offset", help="Plus this; one number, or one a channel: a,b,c")]
ChannelOrder = Annotated[str | None, option("--channel-order", help="rgb or bgr.  [default: the preset's]")]
Crop = Annotated[
    float | None,
    option(
        "--crop",
        min=0.01,
        max=1,
        help="Share of the centre that is kept.  [default: the preset's; 0.875 for 1,000 classes, else 1]",
    ),
]
Interpolation = Annotated[
    str,
    option("--interpolation", help="nearest, bilinear, bicubic, area or lanczos"),
]
Squash = Annotated[
    bool,
    option("--squash", help="Resize the whole image, whatever its proportions."),
]
ImageSize = Annotated[
    str | None,
    option("--image-size", help="HEIGHTxWIDTH, for a model that takes images of any size."),
]
Threshold = Annotated[
    float | None,
    option(
        "--threshold",
        help="For a model with a single score: a score above this is class 1, otherwise class 0. 0 for logits.  "
        "[default: 0.5]",
    ),
]
SkipBroken = Annotated[
    bool,
    option("--skip-broken", help="Leave files out that are no whole images, and say how many."),
]

#: Only for model files: a bundle has its own data.
DATA_OPTIONS: OptionGroup = {
    "data": (Data, None),
    "labels": (Labels, None),
    "classes": (Classes, None),
    "label_names": (LabelNames, None),
    "label_offset": (LabelOffset, None),
    "preprocess": (Preprocess, None),
    "scale": (Scale, None),
    "offset": (Offset, None),
    "channel_order": (ChannelOrder, None),
    "crop": (Crop, None),
    "interpolation": (Interpolation, "bilinear"),
    "squash": (Squash, False),
    "image_size": (ImageSize, None),
    "skip_broken": (SkipBroken, False),
    "threshold": (Threshold, None),
}
