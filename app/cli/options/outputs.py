"""Options of ``run`` and ``export`` for inputs and outputs of models with any task."""

from typing import Annotated

from edge_bench.app.cli.options.completion import one_of
from edge_bench.app.cli.options.declare import Section, option

__all__ = [
    "ClassAxis",
    "Coordinates",
    "Head",
    "IouThreshold",
    "Output",
    "OutputOrder",
    "Ranges",
    "SampleRate",
    "ScoreThreshold",
    "Shapes",
    "Signature",
    "Threshold",
]
# -- model inputs and outputs
Signature = Annotated[
    str | None,
    option(
        "--signature",
        section=Section.MODEL,
        metavar="NAME",
        help="Named function of the model files to measure. [default: the main one]",
    ),
]
Shapes = Annotated[
    list[str] | None,
    option(
        "--shape",
        section=Section.MODEL,
        metavar="INPUT=SHAPE",
        help="Shape of an input with open axes, for example tokens=1x128. Repeatable.",
    ),
]
Ranges = Annotated[
    list[str] | None,
    option(
        "--range",
        section=Section.MODEL,
        metavar="INPUT=A..B",
        help="Range of the random values of an input without --data, for example tokens=0..9999. Repeatable.",
    ),
]
SampleRate = Annotated[
    int | None,
    option(
        "--sample-rate",
        section=Section.MODEL,
        metavar="HZ",
        min=1,
        help="Sample rate that the model expects of .wav files. [default: from the model]",
    ),
]
Output = Annotated[
    str | None,
    option(
        "--output",
        section=Section.MODEL,
        metavar="NAME",
        help="Name, or number from 0, of the output with the values or boxes.",
    ),
]
Threshold = Annotated[
    float | None,
    option(
        "--threshold",
        section=Section.MODEL,
        metavar="SCORE",
        help="For a model with a single score: scores above this are class 1, others class 0. Use 0 for logits. "
        "[default: 0.5]",
    ),
]

# -- detection and segmentation
Head = Annotated[
    str | None,
    option(
        "--head",
        section=Section.DETECTION,
        metavar="NAME",
        autocompletion=one_of("yolov5", "yolov8"),
        help="YOLO output layout: yolov5 (with objectness) or yolov8 (also YOLO11). [default: from the output's shape]",
    ),
]
Coordinates = Annotated[
    str | None,
    option(
        "--coordinates",
        section=Section.DETECTION,
        metavar="UNIT",
        autocompletion=one_of("pixels", "shares"),
        help="Unit of a YOLO model's boxes: pixels, or shares of the input. [default: from the values]",
    ),
]
OutputOrder = Annotated[
    str | None,
    option(
        "--output-order",
        section=Section.DETECTION,
        metavar="NAMES",
        help="Order of a detector's four outputs: boxes,classes,scores,number. [default: from names and values]",
    ),
]
ScoreThreshold = Annotated[
    float | None,
    option(
        "--score-threshold",
        section=Section.DETECTION,
        metavar="SCORE",
        min=0,
        max=1,
        help="Minimum score of a YOLO model's boxes, 0 to 1. [default: 0.001]",
    ),
]
IouThreshold = Annotated[
    float | None,
    option(
        "--iou-threshold",
        section=Section.DETECTION,
        metavar="IOU",
        min=0,
        max=1,
        help="Overlap, 0 to 1, from which a YOLO model's boxes are merged. [default: 0.45]",
    ),
]
ClassAxis = Annotated[
    str | None,
    option(
        "--class-axis",
        section=Section.DETECTION,
        metavar="AXIS",
        autocompletion=one_of("first", "last"),
        help="Axis of the classes in pixel scores: first or last. [default: from the shape]",
    ),
]
