"""What sending an image should take, from its parts: and so where sending and staying break even.

T_remote = T_encode + bytes_up / B_up + RTT + T_host + bytes_down / B_down + T_decode, with T_host from the request read
to the answer ready, plus what HTTP and two network stacks cost beyond that, which is measured on the path without any
link in front. Everything here is pure arithmetic on one process's medians, in seconds.
"""

import math

import msgspec

from edge_bench.bench.offload.network.link import Link
from edge_bench.bench.offload.records.offload import Arm, Offload, PathProbe

__all__ = ["Parts", "break_even_bps", "break_even_rtt", "parts_of", "predicted", "predicted_directly", "slack_of"]


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What one image costs by one payload, in one process, whatever the link."""

    local_s: float
    encode_s: float
    decode_s: float
    host_s: float  # the request read to the answer ready, at the server
    compute_s: float  # the model alone, there
    stack_s: float  # all else on the path as it is, without its round trip and its bytes
    path_rtt_s: float  # that round trip
    path_bytes_s: float  # and the bytes, by the path's own bandwidth
    bytes_up: float
    bytes_down: float

    @property
    def without_network_s(self) -> float:
        """What sending an image costs beside the link."""
        return self.encode_s + self.host_s + self.decode_s + self.stack_s

    @property
    def direct_s(self) -> float:
        """What it costs over the path as it is."""
        return self.without_network_s + self.path_rtt_s + self.path_bytes_s


def parts_of(offload: Offload, direct: Arm) -> dict[int, Parts]:
    """By process: the parts of a payload, from its direct arm, one at a time; processes that measured both ends."""
    local = offload.local.process_medians("p50")
    if not direct.trials or not local:
        return {}
    medians = {name: direct.process_medians(name) for name in ("p50", "encode", "decode", "server", "compute")}
    rtt = offload.path.rtt_s if offload.path else 0.0
    carried = _on_the_way(direct.bytes_up, offload.path.up_bps) if offload.path else 0.0
    table = {}
    for process in sorted(local.keys() & medians["p50"].keys()):
        encode, decode, host = (medians[name][process] for name in ("encode", "decode", "server"))
        rest = medians["p50"][process] - encode - decode - host
        table[process] = Parts(
            local_s=local[process],
            encode_s=encode,
            decode_s=decode,
            host_s=host,
            compute_s=medians["compute"][process],
            stack_s=max(0.0, rest - rtt - carried),
            path_rtt_s=rtt,
            path_bytes_s=carried,
            bytes_up=direct.bytes_up,
            bytes_down=direct.bytes_down,
        )
    return table


def predicted(parts: Parts, link: Link) -> float:
    """An image over a link that is in front of the path, seconds."""
    return parts.direct_s + link.rtt_s + _bytes_seconds(parts, link)


def predicted_directly(parts: Parts, path: PathProbe) -> float:
    """An image over the path as it is, from what was measured of the path without sending any image.

    What HTTP costs is that of a request without content, beyond TCP's round trip.
    """
    http = max(0.0, path.empty_s - path.rtt_s)
    return parts.encode_s + parts.host_s + parts.decode_s + http + parts.path_rtt_s + parts.path_bytes_s


def _bytes_seconds(parts: Parts, link: Link) -> float:
    """The time that an image's bytes take on a link, both ways."""
    return _on_the_way(parts.bytes_up, link.up_bps) + _on_the_way(parts.bytes_down, link.down_bps)


def break_even_rtt(parts: Parts, link: Link | None) -> float:
    """The round trip at which sending takes as long as staying, at a link's bandwidths (None: the path's own).

    Negative where sending could not be worth it over any link.
    """
    if link is None:
        return parts.local_s - parts.without_network_s - parts.path_bytes_s
    return parts.local_s - parts.direct_s - _bytes_seconds(parts, link)


def break_even_bps(parts: Parts, link: Link) -> float | None:
    """The least bandwidth up, bits a second, at which sending is as fast as staying, at a link's round trip.

    None where no bandwidth is enough.
    """
    left = parts.local_s - parts.direct_s - link.rtt_s
    left -= _on_the_way(parts.bytes_down, link.down_bps)
    return parts.bytes_up * 8 / left if left > 0 else None


def slack_of(parts: Parts) -> float:
    """The paper's slack for one image: what sending it may cost before staying is the faster choice."""
    return parts.local_s - parts.compute_s


def _on_the_way(count: float, rate_bps: float | None) -> float:
    return count * 8 / rate_bps if rate_bps and math.isfinite(rate_bps) else 0.0
