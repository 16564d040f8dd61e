"""Words and numbers of predictions."""

import math

from edge_bench.app.render.units import significant, size
from edge_bench.bench.prediction.answer import PredictedModel
from edge_bench.bench.wording import counted

__all__ = ["in_words", "interval", "kind_name", "memory", "method_text", "milliseconds"]

_SECONDS = 10_000  # milliseconds from which on a sentence has seconds
_KINDS = {
    "first_convolution": "first convolution",
    "convolution": "k×k convolutions",
    "pointwise": "1×1 convolutions",
    "depthwise": "depthwise convolutions",
    "dense": "dense layers",
    "element_by_element": "other operators",
}


def kind_name(kind: str) -> str:
    """Return the name of a class of operators."""
    return _KINDS[kind]


def milliseconds(value: float) -> str:
    """Return milliseconds with three significant digits, without unit."""
    return significant(_rounded(value))


def interval(limits: tuple[float, float]) -> str:
    """Return an interval in milliseconds, without unit."""
    return f"{milliseconds(limits[0])} to {milliseconds(limits[1])}"


def _rounded(value: float) -> float:
    """Return a value with three significant digits, also beyond 1,000."""
    return round(value, 2 - math.floor(math.log10(value))) if value > 0 else value


def in_words(median: float, limits: tuple[float, float]) -> str:
    """Return a time with its interval and unit, in seconds from 10 of them on."""
    unit, scale = ("s", 1e-3) if median >= _SECONDS else ("ms", 1.0)
    ends = interval((scale * limits[0], scale * limits[1]))
    return f"{milliseconds(scale * median)} {unit} per inference, with 90 % probability {ends} {unit}"


def memory(predicted: PredictedModel) -> str:
    """Return what the model needs and what the board has."""
    sizes = predicted.device_memory_bytes
    if not sizes:
        return f"at least {size(predicted.memory_bytes)}"
    has = size(sizes[0]) if len(sizes) == 1 else f"{size(sizes[0])} to {size(sizes[-1])}"
    if predicted.memory_bytes > sizes[-1]:
        return f"at least {size(predicted.memory_bytes)}: does not fit into {has}"
    return f"at least {size(predicted.memory_bytes)} of {has}"


def method_text(predicted: PredictedModel) -> str:
    """Return what a prediction is founded on."""
    models = counted(len(predicted.families), "family", "families")
    match predicted.method:
        case "own calibration":
            trust = "" if predicted.reliable else ", on a machine that was NOT reliable"
            return f"own calibration of this device with {counted(predicted.rows, 'measurement')}{trust}"
        case "published":
            return f"{counted(predicted.rows, 'latency', 'latencies')} of {models} of models, published for this board"
        case "sibling":
            found = counted(predicted.rows, "latency", "latencies")
            return f"{found} of {models} of models, published for this core in another board or configuration"
        case _:
            return "data sheets and other cores; no latency of this core is known"
