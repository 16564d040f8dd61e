"""A link between edge and host: round trip, bandwidths, jitter, loss; and the named ones, each with its source."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import BoundedStr

__all__ = ["DIRECT", "PROFILES", "SWEEP", "Link", "Rate", "bits_as_text", "link_from", "links_from"]

Delay = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Rate = Annotated[float, msgspec.Meta(ge=1, le=1e15)]

#: The name of the path to the server as it is, with nothing added.
DIRECT = "direct"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a path between edge and host adds to the path that there is; None is "as it is"."""

    name: BoundedStr
    rtt_s: Delay = 0.0  # round trip, half of it each way
    up_bps: Rate | None = None  # payload bits a second from edge to host
    down_bps: Rate | None = None
    jitter_s: Delay = 0.0  # standard deviation of the round trip
    loss: Annotated[float, msgspec.Meta(ge=0, lt=0.5)] = 0.0  # share of segments that have to be sent again
    source: BoundedStr = ""  # where a named profile's figures come from

    def __str__(self) -> str:
        return self.name

    @property
    def figures(self) -> str:
        """``rtt=20ms,up=10Mbit,down=40Mbit``: what ``--link`` takes."""
        parts = [f"rtt={self.rtt_s * 1e3:g}ms"]
        if self.up_bps and self.up_bps == self.down_bps:
            parts.append(f"rate={bits_as_text(self.up_bps)}")
        else:
            parts += [f"up={bits_as_text(self.up_bps)}"] if self.up_bps else []
            parts += [f"down={bits_as_text(self.down_bps)}"] if self.down_bps else []
        parts += [f"jitter={self.jitter_s * 1e3:g}ms"] if self.jitter_s else []
        parts += [f"loss={self.loss * 100:g}%"] if self.loss else []
        return ",".join(parts)


_MEGABIT = 1e6
#: Each an example of its kind, not a promise: measure your own link with no ``--link`` at all.
PROFILES = {
    link.name: link
    for link in (
        Link(
            name="ethernet",
            rtt_s=0.5e-3,
            up_bps=94.9 * _MEGABIT,
            down_bps=94.9 * _MEGABIT,
            source="100BASE-TX: 1,460 payload bytes in 1,538 on the wire (IEEE 802.3); the round trip is assumed",
        ),
        Link(
            name="wifi",
            rtt_s=3e-3,
            up_bps=90 * _MEGABIT,
            down_bps=90 * _MEGABIT,
            jitter_s=1e-3,
            source="assumed: 802.11ac at 80 MHz as a Raspberry Pi 4 has it, in the same room",
        ),
        Link(
            name="lte",
            rtt_s=70e-3,
            up_bps=12 * _MEGABIT,
            down_bps=12 * _MEGABIT,
            source="WebPageTest's connectivity profile LTE",
        ),
        Link(
            name="5g",
            rtt_s=47e-3,
            up_bps=14.56 * _MEGABIT,
            down_bps=265.8 * _MEGABIT,
            source="Ookla, T-Mobile US, January to June 2024: medians",
        ),
        Link(
            name="3g",
            rtt_s=150e-3,
            up_bps=0.75 * _MEGABIT,
            down_bps=1.6 * _MEGABIT,
            source="WebPageTest's 3G Fast, Lighthouse's default for mobile",
        ),
    )
}
_SWEEP_RTT_MS = (1, 5, 20, 80)
_SWEEP_MEGABIT = (1, 10, 100)
#: What ``--sweep`` measures: every round trip with every bandwidth, the same both ways.
SWEEP = tuple(
    Link(name=f"{rtt} ms, {rate} Mbit/s", rtt_s=rtt / 1e3, up_bps=rate * _MEGABIT, down_bps=rate * _MEGABIT)
    for rate in _SWEEP_MEGABIT
    for rtt in _SWEEP_RTT_MS
)

_HOW = "say, --link lte, or --link rtt=20ms,up=10Mbit,down=40Mbit,jitter=5ms,loss=0.1%"
_TIME = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_RATE = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}


def links_from(texts: Sequence[str], *, sweep: bool = False) -> list[Link]:
    """The links that a person named, each once; with ``sweep`` the grid of them as well."""
    links = [link_from(text) for text in texts] + list(SWEEP if sweep else ())
    return list({link.name: link for link in links}.values())


def link_from(text: str) -> Link:
    """A profile's name, or ``rtt=20ms,up=10Mbit,down=40Mbit,jitter=5ms,loss=0.1%``; BadInput for anything else.

    A profile may be altered: ``lte,rtt=40ms``. ``rate=10Mbit`` is both bandwidths.
    """
    first, *rest = [part.strip() for part in text.split(",") if part.strip()] or [""]
    base = PROFILES.get(first.lower())
    if base is None and "=" not in first:
        raise BadInput(f"--link {text!r}: no link is called {first!r}", f"there are {', '.join(PROFILES)}; or {_HOW}")
    said: dict[str, Any] = {}
    for part in rest if base else [first, *rest]:
        key, value = _figure(part, text)
        said |= {"up_bps": value, "down_bps": value} if key == "rate_bps" else {key: value}
    if base is None:
        link = Link(name="", **said)
        return msgspec.structs.replace(link, name=link.figures)
    link = msgspec.structs.replace(base, **said)
    return msgspec.structs.replace(link, name=f"{base.name},{','.join(rest)}") if rest else link


def _figure(part: str, text: str) -> tuple[str, float]:
    key, _, value = (piece.strip() for piece in part.partition("="))
    if key in ("rtt", "jitter"):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(us|µs|ms|s)", value)
        seconds = float(found[1]) * _TIME[found[2]] if found else -1.0
        if 0 <= seconds <= 10:
            return f"{key}_s", seconds
    elif key in ("up", "down", "rate"):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)bit(?:/s|ps)?", value, re.IGNORECASE)
        rate = float(found[1]) * _RATE[found[2].lower()] if found else 0.0
        if 1e3 <= rate <= 100e9:
            return f"{key}_bps", rate
    elif key == "loss":
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", value)
        share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
        if 0 <= share < 0.5:
            return "loss", share
    raise BadInput(f"--link {text!r}: {part!r} says nothing", _HOW)


def bits_as_text(rate: float) -> str:
    """``10Mbit``: bits a second as ``--link`` takes them."""
    for unit, name in ((1e9, "Gbit"), (1e6, "Mbit"), (1e3, "kbit")):
        if rate >= unit:
            return f"{rate / unit:g}{name}"
    return f"{rate:g}bit"
