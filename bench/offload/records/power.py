"""Energy of an inference in joules from the power that the user states; power_meters.py has built-in meters.

No value is assumed: without stated power and without a meter there is no energy.
"""

import re
from typing import Annotated, Any

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import BoundedStr

__all__ = ["DEVICES", "Power", "local_joules", "power_from", "remote_joules"]

_EXAMPLE = "for example --power idle=2.7W,compute=5.8W,transmit=3.5W"


Watts = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """Power of the whole device in watts."""

    idle_w: Watts  # waiting for an answer
    compute_w: Watts
    transmit_w: Watts  # sending or receiving
    source: BoundedStr = "stated"


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
    if text.strip().lower() in DEVICES:
        return DEVICES[text.strip().lower()]
    fields: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(idle|compute|transmit)=([0-9]{1,9}(?:\.[0-9]{1,15})?)(m?)W?", part)
        if not match:
            raise BadInput(f"--power {text!r}: {part!r} is not a setting", f"{_EXAMPLE}; devices: {', '.join(DEVICES)}")
        fields[f"{match[1]}_w"] = float(match[2]) / (1e3 if match[3] else 1)
    if len(fields) != 3:
        raise BadInput(f"--power {text!r}: idle, compute and transmit are all required", _EXAMPLE)
    return Power(**fields)


def local_joules(power: Power, seconds: float) -> float:
    """Return the joules of a local inference: computing power for its whole duration."""
    return power.compute_w * seconds


def remote_joules(power: Power, total_s: float, busy_s: float, network_s: float) -> float:
    """Return the joules of a remote inference that takes ``total_s`` seconds of the device's time.

    The device computes for ``busy_s`` seconds (encoding and decoding) and transmits for ``network_s`` seconds (the
    bytes of both directions divided by their bandwidths). The rest of the time it is idle. The three add up to
    ``total_s``, as the powers are those of the whole device: with several requests in flight, encoding one image and
    sending another overlap, and count as encoding.
    """
    busy = min(busy_s, total_s)
    network = min(network_s, total_s - busy)
    return power.compute_w * busy + power.transmit_w * network + power.idle_w * (total_s - busy - network)
