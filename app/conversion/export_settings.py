"""Options of an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CALIBRATION_EXAMPLES", "ExportSettings"]

#: Examples that determine the ranges of the int8 variant. TensorFlow's guide recommends a few hundred.
CALIBRATION_EXAMPLES = 500


@dataclass(frozen=True)
class ExportSettings:
    """Options of an export, except those of the data."""

    weights: str  # of a keras.applications model: imagenet, none, or a file
    calibration: Path | None  # images or an .npz file that determine the ranges of the int8 variant
    limit: int | None  # number of test images or examples
    seed: int
    timeout: float  # seconds per request to the converter process
    memory_limit: int | None = None  # bytes that each process with the model may allocate; None: default limit
    signature: str = ""  # of a SavedModel
    task: str | None = None  # None: classify for a classifier, otherwise tensor
    output_name: str | None = None  # output with the values of the task
    ranges: Sequence[str] = ()  # of random values, such as tokens=0..9999
    formats: Sequence[str] = ()  # other formats than .tflite to write, such as ncnn
    shapes: Sequence[str] = ()  # of inputs with open axes, such as tokens=1x128

    @property
    def graph_options(self) -> list[str]:
        """The given options that do not apply to classifiers."""
        given = {"--output": self.output_name, "--range": self.ranges, "--shape": self.shapes}
        return [name for name, value in given.items() if value]
