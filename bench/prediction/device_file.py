"""Device files: the hardware of a board, and the parameters that were fitted to latencies measured on it."""

import math
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import read_bounded, why_unreadable, write_atomically
from edge_bench.bench.prediction.toml_text import toml_text
from edge_bench.bench.prediction.work import CLASSES

__all__ = [
    "FORMAT", "OVERLAP", "PARAMETERS", "UNKNOWN_CLOCK", "Device", "ParameterSet", "device_bytes", "read_device",
    "write_device",
]  # fmt: skip

FORMAT = "edge-bench.device/1"
#: Parameters of a device in the order of every vector and matrix. The first five are peaks in multiply-accumulates per
#: cycle, of all threads together. Activations and weights move at bytes per nanosecond (GB/s), and the overhead of an
#: operator is in thousands of cycles.
PARAMETERS = (
    "first_convolution", "convolution", "pointwise", "depthwise", "dense",
    "activation_bandwidth", "weight_bandwidth", "overhead",
)  # fmt: skip
#: Evidence of a clock that is only the unit of the parameters.
UNKNOWN_CLOCK = "unknown: rates are per nanosecond"
#: Exponent of the overlap by kernel library; docs/prediction.md says why they differ.
OVERLAP = {"xnnpack": 2.0, "ruy": 60.0}
_MAX_BYTES = 4 << 20
_MOST_VARIANCE = 100.0
_MOST_MACS = 1e15
_MOST_P90 = 100
_MAX_DOTS = 400  # in a line; the time of tomllib grows with their square
_REMEDY = "use a file that `edge-bench calibrate` wrote, or a name from `edge-bench predict --help`"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e12)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Value = Annotated[float, msgspec.Meta(ge=1e-9, le=1e9)]
Clock = Annotated[float, msgspec.Meta(ge=1e-3, le=1e3)]
Deviation = Annotated[float, msgspec.Meta(ge=0, le=10)]  # standard deviation of a logarithm
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=4096)]
Names = Annotated[list[Text], msgspec.Meta(max_length=200)]
Kind = Literal["published", "sibling", "zero-shot", "own calibration"]


class ParameterSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Fitted parameters of one kernel library, precision, quantization scheme and number of threads.

    The logarithm of a predicted latency has three sources of variance: the covariance of the parameters (which contains
    the variation between devices if this one was not measured), differences between families of models, and the
    residual.
    """

    kernels: Literal["xnnpack", "ruy"]
    precision: Literal["float32", "int8", "dynamic"]
    scheme: Literal["", "per-channel", "per-tensor"]
    threads: Count
    clock_ghz: Clock
    method: Kind
    overlap: Annotated[float, msgspec.Meta(ge=1, le=100)] = 2.0  # of computing and moving; see latency_model.py
    cache_kb: NotNegative = 1024.0  # the last cache that the cores share
    values: Annotated[list[Value], msgspec.Meta(min_length=8, max_length=8)]  # in the order of PARAMETERS
    covariance: list[list[float]]  # of the natural logarithms of the values
    between_families: Deviation  # standard deviation of the logarithm of the latency
    residual: Deviation  # the same between models of one family
    degrees_of_freedom: Annotated[float, msgspec.Meta(ge=1, le=1e6)] = (
        30.0  # of Student's t, whose quantiles give the intervals
    )
    extrapolation: Annotated[float, msgspec.Meta(ge=0, le=1)] = (
        0.1  # standard deviation per natural logarithm of the distance outside range_macs
    )
    rows: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    families: Names = []
    sources: Names = []
    range_macs: tuple[float, float] = (0.0, 0.0)  # smallest and largest model of the fit; zeros if there was none
    range_shares: dict[str, tuple[Share, Share]] = {}  # smallest and largest share of the time per class of operators
    p90_ratio: tuple[float, float, float] = (1.0, 1.0, 1.0)  # lower end, middle and upper end of p90 ÷ median

    def __post_init__(self) -> None:
        if len(self.covariance) != len(PARAMETERS) or any(len(row) != len(PARAMETERS) for row in self.covariance):
            raise ValueError(f"the covariance needs {len(PARAMETERS)} rows of {len(PARAMETERS)} numbers")
        self._check_ranges()
        flat = [number for row in self.covariance for number in row]
        if not all(math.isfinite(number) and abs(number) <= _MOST_VARIANCE for number in flat):
            raise ValueError("the covariance has numbers that are not finite, or too large")
        size = range(len(PARAMETERS))
        if any(self.covariance[i][i] < 0 for i in size):
            raise ValueError("the covariance has a negative variance")
        if any(abs(self.covariance[i][j] - self.covariance[j][i]) > 1e-6 for i in size for j in size):
            raise ValueError("the covariance is not symmetric")
        if min(np.linalg.eigvalsh(self.covariance)) < -1e-3 * max(self.covariance[i][i] for i in size):
            raise ValueError("the covariance is not that of any numbers: it has a negative eigenvalue")

    def _check_ranges(self) -> None:
        """Raise ValueError for ranges whose ends are exchanged, and for a fit to nothing."""
        low, high = self.range_macs
        if self.method != "zero-shot" and not (self.rows and 1 <= low <= high <= _MOST_MACS):
            raise ValueError("a fit needs rows, and a range_macs from its smallest to its largest model")
        if not 0 <= low <= high <= _MOST_MACS:
            raise ValueError("range_macs is not from small to large")
        if any(low > high for low, high in self.range_shares.values()) or not set(self.range_shares) <= set(CLASSES):
            raise ValueError(f"range_shares are not from small to large, or not of {', '.join(CLASSES)}")
        low, middle, high = self.p90_ratio
        if not 1 <= low <= middle <= high <= _MOST_P90:
            raise ValueError(f"p90_ratio is not from small to large between 1 and {_MOST_P90}")


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A board or a machine: its hardware, and its parameter sets."""

    format: str
    name: Name  # as after --device
    board: Name
    core: Name
    order: Literal["in-order", "out-of-order", "unknown"]
    cores: Count
    clock_ghz: Clock
    clock_evidence: Text
    macs_per_cycle: dict[str, Positive]  # of one core, by precision: what its data sheet allows
    isa: Names
    memory_mb: Annotated[list[Count | Annotated[int, msgspec.Meta(ge=1, le=1 << 30)]], msgspec.Meta(max_length=20)]
    l1d_kb: NotNegative = 0
    l2_kb: NotNegative = 0
    l3_kb: NotNegative = 0
    read_gb_per_s: NotNegative = 0
    copy_gb_per_s: NotNegative = 0
    os_bits: Literal[32, 64] = 64
    hardware_sources: Names = []
    personal: bool = False  # written by `edge-bench calibrate`
    reliable: bool  # false if it was calibrated on a machine that was not reliable (--force)
    leave_one_out_error: NotNegative | None = None  # mean absolute relative error
    calibrated: Text = ""  # when, with which runtime and version
    parameters: Annotated[list[ParameterSet], msgspec.Meta(max_length=200)] = []

    def __post_init__(self) -> None:
        keys = [(each.kernels, each.precision, each.scheme, each.threads, each.clock_ghz) for each in self.parameters]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise ValueError(f"two parameter sets are of {' '.join(f'{each}' for each in twice if each != '')}")

    @property
    def clock_known(self) -> bool:
        """Whether the clock is that of the device, not only the unit of its parameters."""
        return self.clock_evidence != UNKNOWN_CLOCK


def read_device(path: Path) -> Device:
    """Return a device file; raise BadInput if it is not valid."""
    try:
        content = read_bounded(path, _MAX_BYTES)
        if max(line.count(b".") for line in content.split(b"\n")) > _MAX_DOTS:
            raise ValueError(f"a line has more than {_MAX_DOTS} dots")
        device = msgspec.convert(tomllib.loads(content.decode()), Device)
    except OSError as cause:
        raise BadInput(f"{path}: cannot be read: {cause.strerror}", _REMEDY) from None
    except RecursionError:
        raise BadInput(f"{path}: not a device file: it is nested too deeply", _REMEDY) from None
    except (ValueError, msgspec.ValidationError) as cause:
        raise BadInput(f"{path}: not a device file: {why_unreadable(cause)}", _REMEDY) from None
    if device.format != FORMAT:
        raise BadInput(f"{path}: a device file of another version: {device.format[:40]!r}", _REMEDY)
    return device


def device_bytes(device: Device) -> bytes:
    """Return the file's content; the same device gives the same bytes."""
    return toml_text(msgspec.to_builtins(device)).encode()


def write_device(path: Path, device: Device) -> None:
    """Write a device file."""
    write_atomically(path, device_bytes(device))
