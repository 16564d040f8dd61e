"""Links by name or by figures, and their delays."""

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.offload.network.link_profiles import PROFILES, SWEEP, Link, link_from, links_from
from edge_bench.bench.offload.network.shaping import SEGMENT, Direction, piece_size


def test_a_link_is_parsed_from_its_figures_and_written_the_same() -> None:
    link = link_from("rtt=20ms,up=10Mbit,down=40Mbit,jitter=5ms,loss=0.1%")
    assert (link.rtt_s, link.up_bps, link.down_bps) == (0.02, 10e6, 40e6)
    assert link.jitter_s == 0.005
    assert link.loss == pytest.approx(0.001)
    assert link_from(link.figures) == link


def test_one_rate_applies_in_both_directions() -> None:
    link = link_from("rtt=1ms,rate=2.5Mbit/s")
    assert link.up_bps == link.down_bps == 2.5e6
    assert link.name == "rtt=1ms,rate=2.5Mbit"


def test_every_named_link_has_a_source_and_can_be_changed() -> None:
    assert {"ethernet", "wifi", "lte", "5g"} <= PROFILES.keys()
    assert all(link.source for link in PROFILES.values())
    altered = link_from("lte,rtt=40ms")
    assert (altered.rtt_s, altered.up_bps) == (0.04, PROFILES["lte"].up_bps)
    assert altered.name != "lte"


def test_a_sweep_is_added_and_duplicates_are_removed() -> None:
    links = links_from(["lte", "lte"], sweep=True)
    assert [link.name for link in links] == ["lte", *(link.name for link in SWEEP)]


@pytest.mark.parametrize(
    "text", ["", "isdn", "rtt=20", "rtt=-1ms", "up=fast", "lte,colour=red", "loss=60%", "rtt=1ms,up=0Mbit", "rtt"]
)
def test_an_invalid_link_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        link_from(text)
    assert "--link" in refused.value.problem + refused.value.remedy


def test_bytes_arrive_after_half_a_round_trip_and_their_time_on_the_link() -> None:
    direction = Direction(Link(name="", rtt_s=0.02), 8e6, seed=1)
    assert direction.deliver_at(100.0, 1000) == pytest.approx(100.0 + 0.001 + 0.010)
    # sent at the same time, the second waits for the first
    assert direction.deliver_at(100.0, 1000) == pytest.approx(100.0 + 0.002 + 0.010)
    # an idle link sends at once
    assert direction.deliver_at(200.0, 1000) == pytest.approx(200.0 + 0.001 + 0.010)


def test_jitter_spreads_but_never_reorders_and_never_goes_back_in_time() -> None:
    direction = Direction(Link(name="", rtt_s=0.010, jitter_s=0.005), None, seed=1)
    sent = [float(second) for second in range(2000)]
    delays = [direction.deliver_at(now, 100) - now for now in sent]
    mean = sum(delays) / len(delays)
    deviation = (sum((delay - mean) ** 2 for delay in delays) / len(delays)) ** 0.5
    assert mean == pytest.approx(0.005, abs=0.0005)
    assert deviation == pytest.approx(0.005 / 2**0.5, rel=0.15)  # the round trip's variance is that of both ways
    assert min(delays) >= 0
    close = [direction.deliver_at(3000.0 + number * 1e-6, 100) for number in range(500)]
    assert close == sorted(close)


def test_lost_data_arrives_after_a_retransmission() -> None:
    link = Link(name="", rtt_s=0.1, loss=0.1)
    direction = Direction(link, None, seed=1)
    delays = [direction.deliver_at(10.0 * number, SEGMENT) - 10.0 * number for number in range(3000)]
    # the loss of a single segment is detected by a probe: two round trips and the time of a delayed acknowledgement
    late = [delay for delay in delays if delay > 0.06]
    assert len(late) / len(delays) == pytest.approx(0.1, abs=0.02)
    assert {round(delay, 6) for delay in late} == {round(0.05 + 2 * 0.1 + 0.2, 6)}


def test_pieces_are_of_two_milliseconds_and_at_least_a_segment() -> None:
    assert piece_size(1e6) == SEGMENT
    assert piece_size(100e6) == 25_000
    assert piece_size(None) == 65_536
