"""Power of a machine in a record: stated by the user, or from a meter, with the idle power.

No value is assumed: without stated power and without a meter there is no energy.
"""

import re
from typing import Annotated, Any

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt

__all__ = ["DEVICES", "NO_ENERGY", "MeteredPower", "Power", "StatedPower", "Watts", "power_from", "stated_power"]

#: Value of --power with which a meter is not read.
NO_ENERGY = "none"

Watts = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class StatedPower(msgspec.Struct, frozen=True, kw_only=True):
    """Power of the whole device in watts, as the user states it."""

    idle_w: Watts
    compute_w: Watts
    source: BoundedStr = "stated"


class Power(StatedPower, frozen=True, kw_only=True):
    """The same for a device that sends its inputs to a server, and is idle while it waits for an answer."""

    transmit_w: Watts  # sending or receiving


class MeteredPower(msgspec.Struct, frozen=True, kw_only=True):
    """The power meter of a Run, and the idle power before its first trial."""

    source: BoundedStr  # meter · pmic · rapl
    meter: BoundedStr  # what it reads, and what is not included
    least_trial_s: Annotated[float, msgspec.Meta(ge=0)]  # shortest trial that the meter can measure
    idle_w: Annotated[list[Watts], Length] = []  # means of equal parts of the idle time; empty: no valid reading
    idle_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    idle_other_cpu_ns: NonNegativeInt | None = None  # CPU time of all other processes meanwhile, on all cores


#: Published power of whole boards, each with its source. Your own measurements are better.
DEVICES = {
    "pi4": Power(
        idle_w=2.7,
        compute_w=6.4,
        transmit_w=5.1,
        source="Geerling, Raspberry Pi Dramble, Pi 4 B: idle, all four cores busy, serving pages over the network",
    ),
}


def power_from(text: str) -> Power:
    """Return the power of a device's name or of ``idle=2.7W,compute=5.8W,transmit=3.5W``. Raise BadInput if invalid."""
    if device := DEVICES.get(text.strip().lower()):
        return device
    return Power(**_fields(text, ("idle", "compute", "transmit")))


def stated_power(text: str) -> StatedPower:
    """Return the power of a device's name or of ``idle=2.7W,compute=5.8W``. Raise BadInput if invalid.

    The power of transmitting may be stated, too, and is not used.
    """
    if device := DEVICES.get(text.strip().lower()):
        return StatedPower(idle_w=device.idle_w, compute_w=device.compute_w, source=device.source)
    fields = _fields(text, ("idle", "compute"))
    return StatedPower(idle_w=fields["idle_w"], compute_w=fields["compute_w"])


def _fields(text: str, required: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of ``idle=2.7W,…``; raise BadInput if one is invalid or a required one is missing."""
    example = (
        f"for example --power {','.join(f'{name}={watts}W' for name, watts in _EXAMPLE.items() if name in required)}"
    )
    fields: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(idle|compute|transmit)=([0-9]{1,6}(?:\.[0-9]{1,15})?)(m?)W?", part)
        if not match:
            raise BadInput(
                f"--power {text!r}: {part!r} is not a power",
                f"{example}; or {', '.join(DEVICES)}, {NO_ENERGY}, or the file of a sensor; without it, the best meter",
            )
        if f"{match[1]}_w" in fields:
            raise BadInput(f"--power {text!r}: {match[1]} is stated twice", example)
        fields[f"{match[1]}_w"] = float(match[2]) / (1e3 if match[3] else 1)
    if any(f"{name}_w" not in fields for name in required):
        names = f"{', '.join(required[:-1])} and {required[-1]} are {'all' if len(required) > 2 else 'both'} required"
        raise BadInput(f"--power {text!r}: {names}", example)
    if not fields["compute_w"] or fields["compute_w"] < fields["idle_w"]:
        raise BadInput(f"--power {text!r}: compute is zero or less than idle", f"state idle first, {example}")
    return fields


_EXAMPLE = {"idle": 2.7, "compute": 5.8, "transmit": 3.5}
