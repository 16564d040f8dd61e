"""Delivery times of one direction of a link from its delay, bandwidth, jitter and loss, as pure arithmetic.

The model is a warm TCP connection with an open window. Slow start is not modelled: on a real path with a long delay it
slows down a large transfer after a pause. Bandwidth is that of the payload, without headers.
"""

import math
import random

from edge_bench.bench.offload.network.link_profiles import Link

__all__ = ["SEGMENT", "Direction", "piece_size"]

#: Payload bytes of a full Ethernet frame: 1,500 minus 20 of IPv4, 20 of TCP and 12 of TCP's timestamp option.
SEGMENT = 1448
#: Linux's minimum retransmission timeout. RFC 8985 (RACK-TLP, section 7.2) adds it to the probe timeout if a single
#: segment is in flight, because its acknowledgement may be delayed.
_DELAYED_ACK_S = 0.2
#: A long message is split into pieces of this duration, so that it uses the simulated and the real link at once.
_PIECE_S = 0.002


class Direction:
    """One direction of a link. Times are seconds of one monotonic clock."""

    def __init__(self, link: Link, rate_bps: float | None, seed: int) -> None:
        self._link, self._rate = link, rate_bps
        self._random = random.Random(seed)  # noqa: S311 - jitter needs no secrecy
        self._free_at = self._last_arrival = 0.0

    def deliver_at(self, now: float, size: int) -> float:
        """Return the arrival time of the last of ``size`` bytes sent at ``now``; never before an earlier arrival.

        Sending occupies the link for size × 8 / bandwidth seconds. The bytes arrive half a round trip later. Jitter is
        normally distributed; each direction has half of the round trip's variance. The delay is never negative.
        """
        start = max(now, self._free_at)
        self._free_at = start + (size * 8 / self._rate if self._rate else 0.0)
        arrival = self._free_at + self._link.rtt_s / 2 + self._jitter() + self._retransmission_delay(size)
        # a nanosecond apart, so that timers due at the same time still fire in order
        self._last_arrival = max(arrival, self._last_arrival + 1e-9)
        return self._last_arrival

    def _jitter(self) -> float:
        if not self._link.jitter_s:
            return 0.0
        delay = self._random.gauss(0.0, self._link.jitter_s / math.sqrt(2))
        return max(delay, -self._link.rtt_s / 2)

    def _retransmission_delay(self, size: int) -> float:
        """Return the seconds of waiting for lost segments.

        If later segments reveal the loss, it is one round trip (fast retransmit). If the last segment is lost, a probe
        must reveal it: two round trips and the delayed acknowledgement (RFC 8985).
        """
        if not self._link.loss:
            return 0.0
        segments = math.ceil(size / SEGMENT)
        lost = [number for number in range(segments) if self._random.random() < self._link.loss]
        if not lost:
            return 0.0
        return 2 * self._link.rtt_s + _DELAYED_ACK_S if lost[-1] == segments - 1 else self._link.rtt_s


def piece_size(rate_bps: float | None) -> int:
    """Return the bytes of one piece: 2 ms of the link, but from one segment to 64 KiB."""
    return 65_536 if rate_bps is None else max(SEGMENT, min(65_536, int(rate_bps / 8 * _PIECE_S)))
