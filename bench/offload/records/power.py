"""What an inference costs in joules, from powers that someone states; meters.py has what a device measures itself.

Nothing is assumed: without a statement and without a meter there is no figure.
"""

import re
from typing import Annotated, Any

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import BoundedStr

__all__ = ["DEVICES", "Power", "local_joules", "power_from", "remote_joules"]

_HOW = "say, --power idle=2.7W,compute=5.8W,transmit=3.5W"


Watts = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole device draws, in watts."""

    idle_w: Watts  # waiting for an answer
    compute_w: Watts
    transmit_w: Watts  # sending or receiving
    source: BoundedStr = "stated"


#: Figures of others for a whole board, each with where it comes from. State your own where you can measure.
DEVICES = {
    "pi4": Power(
        idle_w=2.7,
        compute_w=6.4,
        transmit_w=5.1,
        source="Geerling, Raspberry Pi Dramble, Pi 4 B: idle, all four cores busy, serving pages over the network",
    ),
}


def power_from(text: str) -> Power:
    """A device's name, or ``idle=2.7W,compute=5.8W,transmit=3.5W``; BadInput for anything else."""
    if text.strip().lower() in DEVICES:
        return DEVICES[text.strip().lower()]
    said: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"(idle|compute|transmit)=(\d+(?:\.\d+)?)(m?)W?", part)
        if not found:
            raise BadInput(f"--power {text!r}: {part!r} says nothing", f"{_HOW}; devices: {', '.join(DEVICES)}")
        said[f"{found[1]}_w"] = float(found[2]) / (1e3 if found[3] else 1)
    if len(said) != 3:
        raise BadInput(f"--power {text!r}: idle, compute and transmit are all needed", _HOW)
    return Power(**said)


def local_joules(power: Power, seconds: float) -> float:
    """An inference here: computing all the time."""
    return power.compute_w * seconds


def remote_joules(power: Power, total_s: float, busy_s: float, network_s: float) -> float:
    """An inference there: computing while encoding and decoding, transmitting while bytes are on the link, else idle.

    total_s: from pixels to label; busy_s: encoding and decoding; network_s: bytes of both ways by their bandwidths.
    """
    idle = max(0.0, total_s - busy_s - network_s)
    return power.compute_w * busy_s + power.transmit_w * min(network_s, total_s) + power.idle_w * idle
