"""Packed arrays that claim more values than their data has or than a Run may have, and too many configurations."""

import json
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.record_codec import PackedArray, encode_record, unpack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import MAX_CONFIGURATIONS
from edge_bench.bench.records.run_files import read_run
from tests.command_line import Refuses
from tests.factories import result, run
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


def test_a_run_of_too_many_configurations_is_refused(tmp_path: Path) -> None:
    results = [msgspec.structs.replace(result("v", "litert", 1.0), trials=[], predictions=None)]
    (tmp_path / "run-1.json").write_bytes(msgspec.json.encode(run(*results * (MAX_CONFIGURATIONS + 1))))
    with pytest.raises(ResultsError) as caught:
        read_run(tmp_path / "run-1.json")
    assert "results" in caught.value.problem
    assert "1000" in caught.value.problem


def test_a_selection_of_too_many_configurations_is_refused_before_anything_is_measured(
    refuses: Refuses, digits_bundle: Bundle
) -> None:
    threads = ",".join(map(str, range(1, MAX_CONFIGURATIONS + 2)))
    error = refuses("run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--threads", threads)
    assert isinstance(error, BadInput)
    assert "1,001" in error.problem
