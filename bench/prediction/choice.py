"""Which parameters of a device hold for a model, and the refusals if none do."""

import math
from collections.abc import Sequence

from edge_bench.bench.errors import BadInput
from edge_bench.bench.prediction.device_file import Device, ParameterSet
from edge_bench.bench.prediction.model_operators import ModelOperators

__all__ = ["KERNELS", "choose_parameters", "kernels_of", "unmodelled_deviation"]

#: Runtime → kernel library. ``ruy`` stands for TensorFlow Lite before XNNPACK was its default.
KERNELS = {"litert": "xnnpack", "tflite-runtime": "xnnpack", "ruy": "ruy"}
#: Share of a model's bytes in operators that are not modelled, from which on it is refused.
MOST_UNMODELLED = 0.1
#: The time of operators that are not modelled may be this many times the share of their bytes.
_TIME_PER_BYTE = 4
#: Clocks may differ from that of the parameters by this factor.
_CLOCK_RANGE = 1.35
_CALIBRATE = "calibrate the device: run `edge-bench calibrate` on it and give its file with --device"


def kernels_of(runtime: str) -> str:
    """Return the kernel library of a runtime; raise BadInput if no published latencies are of it."""
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
            f"quantize the model as {' or '.join(sorted({each.scheme for each in alike}))}, or {_CALIBRATE}",
        )
    return _of_clock(device, _of_threads(device, found, threads), clock_ghz or device.clock_ghz)


def unmodelled_deviation(model: ModelOperators) -> float:
    """Return the standard deviation that operators without a model add to the logarithm of the latency."""
    return math.log1p(_TIME_PER_BYTE * model.unmodelled_share) / 2


def _check_model(model: ModelOperators) -> None:
    if not model.operators or not model.macs:
        raise BadInput(f"no operator of this model has a predicted speed: {_names(model)}", "measure it on the device")
    if model.unmodelled_share > MOST_UNMODELLED:
        raise BadInput(
            f"{model.unmodelled_share:.0%} of the bytes of this model are in operators that are not modelled: "
            f"{_names(model)}",
            "measure it on the device; at most 10 % may be in such operators",
        )
    if model.precision == "mixed":
        raise BadInput(
            "this model multiplies in several precisions, or in one without kernels in the prediction",
            "export it as float32 or int8, or measure it on the device",
        )


def _names(model: ModelOperators) -> str:
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in model.unmodelled.items()) or "none"


def _no_precision(device: Device, model: ModelOperators, kernels: str) -> BadInput:
    known = sorted({each.kernels for each in device.parameters if each.precision == model.precision})
    if model.precision == "dynamic":
        return BadInput(
            f"no latencies of dynamic-range quantization were published, and {device.name} is not calibrated for it",
            "predict the float32 or the int8 variant, or measure this one on the device",
        )
    if known:
        return BadInput(
            f"{device.name} has {model.precision} parameters for {', '.join(known)} only, not for {kernels}", _CALIBRATE
        )
    if model.precision == "int8":
        return BadInput(
            f"no int8 latencies of {device.core}, or of a core like it, were published with {kernels}", _CALIBRATE
        )
    return BadInput(f"{device.name} has no parameters for {model.precision} with {kernels}", _CALIBRATE)


def _of_threads(device: Device, found: Sequence[ParameterSet], threads: int) -> list[ParameterSet]:
    if threads > device.cores:
        raise BadInput(f"{device.name} has {device.cores} cores, not {threads}", f"use --threads 1 to {device.cores}")
    if same := [each for each in found if each.threads == threads]:
        return same
    known = sorted({each.threads for each in found})
    raise BadInput(
        f"{device.name} has no parameters for {threads} threads",
        f"use --threads {','.join(map(str, known))}, or {_CALIBRATE}",
    )


def _of_clock(device: Device, found: Sequence[ParameterSet], clock_ghz: float) -> ParameterSet:
    """Return the parameters of the nearest clock."""
    nearest = min(found, key=lambda each: (abs(math.log(each.clock_ghz / clock_ghz)), -each.clock_ghz))
    if not 1 / _CLOCK_RANGE <= nearest.clock_ghz / clock_ghz <= _CLOCK_RANGE:
        raise BadInput(
            f"the parameters of {device.name} are of {nearest.clock_ghz:g} GHz, too far from {clock_ghz:g} GHz",
            _CALIBRATE,
        )
    return nearest
