"""Notes on the peaks of a profile."""

import msgspec
import pytest

from edge_bench.app.tables.profiles.peaks import peak_notes
from edge_bench.bench.records.profile import Profile
from tests.made.profiles import FLOAT32, PEAKS, operator_time, profile


def with_peaks(made: Profile, **changes: object) -> Profile:
    return msgspec.structs.replace(made, peaks=msgspec.structs.replace(PEAKS, **changes))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (with_peaks(FLOAT32), "caches, as all data of the model fits in the last cache (32.0 MiB)"),
        (
            with_peaks(FLOAT32, cache_bytes=100 << 10),
            "memory, as all data of the model may not fit in the last cache (100 KiB)",
        ),
        (with_peaks(FLOAT32, cache_bytes=None), "memory, as the size of the last cache is unknown"),
        (with_peaks(FLOAT32, cached_bytes_per_second=None), "memory, as the peak of the caches is unknown"),
        (
            profile(operator_time(0, "X", 1, bytes_moved=None), operator_time(1, "X", 1), invocation=2, peaks=PEAKS),
            "memory, as the bytes of 1 of 2 operators are unknown",
        ),
    ],
)
def test_a_note_says_which_roof_limits_data_and_why(made: Profile, reason: str) -> None:
    assert peak_notes(made)[1].endswith(reason)
