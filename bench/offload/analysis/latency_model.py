"""Model of the latency of remote inference, and the break-even points with local inference.

T_remote = T_encode + bytes_up / B_up + RTT + T_host + bytes_down / B_down + T_decode + T_stack. T_host is the time from
reading the request to having the answer ready. T_stack is the additional cost of HTTP and two network stacks, measured
on the direct path. All functions are pure arithmetic on the medians of one process, in seconds.
"""

import math

import msgspec

from edge_bench.bench.offload.network.link_profiles import Link
from edge_bench.bench.offload.records.offload import Arm, Offload, PathProbe

__all__ = ["Breakdown", "break_even_bps", "break_even_rtt", "parts_of", "predicted", "predicted_directly", "slack_of"]


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """Median times per image of one payload in one process, independent of the simulated link."""

    local_s: float  # latency of local inference
    encode_s: float
    decode_s: float
    host_s: float  # at the server, from reading the request to having the answer ready
    compute_s: float  # at the server, the model alone
    stack_s: float  # the rest of the direct latency, without round trip and transfer
    path_rtt_s: float  # round trip of the direct path
    path_bytes_s: float  # upload time at the direct path's bandwidth
    bytes_up: float  # per image
    bytes_down: float  # per image

    @property
    def without_network_s(self) -> float:
        """Seconds of remote inference without any network time."""
        return self.encode_s + self.host_s + self.decode_s + self.stack_s

    @property
    def direct_s(self) -> float:
        """Seconds of remote inference over the direct path."""
        return self.without_network_s + self.path_rtt_s + self.path_bytes_s


def parts_of(offload: Offload, direct: Arm) -> dict[int, Breakdown]:
    """Return ``{process: parts}`` of a payload's direct arm, for the processes with local and remote trials."""
    local = offload.local.process_medians("p50")
    if not direct.trials or not local:
        return {}
    medians = {name: direct.process_medians(name) for name in ("p50", "encode", "decode", "server", "compute")}
    rtt = offload.path.rtt_s if offload.path else 0.0
    upload = _transfer_seconds(direct.bytes_up, offload.path.up_bps) if offload.path else 0.0
    table = {}
    for process in sorted(local.keys() & medians["p50"].keys()):
        encode, decode, host = (medians[name][process] for name in ("encode", "decode", "server"))
        rest = medians["p50"][process] - encode - decode - host
        table[process] = Breakdown(
            local_s=local[process],
            encode_s=encode,
            decode_s=decode,
            host_s=host,
            compute_s=medians["compute"][process],
            stack_s=max(0.0, rest - rtt - upload),
            path_rtt_s=rtt,
            path_bytes_s=upload,
            bytes_up=direct.bytes_up,
            bytes_down=direct.bytes_down,
        )
    return table


def predicted(parts: Breakdown, link: Link) -> float:
    """Return the predicted seconds of remote inference over a simulated link in front of the direct path."""
    return parts.direct_s + link.rtt_s + _link_transfer_seconds(parts, link)


def predicted_directly(parts: Breakdown, path: PathProbe) -> float:
    """Return the predicted seconds of remote inference over the direct path, from its probe.

    The cost of HTTP is that of a request without content minus TCP's round trip.
    """
    http = max(0.0, path.empty_s - path.rtt_s)
    return parts.encode_s + parts.host_s + parts.decode_s + http + parts.path_rtt_s + parts.path_bytes_s


def _link_transfer_seconds(parts: Breakdown, link: Link) -> float:
    """Return the transfer time of an image's bytes on a link, both directions together."""
    return _transfer_seconds(parts.bytes_up, link.up_bps) + _transfer_seconds(parts.bytes_down, link.down_bps)


def break_even_rtt(parts: Breakdown, link: Link | None) -> float:
    """Return the round trip in seconds at which remote and local inference take equally long.

    The bandwidths are those of the link (None: of the direct path). Negative if remote inference is slower even
    without any round trip.
    """
    if link is None:
        return parts.local_s - parts.without_network_s - parts.path_bytes_s
    return parts.local_s - parts.direct_s - _link_transfer_seconds(parts, link)


def break_even_bps(parts: Breakdown, link: Link) -> float | None:
    """Return the smallest upload bandwidth, in bits per second, at which remote inference is as fast as local.

    Round trip and download bandwidth are those of the link. None if no bandwidth is enough.
    """
    upload_s = parts.local_s - parts.direct_s - link.rtt_s - _transfer_seconds(parts.bytes_down, link.down_bps)
    return parts.bytes_up * 8 / upload_s if upload_s > 0 else None


def slack_of(parts: Breakdown) -> float:
    """Return the paper's slack for one image: the seconds that sending may cost before local inference is faster."""
    return parts.local_s - parts.compute_s


def _transfer_seconds(size: float, rate_bps: float | None) -> float:
    return size * 8 / rate_bps if rate_bps and math.isfinite(rate_bps) else 0.0
