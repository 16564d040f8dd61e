"""Which parameters of a device hold for a model, and the refusals if none do."""

import math
from collections.abc import Sequence

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.prediction.device_file import Device, ParameterSet
from edge_bench.bench.prediction.model_operators import ModelOperators
from edge_bench.bench.wording import counted

__all__ = ["KERNELS", "MEASURED_WITH", "choose_parameters", "clock_deviation", "kernels_of", "unmodelled_deviation"]

#: Runtime → kernel library. ``ruy`` stands for TensorFlow Lite before XNNPACK was its default.
KERNELS = {"litert": "xnnpack", "ruy": "ruy"}
#: Kernel library → what the published latencies were measured with: C++ tools, neither LiteRT nor tflite-runtime.
MEASURED_WITH = {"xnnpack": "TensorFlow Lite 2.5 to 2.18 with XNNPACK", "ruy": "TensorFlow Lite 2.4 to 2.11 with ruy"}
#: Share of a model's bytes or multiply-accumulates in operators that are not modelled, from which on it is refused.
MOST_UNMODELLED = 0.1
#: Operators that execute other graphs, which are not read.
_NESTED = {"WHILE", "IF", "CALL", "STABLEHLO_WHILE", "STABLEHLO_CASE", "STABLEHLO_COMPOSITE"}
#: The time of operators that are not modelled may be this many times the share of their bytes.
_TIME_PER_BYTE = 4
#: Clocks may differ from that of the parameters by this factor.
_CLOCK_RANGE = 1.35
_SAME_CLOCK = 1.005  # within this factor, clocks are one
_CALIBRATE = "calibrate the device: run `edge-bench calibrate` on it and give its file with --device"
_MEASURE = "measure it on the device: edge-bench run"


def kernels_of(runtime: str) -> str:
    """Return the kernel library of a runtime; raise BadInput if no latencies are of it."""
    if runtime == "tflite-runtime":
        raise BadInput(
            "no latencies of tflite-runtime were published or calibrated; it can take several times as long as LiteRT",
            "predict --runtime litert, or measure on the device: edge-bench run MODEL --runtime tflite-runtime",
        )
    if runtime not in KERNELS:
        raise BadInput(
            f"no latencies were published for {runtime!r} on these devices, so none are predicted",
            f"choose from {', '.join(KERNELS)}",
        )
    return KERNELS[runtime]


def choose_parameters(
    device: Device, model: ModelOperators, threads: int, kernels: str = "xnnpack", clock_ghz: float | None = None
) -> ParameterSet:
    """Return the parameters for a model; raise BadInput with problem and remedy if there are none."""
    _check_model(model)
    alike = [each for each in device.parameters if each.kernels == kernels and each.precision == model.precision]
    if not alike:
        raise _no_precision(device, model, kernels)
    found = [each for each in alike if each.scheme == model.scheme]
    if not found:
        raise BadInput(
            f"{device.name} has no parameters for {model.scheme or 'other'} quantization, whose kernels are others",
            f"quantize the model as {' or '.join(sorted({each.scheme for each in alike}))}, or "
            f"{_remedy(kernels, model.scheme)}",
        )
    if clock_ghz and not device.clock_known:
        raise BadInput(f"the clock of {device.name} is not known, so no other can be predicted", "omit --clock")
    return _of_clock(device, _of_threads(device, found, threads), clock_ghz or device.clock_ghz)


def _remedy(kernels: str, scheme: str) -> str:
    """Return what to do without parameters: a calibration measures XNNPACK, in float32 and in int8 per channel."""
    return _MEASURE if kernels != "xnnpack" or scheme == "per-tensor" else _CALIBRATE


def unmodelled_deviation(model: ModelOperators) -> float:
    """Return the standard deviation that operators without a model add to the logarithm of the latency."""
    return math.log1p(_TIME_PER_BYTE * model.unmodelled_share) / 2


def clock_deviation(at_their_clock: float, at_this_clock: float, clocks: float) -> float:
    """Return the standard deviation that a clock without latencies adds to the logarithm of the latency.

    The true time is taken to be anywhere between that at the clock of the latencies (no change) and that time
    divided by ``clocks``, the ratio of the clocks (as fast as the clock); both times are predicted ones. The result is
    the root of the mean squared distance from ``at_this_clock``.
    """
    spread = abs(math.log(clocks))
    changed = min(abs(math.log(at_their_clock / at_this_clock)), spread)
    return math.sqrt(spread**2 / 12 + (changed - spread / 2) ** 2)


def _check_model(model: ModelOperators) -> None:
    if model.open_size:
        raise BadInput(
            f"this model has sizes that are open until it runs: {model.open_size}",
            "export it with fixed sizes, for example Input((224, 224, 3)) in Keras, and predict that file",
        )
    if nested := sorted(_NESTED & model.unmodelled.keys()):
        raise BadInput(f"this model executes other graphs, whose work is not read: {', '.join(nested)}", _MEASURE)
    if not model.operators or not model.macs:
        others = f"; it has {_names(model)}, which is not modelled" if model.unmodelled else ""
        raise BadInput(
            f"this model has no convolution or dense layer, and only models with one are predicted{others}",
            _MEASURE,
        )
    if model.unmodelled_share > MOST_UNMODELLED:
        raise BadInput(
            f"{model.unmodelled_share:.0%} of the bytes or multiply-accumulates of this model are in operators that "
            f"are not modelled: {_names(model)}",
            "measure it on the device; at most 10 % may be in such operators",
        )
    if model.precision == "mixed":
        raise BadInput(
            "this model multiplies in several precisions, or in one without kernels in the prediction",
            "export it as float32 or int8, or measure it on the device",
        )


def _names(model: ModelOperators) -> str:
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in model.unmodelled.items())


def _no_precision(device: Device, model: ModelOperators, kernels: str) -> BadInput:
    known = sorted({each.kernels for each in device.parameters if each.precision == model.precision})
    if model.precision == "dynamic":
        return BadInput(
            f"no latencies of dynamic-range quantization were published, and {device.name} is not calibrated for it",
            "predict the float32 or the int8 variant, or measure this one on the device",
        )
    if known:
        return BadInput(
            f"{device.name} has {model.precision} parameters for {', '.join(known)} only, not for {kernels}",
            _remedy(kernels, model.scheme),
        )
    if model.precision == "int8":
        return BadInput(
            f"no int8 latencies of {device.core}, or of a core like it, were published with {kernels}",
            _remedy(kernels, model.scheme),
        )
    return BadInput(
        f"{device.name} has no parameters for {model.precision} with {kernels}", _remedy(kernels, model.scheme)
    )


def _of_threads(device: Device, found: Sequence[ParameterSet], threads: int) -> list[ParameterSet]:
    if threads > device.cores:
        raise BadInput(
            f"{device.name} has {counted(device.cores, 'core')}, not {threads}", f"use --threads 1 to {device.cores}"
        )
    if same := [each for each in found if each.threads == threads]:
        return same
    known = sorted({each.threads for each in found})
    raise BadInput(
        f"{device.name} has no parameters for {counted(threads, 'thread')}",
        f"use --threads {','.join(map(str, known))}, or {_remedy(found[0].kernels, found[0].scheme)}",
    )


def _of_clock(device: Device, found: Sequence[ParameterSet], clock_ghz: float) -> ParameterSet:
    """Return the parameters of the nearest clock. If it is another, they are not published for this configuration."""
    nearest = min(found, key=lambda each: (abs(math.log(each.clock_ghz / clock_ghz)), -each.clock_ghz))
    if nearest.method != "own calibration" and not 1 / _CLOCK_RANGE <= nearest.clock_ghz / clock_ghz <= _CLOCK_RANGE:
        raise BadInput(
            f"the parameters of {device.name} are of {nearest.clock_ghz:g} GHz, too far from {clock_ghz:g} GHz",
            _CALIBRATE,
        )
    if 1 / _SAME_CLOCK <= nearest.clock_ghz / clock_ghz <= _SAME_CLOCK:
        return nearest
    if nearest.method == "own calibration":
        raise BadInput(
            f"the calibration of {device.name} is of {nearest.clock_ghz:g} GHz, and is valid only there, "
            f"not at {clock_ghz:g} GHz",
            "omit --clock, or calibrate the device at this clock",
        )
    return msgspec.structs.replace(nearest, method="sibling" if nearest.method == "published" else nearest.method)
