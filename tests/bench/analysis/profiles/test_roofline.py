"""What limits an operator, and how close it is to that limit."""

import msgspec
import pytest

from edge_bench.bench.analysis.profiles.roofline import Bound, in_cache, placements
from edge_bench.bench.records.profile import Peaks, Profile
from tests.made.profiles import FLOAT32, PEAKS, operator_time, profile


def with_peaks(made: Profile, **changes: object) -> Profile:
    return msgspec.structs.replace(made, peaks=msgspec.structs.replace(PEAKS, **changes))


def test_an_operator_is_limited_by_the_lower_of_computing_and_moving_data() -> None:
    operators = [
        operator_time(0, "CONV_2D", 100, macs=4_000_000, bytes_moved=100_000),  # 40 MACs per byte, 40 GMAC/s
        operator_time(
            1, "FULLY_CONNECTED", 100, macs=1_000_000, bytes_moved=2_000_000
        ),  # 0.5, below the ridge of 0.625
        operator_time(2, "ADD", 100, macs=0, bytes_moved=800_000),  # 8 GB/s
        operator_time(3, "CUSTOM", 100, macs=None),
        operator_time(4, "CONV_2D", 100, macs=1_000, precision="float16"),  # no peak
        operator_time(5, "CONV_2D", 100, macs=1_000, bytes_moved=None),
    ]
    found = placements(profile(*operators[:5], invocation=500, peaks=PEAKS))
    assert [each.bound for each in found] == [Bound.COMPUTE, Bound.MEMORY, Bound.MEMORY, None, None]
    assert [each.roof_share for each in found[:3]] == pytest.approx([40 / 50, 10 / 40, 8 / 80])
    assert [each.roof_share for each in found[3:]] == [None, None]
    # with unknown bytes, the data may not fit in the cache, so that memory is the roof
    found = placements(profile(*operators, invocation=600, peaks=PEAKS))
    assert [each.roof_share for each in found[:3]] == pytest.approx([40 / 50, 10 / 10, 8 / 20])
    assert found[5].bound is None


def test_data_that_does_not_fit_in_the_last_cache_comes_from_memory() -> None:
    whole = sum(each.bytes_moved or 0 for each in FLOAT32.operators)
    assert in_cache(with_peaks(FLOAT32, cache_bytes=whole))
    for changes in ({"cache_bytes": whole - 1}, {"cache_bytes": None}, {"cached_bytes_per_second": None}):
        assert not in_cache(with_peaks(FLOAT32, **changes))
    cached, memory = (placements(with_peaks(FLOAT32, cache_bytes=size)) for size in (whole, 1))
    pool = 1
    assert memory[pool].roof_share == pytest.approx(4 * (cached[pool].roof_share or 0))


def test_without_peaks_nothing_is_known_and_unresolved_times_have_no_rate() -> None:
    for peaks in (None, Peaks(threads=1)):
        found = placements(msgspec.structs.replace(FLOAT32, peaks=peaks))
        assert {(each.bound, each.roof_share) for each in found} == {(None, None)}
    coarse = placements(msgspec.structs.replace(FLOAT32, resolution_seconds=50e-6))
    assert [each.bound is None for each in coarse] == [False, True, False, True, True]
