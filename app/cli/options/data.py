"""Options of ``run`` and ``export`` for data and its preprocessing."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.completion import PRESETS, one_of
from edge_bench.app.cli.options.declare import OptionGroup, Section, list_option, option
from edge_bench.app.cli.options.outputs import (
    ClassAxis,
    Coordinates,
    Head,
    IouThreshold,
    Output,
    OutputOrder,
    Ranges,
    SampleRate,
    ScoreThreshold,
    Shapes,
    Signature,
    Threshold,
)
from edge_bench.bench.dataset.options import BOX_CLASS_ORDERS, CLASS_ORDERS, TASK_NAMES

Data = Annotated[
    Path | None,
    option(
        "--data",
        env="RUN_DATA",
        metavar="PATH",
        help="Images or inputs for model files: a folder, a .npy or an .npz. [default: random inputs, speed only]",
    ),
]
Labels = Annotated[
    Path | None,
    option(
        "--labels",
        metavar="PATH",
        help="True values of --data. Classes: a text file with one line per image (FILE LABEL, or LABEL in the order "
        "of the file names), a .csv or a .npy. Boxes: COCO's .json, or a folder of YOLO's .txt files. Masks: a folder "
        "of .png files. Numbers: a .csv (FILE,NUMBER,…), .npy or .npz.",
    ),
]
Task = Annotated[
    str | None,
    option(
        "--task",
        metavar="TASK",
        autocompletion=one_of(*TASK_NAMES),
        help="Meaning of the outputs: classify, binary, multilabel, regress, detect, segment, or tensor for numbers "
        "without a meaning. [default: from --labels or the models]",
    ),
]

# -- labels and classes
LabelColumn = Annotated[
    str | None,
    option(
        "--label-column",
        section=Section.LABELS,
        metavar="COLUMN",
        help="Heading or number of the column of labels in --labels. [default: by its heading]",
    ),
]
Classes = Annotated[
    Path | None,
    option(
        "--classes",
        section=Section.LABELS,
        metavar="FILE",
        help="Names of the model's classes in its order, one per line. [default: from the model, otherwise "
        "alphabetical]",
    ),
]
LabelNames = Annotated[
    Path | None,
    option(
        "--label-names",
        section=Section.LABELS,
        metavar="FILE",
        help="Names of the numbers in --labels, one per line, if they are not numbered as the model's classes are "
        "(for example ILSVRC ids).",
    ),
]
ClassOrder = Annotated[
    str | None,
    option(
        "--class-order",
        section=Section.LABELS,
        metavar="ORDER",
        autocompletion=one_of(*CLASS_ORDERS, *BOX_CLASS_ORDERS),
        help="Order in which named classes are assigned to outputs: alphabetical, natural (c2 before c10) or number "
        "(the number in the name is the output). For boxes: id or id-after-background (categories in the order of "
        "their ids). [default: tested on the labelled images]",
    ),
]
LabelOffset = Annotated[
    int | None,
    option(
        "--label-offset",
        section=Section.LABELS,
        metavar="N",
        help="Number to add to each label to get the model's output, for example 1 for a background class. "
        "[default: tested on the labelled images]",
    ),
]
Assume = Annotated[
    bool,
    option(
        "--assume",
        section=Section.LABELS,
        help="Continue if preprocessing or class order is unclear, and mark the accuracy as assumed.",
    ),
]
MaskValues = Annotated[
    Path | None,
    option(
        "--mask-values",
        section=Section.LABELS,
        metavar="FILE",
        help="Meaning of the values in true masks: a text file with a line VALUE CLASS for each; CLASS may be ignore. "
        "[default: the number of the class]",
    ),
]
IgnoreMaskValues = Annotated[
    str | None,
    list_option(
        "--ignore-mask-values",
        section=Section.LABELS,
        help="Values of true masks that are not scored: 255.",
    ),
]

# -- image preprocessing
Preprocess = Annotated[
    str | None,
    option(
        "--preprocess",
        section=Section.IMAGES,
        metavar="PRESET",
        autocompletion=one_of(*PRESETS),
        help="raw, unit, imagenet-tf, imagenet-caffe or imagenet-torch. "
        "[default: from the model, or tested on the labelled images]",
    ),
]
Scale = Annotated[
    str | None,
    list_option(
        "--scale", section=Section.IMAGES, help="Factor for pixels (0 to 255): one number, or one per channel (a,b,c)."
    ),
]
Offset = Annotated[
    str | None,
    list_option(
        "--offset", section=Section.IMAGES, help="Number added after --scale: one, or one per channel (a,b,c)."
    ),
]
ChannelOrder = Annotated[
    str | None,
    option(
        "--channel-order",
        section=Section.IMAGES,
        metavar="ORDER",
        autocompletion=one_of("rgb", "bgr"),
        help="rgb or bgr. [default: the preset's, or tested on the labelled images]",
    ),
]
Crop = Annotated[
    float | None,
    option(
        "--crop",
        section=Section.IMAGES,
        metavar="SHARE",
        min=0.01,
        max=1,
        help="Share of the centre to keep, 0.01 to 1. [default: the preset's; 0.875 for 1,000 classes, otherwise 1]",
    ),
]
Interpolation = Annotated[
    str,
    option(
        "--interpolation",
        section=Section.IMAGES,
        metavar="NAME",
        autocompletion=one_of("nearest", "bilinear", "bicubic", "area", "lanczos"),
        help="nearest, bilinear, bicubic, area or lanczos.",
    ),
]
Squash = Annotated[
    bool,
    option("--squash", section=Section.IMAGES, help="Resize the whole image without keeping its proportions."),
]
Letterbox = Annotated[
    bool,
    option(
        "--letterbox",
        section=Section.IMAGES,
        help="Keep the proportions of images and add grey borders. [default: for YOLO models]",
    ),
]
ImageSize = Annotated[
    str | None,
    option(
        "--image-size",
        section=Section.IMAGES,
        metavar="HEIGHTxWIDTH",
        help="Size of images for a model that accepts any size.",
    ),
]
SkipBroken = Annotated[
    bool,
    option("--skip-broken", section=Section.IMAGES, help="Skip files that cannot be read as images, and count them."),
]
ExifOrientation = Annotated[
    bool | None,
    option(
        "--exif-orientation/--no-exif-orientation",
        section=Section.IMAGES,
        env="EXIF_ORIENTATION",
        show_envvar=False,
        help="Whether to rotate images according to their EXIF orientation. [default: no; must be set if rotated "
        "images have true boxes or masks]",
    ),
]

#: Only for model files: a bundle has its own data. Help shows them in this order, in sections.
DATA_OPTIONS: OptionGroup = {
    "data": (Data, None),
    "labels": (Labels, None),
    "task": (Task, None),
    "classes": (Classes, None),
    "label_column": (LabelColumn, None),
    "label_names": (LabelNames, None),
    "class_order": (ClassOrder, None),
    "label_offset": (LabelOffset, None),
    "assume": (Assume, False),
    "mask_values": (MaskValues, None),
    "ignore_mask_values": (IgnoreMaskValues, None),
    "preprocess": (Preprocess, None),
    "scale": (Scale, None),
    "offset": (Offset, None),
    "channel_order": (ChannelOrder, None),
    "crop": (Crop, None),
    "interpolation": (Interpolation, "bilinear"),
    "squash": (Squash, False),
    "letterbox": (Letterbox, False),
    "image_size": (ImageSize, None),
    "exif_orientation": (ExifOrientation, None),
    "skip_broken": (SkipBroken, False),
    "signature": (Signature, None),
    "shape": (Shapes, None),
    "range": (Ranges, None),
    "sample_rate": (SampleRate, None),
    "output": (Output, None),
    "threshold": (Threshold, None),
    "head": (Head, None),
    "coordinates": (Coordinates, None),
    "output_order": (OutputOrder, None),
    "score_threshold": (ScoreThreshold, None),
    "iou_threshold": (IouThreshold, None),
    "class_axis": (ClassAxis, None),
}
