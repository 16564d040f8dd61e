"""Records on disk: they are read as they were written, and damaged ones are refused."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.record_codec import PackedArray, decode_record, encode_record, pack, unpack
from edge_bench.bench.records.manifest import History


@given(hnp.arrays(np.uint64, st.integers(0, 50), elements=st.integers(0, 2**64 - 1)))
def test_packed_integers_are_unpacked_unchanged(values: npt.NDArray[Any]) -> None:
    np.testing.assert_array_equal(unpack(pack(values)), values)


def test_ten_thousand_latencies_take_less_than_three_bytes_each() -> None:
    latencies = np.random.default_rng(0).gamma(5, 400, 10_000).astype(np.int64) + 90_000
    assert len(pack(latencies).data) < 30_000


@pytest.mark.parametrize("values", [np.array([-1]), np.zeros((2, 2), int), np.array([1.5])])
def test_negative_two_dimensional_and_float_values_cannot_be_packed(values: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it is the only error
        pack(values)


@pytest.mark.parametrize(
    "change",
    [
        {"length": 99},
        {"length": 2},
        {"length": -1},
        {"length": 10**12},
        {"data": "!"},
        {"data": ""},
        {"dtype": "object"},
    ],
)
def test_a_damaged_packed_array_is_refused(change: dict[str, object]) -> None:
    packed = pack(np.arange(10))
    with pytest.raises(ValueError):  # noqa: PT011 - it is the only error
        unpack(PackedArray(**(msgspec.structs.asdict(packed) | change)))


def read(path: Path) -> History:
    return decode_record(path, History, BundleError, "do this")


def test_a_record_is_read_unchanged_and_unknown_fields_are_ignored(tmp_path: Path) -> None:
    history = History(loss=[1.0, 0.5], accuracy=[0.5, 0.75])
    path = tmp_path / "history.json"
    path.write_bytes(encode_record(history))
    assert read(path) == history
    path.write_bytes(encode_record(history).replace(b"{", b'{"from the future": {"a": 1},', 1))
    assert read(path) == history


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[1, 2]",
        b'{"schema_version": "1.0", "loss": "high"}',
        b'{"schema_version": "one"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_record_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(content)
    with pytest.raises(BundleError) as caught:
        read(path)
    assert str(path) in caught.value.problem
    assert caught.value.remedy == "do this"


@pytest.mark.parametrize("version", ["3.0", "0.9"])
def test_a_record_of_an_unsupported_version_is_refused_with_another_remedy(tmp_path: Path, version: str) -> None:
    path = tmp_path / "history.json"
    path.write_text(f'{{"schema_version": "{version}"}}')
    with pytest.raises(BundleError) as caught:
        read(path)
    assert str(path) in caught.value.problem
    assert version in caught.value.problem
    assert caught.value.remedy not in ("", "do this")
