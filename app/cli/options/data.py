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
        help="True values of --data. Classes: a text file with one line per image (FILE LABEL, or LABEL in the order "
        "of the file names), a CSV, or a .npy. Boxes: COCO's .json, or a folder of YOLO's .txt files. Masks: a folder "
        "of .png files. Numbers: a .csv (FILE,NUMBER,…), .npy or .npz.",
    ),
]
LabelColumn = Annotated[
    str | None,
    option("--label-column", help="Heading or number of the column of labels in --labels.  [default: by its heading]"),
]
Classes = Annotated[
    Path | None,
    option(
        "--classes",
        help="Names of the model's classes, one per line, in their order.  [default: read from the model, else "
        "alphabetical]",
    ),
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
        "name is the output). For boxes: id or id-after-background (classes number the categories in the order of "
        "their ids).  [default: tested on the labelled images]",
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
    bool | None,
    option(
        "--exif-orientation/--no-exif-orientation",
        env="EXIF_ORIENTATION",
        help="Turn images upright as their EXIF orientation says.  [default: no; asked if there are true boxes or "
        "masks]",
    ),
]

Task = Annotated[
    str | None,
    option(
        "--task",
        help="What the models' outputs mean: classify, binary, multilabel, regress, detect, segment or tensor (numbers "
        "without a meaning).  [default: told by --labels or the models]",
    ),
]
Signature = Annotated[
    str | None, option("--signature", help="The named function of the model files to measure.  [default: the main one]")
]
Shapes = Annotated[
    list[str] | None,
    option("--shape", help="Shape of an input with open axes, such as tokens=1x128; repeatable."),
]
Ranges = Annotated[
    list[str] | None,
    option(
        "--range",
        help="Least and greatest random value of an input without --data, such as tokens=0..9999; repeatable.",
    ),
]
SampleRate = Annotated[
    int | None,
    option("--sample-rate", min=1, help="Samples per second that the model takes, for .wav files.  [default: read]"),
]
Output = Annotated[
    str | None, option("--output", help="Name or number, from 0, of the output that has the values or boxes.")
]
Letterbox = Annotated[
    bool, option("--letterbox", help="Keep the proportions of images, with grey borders.  [default: for YOLO models]")
]
Head = Annotated[
    str | None,
    option("--head", help="yolov5 (with objectness) or yolov8, also for YOLO11.  [default: by the output's shape]"),
]
Coordinates = Annotated[
    str | None,
    option("--coordinates", help="Unit of a YOLO model's boxes: pixels or shares of the input.  [default: by values]"),
]
OutputOrder = Annotated[
    str | None,
    option(
        "--output-order",
        help="What the four outputs of a detector are: boxes,classes,scores,number.  [default: by names and values]",
    ),
]
ScoreThreshold = Annotated[
    float | None,
    option("--score-threshold", min=0, max=1, help="Least score of a YOLO model's boxes.  [default: 0.001]"),
]
IouThreshold = Annotated[
    float | None,
    option("--iou-threshold", min=0, max=1, help="Overlap at which a YOLO model's boxes are merged.  [default: 0.45]"),
]
ClassAxis = Annotated[
    str | None,
    option("--class-axis", help="Axis of the classes in the scores of pixels: first or last.  [default: by the shape]"),
]
MaskValues = Annotated[
    Path | None,
    option(
        "--mask-values",
        help="What the values of true masks mean: a text file with a line VALUE CLASS for each; CLASS may be ignore.  "
        "[default: the number of the class]",
    ),
]
IgnoreMaskValues = Annotated[
    str | None,
    list_option("--ignore-mask-values", help="Values of true masks that are not scored, such as 255."),
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
    "exif_orientation": (ExifOrientation, None),
    "task": (Task, None),
    "signature": (Signature, None),
    "shape": (Shapes, None),
    "range": (Ranges, None),
    "sample_rate": (SampleRate, None),
    "output": (Output, None),
    "letterbox": (Letterbox, False),
    "head": (Head, None),
    "coordinates": (Coordinates, None),
    "output_order": (OutputOrder, None),
    "score_threshold": (ScoreThreshold, None),
    "iou_threshold": (IouThreshold, None),
    "class_axis": (ClassAxis, None),
    "mask_values": (MaskValues, None),
    "ignore_mask_values": (IgnoreMaskValues, None),
}
