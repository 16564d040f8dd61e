"""Options of ``run`` and ``export`` for data and its preprocessing."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import OptionGroup, list_option, option

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
        help="True labels of --data: a text file with one line per image (FILE LABEL, or LABEL in the order of the "
        "file names), a CSV, or a .npy.",
    ),
]
LabelColumn = Annotated[
    str | None,
    option("--label-column", help="Heading or number of the column of labels in --labels.  [default: by its heading]"),
]
Classes = Annotated[
    Path | None,
    option("--classes", help="Names of the model's outputs, one per line, in their order.  [default: alphabetical]"),
]
LabelNames = Annotated[
    Path | None,
    option(
        "--label-names",
        help="Names of the numbers in --labels, one per line, if these are not the model's (such as ILSVRC's ids).",
    ),
]
ClassOrder = Annotated[
    str | None,
    option(
        "--class-order",
        help="How class names get their outputs: alphabetical, natural (c2 before c10) or number (the number in the "
        "name is the output).  [default: tested on the labelled images]",
    ),
]
LabelOffset = Annotated[
    int | None,
    option(
        "--label-offset",
        help="Number added to each label to get the model's output, such as 1 for a background class.  "
        "[default: tested on the labelled images]",
    ),
]
Assume = Annotated[
    bool,
    option(
        "--assume",
        help="Continue if it is unclear how the model wants its images or numbers its classes, and mark the accuracy "
        "as assumed.",
    ),
]
Preprocess = Annotated[
    str | None,
    option(
        "--preprocess",
        help="raw, unit, imagenet-tf, imagenet-caffe or imagenet-torch.  "
        "[default: read from the model, or tested on the labelled images]",
    ),
]
Scale = Annotated[
    str | None,
    list_option("--scale", help="Factor of each pixel (0 to 255): one number, or one per channel (a,b,c)."),
]
Offset = Annotated[
    str | None, list_option("--offset", help="Number added after --scale: one, or one per channel (a,b,c).")
]
ChannelOrder = Annotated[
    str | None, option("--channel-order", help="rgb or bgr.  [default: the preset's, or tested on the labelled images]")
]
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
    option("--skip-broken", help="Ignore files that cannot be read as images, and report how many."),
]
ExifOrientation = Annotated[
    bool,
    option("--exif-orientation", help="Turn images upright as their EXIF orientation says."),
]

#: Only for model files: a bundle has its own data.
DATA_OPTIONS: OptionGroup = {
    "data": (Data, None),
    "labels": (Labels, None),
    "classes": (Classes, None),
    "label_names": (LabelNames, None),
    "class_order": (ClassOrder, None),
    "label_column": (LabelColumn, None),
    "label_offset": (LabelOffset, None),
    "threshold": (Threshold, None),
    "preprocess": (Preprocess, None),
    "scale": (Scale, None),
    "offset": (Offset, None),
    "channel_order": (ChannelOrder, None),
    "crop": (Crop, None),
    "interpolation": (Interpolation, "bilinear"),
    "squash": (Squash, False),
    "image_size": (ImageSize, None),
    "skip_broken": (SkipBroken, False),
    "assume": (Assume, False),
    "exif_orientation": (ExifOrientation, False),
}
