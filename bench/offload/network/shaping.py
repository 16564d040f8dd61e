"""When a link delivers what it was given: delay, bandwidth, jitter and loss of one direction, as pure arithmetic.

What is modelled is a warm TCP connection whose window is open: slow start, which a large transfer after a pause would
meet on a real path of long delay, is not. Bandwidth is of payload, headers not counted.
"""

import math
import random

from edge_bench.bench.offload.network.link import Link

__all__ = ["SEGMENT", "Direction", "piece_size"]

#: Payload bytes of a full Ethernet frame: 1,500 less 20 of IPv4, 20 of TCP and 12 of its timestamps.
SEGMENT = 1448
#: Linux' least retransmission time-out, which RFC 8985 (RACK-TLP, section 7.2) adds to the probe's wait where a single
#: segment is in flight, because its acknowledgement may be delayed.
_DELAYED_ACK_S = 0.2
#: Pieces of this duration keep a long message flowing through both links of a path at once.
_PIECE_S = 0.002


class Direction:
    """One way of a link. Times are seconds of any one monotonic clock."""

    def __init__(self, link: Link, rate_bps: float | None, seed: int) -> None:
        self._link, self._rate = link, rate_bps
        self._random = random.Random(seed)  # noqa: S311 - jitter needs no secrecy
        self._free = self._last = 0.0

    def deliver_at(self, now: float, size: int) -> float:
        """When the last of ``size`` bytes that are handed over ``now`` has arrived; never before what came earlier.

        The sender's end of the link is free again once they are on it: size × 8 / bandwidth. They arrive half a round
        trip later. Jitter is normal, with the variance of a round trip split over both ways, and never negative.
        """
        start = max(now, self._free)
        self._free = start + (size * 8 / self._rate if self._rate else 0.0)
        arrival = self._free + self._link.rtt_s / 2 + self._jitter() + self._resent(size)
        # a nanosecond apart, so that timers due together still fire in order
        self._last = max(arrival, self._last + 1e-9)
        return self._last

    def _jitter(self) -> float:
        if not self._link.jitter_s:
            return 0.0
        delay = self._random.gauss(0.0, self._link.jitter_s / math.sqrt(2))
        return max(delay, -self._link.rtt_s / 2)

    def _resent(self, size: int) -> float:
        """What waiting for lost segments costs.

        A round trip where later ones tell of the loss (fast retransmit); two and the delayed acknowledgement's time
        where the last of a message is lost and a probe has to (RFC 8985).
        """
        if not self._link.loss:
            return 0.0
        segments = math.ceil(size / SEGMENT)
        lost = [number for number in range(segments) if self._random.random() < self._link.loss]
        if not lost:
            return 0.0
        return 2 * self._link.rtt_s + _DELAYED_ACK_S if lost[-1] == segments - 1 else self._link.rtt_s


def piece_size(rate_bps: float | None) -> int:
    """Bytes that are handed over at a time: 2 ms of the link, at least a segment, at most 64 KiB."""
    return 65_536 if rate_bps is None else max(SEGMENT, min(65_536, int(rate_bps / 8 * _PIECE_S)))
