"""Packed arrays that claim more values than their data has, or than a Run may have."""

import json
import tracemalloc
from pathlib import Path

import pytest

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.record_codec import PackedArray, encode_record, unpack
from edge_bench.bench.records.run_files import read_run
from tests.fuzz import seeds


def test_arrays_that_claim_too_many_values_together_are_refused_without_unpacking_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each array may have 2**24 values, and all together 2**27. These are eight of them, and one more value."""
    whole = json.loads(encode_record(seeds.runs()[0]))
    result, unpacked = whole["results"][0], list[int]()
    claimed = {"dtype": "uint8", "length": 1 << 24, "data": "eJw="}
    whole["results"] = [result | {"trials": [], "in_top_5": claimed} for _ in range(8)]
    path = tmp_path / "run-x.json"

    def count(array: PackedArray) -> None:
        unpacked.append(array.length)
        raise ValueError("unpacked")

    monkeypatch.setattr("edge_bench.bench.records.run_validation.unpack", count)
    counts = sum(whole["images"][name]["length"] for name in ("indices", "labels") if whole["images"].get(name))
    others = counts + sum(each["predictions"]["length"] for each in whole["results"] if each.get("predictions"))
    assert others > 0  # they exceed the limit
    path.write_text(json.dumps(whole))
    assert path.stat().st_size < 50_000
    tracemalloc.start()
    try:
        with pytest.raises(ResultsError) as caught:
            read_run(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert "134,217,728" in caught.value.problem
    assert not unpacked
    whole["results"] = whole["results"][:7]
    path.write_text(json.dumps(whole))
    with pytest.raises(ResultsError):
        read_run(path)
    assert unpacked  # these are few enough, and each is checked by itself


def test_an_array_of_a_few_bytes_that_claims_millions_of_values_is_refused_without_allocating_them() -> None:
    for data in ("", "eJw=", "eJwDAAAAAAE="):  # nothing, a cut stream, an empty one
        array = PackedArray(dtype="uint64", length=1 << 24, data=data)
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match="packed array"):
                unpack(array)
            assert tracemalloc.get_traced_memory()[1] < 100_000
        finally:
            tracemalloc.stop()
