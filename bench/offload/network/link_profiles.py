"""Simulated links between edge and host, the named profiles with their sources, and the parser of ``--link``."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import BoundedStr

__all__ = ["DIRECT", "PROFILES", "SWEEP", "Link", "Rate", "bits_as_text", "link_from", "links_from"]

Delay = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Rate = Annotated[float, msgspec.Meta(ge=1, le=1e15)]

#: Name of the path to the server without a simulated link.
DIRECT = "direct"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated link that is added to the real path between edge and host; a rate of None adds no limit."""

    name: BoundedStr
    rtt_s: Delay = 0.0  # round trip; half of it is added in each direction
    up_bps: Rate | None = None  # payload bits per second from edge to host
    down_bps: Rate | None = None  # payload bits per second from host to edge
    jitter_s: Delay = 0.0  # standard deviation of the round trip
    loss: Annotated[float, msgspec.Meta(ge=0, lt=0.5)] = 0.0  # fraction of TCP segments that are lost and sent again
    source: BoundedStr = ""  # of a named profile's figures

    def __str__(self) -> str:
        return self.name

    @property
    def figures(self) -> str:
        """The link as ``--link`` accepts it, such as ``rtt=20ms,up=10Mbit,down=40Mbit``."""
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
#: Examples of each kind of link. Your own link is measured without ``--link``.
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
#: Links of ``--sweep``: every round trip with every bandwidth, which is the same in both directions.
SWEEP = tuple(
    Link(name=f"{rtt} ms, {rate} Mbit/s", rtt_s=rtt / 1e3, up_bps=rate * _MEGABIT, down_bps=rate * _MEGABIT)
    for rate in _SWEEP_MEGABIT
    for rtt in _SWEEP_RTT_MS
)

_USAGE = "use --link lte, or for example --link rtt=20ms,up=10Mbit,down=40Mbit,jitter=5ms,loss=0.1%"
_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_RATE_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}


def links_from(texts: Sequence[str], *, sweep: bool = False) -> list[Link]:
    """Return the links of several ``--link`` options without duplicates; with ``sweep`` also those of ``--sweep``."""
    links = [link_from(text) for text in texts] + list(SWEEP if sweep else ())
    return list({link.name: link for link in links}.values())


def link_from(text: str) -> Link:
    """Return the link of a profile's name or of figures like ``rtt=20ms,up=10Mbit,down=40Mbit,jitter=5ms,loss=0.1%``.

    Figures may follow a profile to change it: ``lte,rtt=40ms``. ``rate=10Mbit`` sets both bandwidths. Raise BadInput
    for anything else.
    """
    first, *rest = [part.strip() for part in text.split(",") if part.strip()] or [""]
    base = PROFILES.get(first.lower())
    if base is None and "=" not in first:
        raise BadInput(
            f"--link {text!r}: no link is called {first!r}", f"choose from {', '.join(PROFILES)}, or {_USAGE}"
        )
    fields: dict[str, Any] = {}
    for part in rest if base else [first, *rest]:
        key, value = _parse_figure(part, text)
        fields |= {"up_bps": value, "down_bps": value} if key == "rate_bps" else {key: value}
    if base is None:
        link = Link(name="", **fields)
        return msgspec.structs.replace(link, name=link.figures)
    link = msgspec.structs.replace(base, **fields)
    return msgspec.structs.replace(link, name=f"{base.name},{','.join(rest)}") if rest else link


def _parse_figure(part: str, text: str) -> tuple[str, float]:
    """Return the Link field and its value for one ``key=value``; ``text`` is the whole option, for the error."""
    key, _, value = (piece.strip() for piece in part.partition("="))
    if key in ("rtt", "jitter"):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(us|µs|ms|s)", value)
        seconds = float(match[1]) * _SECONDS[match[2]] if match else -1.0
        if 0 <= seconds <= 10:
            return f"{key}_s", seconds
    elif key in ("up", "down", "rate"):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)bit(?:/s|ps)?", value, re.IGNORECASE)
        rate = float(match[1]) * _RATE_FACTORS[match[2].lower()] if match else 0.0
        if 1e3 <= rate <= 100e9:
            return f"{key}_bps", rate
    elif key == "loss":
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", value)
        fraction = float(match[1]) / (100 if match[2] else 1) if match else -1.0
        if 0 <= fraction < 0.5:
            return "loss", fraction
    raise BadInput(f"--link {text!r}: {part!r} is not a setting", _USAGE)


def bits_as_text(rate: float) -> str:
    """Return bits per second as ``--link`` accepts them, such as ``10Mbit``."""
    for unit, name in ((1e9, "Gbit"), (1e6, "Mbit"), (1e3, "kbit")):
        if rate >= unit:
            return f"{rate / unit:g}{name}"
    return f"{rate:g}bit"
