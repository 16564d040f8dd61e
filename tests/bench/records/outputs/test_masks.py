"""Stored masks: unchanged after reading, and refused if they are damaged or too large."""

import tracemalloc
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.outputs.masks import (
    MAX_MASK_BYTES,
    Segmentation,
    StoredMask,
    check_segmentation,
    stored_mask,
    unpacked_mask,
)
from edge_bench.bench.tasks.segmentation.recorder import SegmentationRecorder


def record() -> Segmentation:
    recorder = SegmentationRecorder(4)
    for number in range(3):
        mask = np.full((6, 8), number, np.uint16)
        recorder.add(mask, np.minimum(mask + 1, 3).astype(np.uint16))
    return recorder.record()


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 2, 300, 65_536]), st.integers(0, 2**32))
def test_masks_are_unchanged(height: int, width: int, values: int, seed: int) -> None:
    mask = np.random.default_rng(seed).integers(0, values, (height, width)).astype(np.uint16)
    stored = msgspec.json.decode(msgspec.json.encode(stored_mask(mask)), type=StoredMask)
    assert np.array_equal(unpacked_mask(stored), mask)


def test_large_even_areas_take_little_room() -> None:
    mask = np.zeros((513, 513), np.uint16)
    mask[100:400, 200:300] = 15
    assert stored_mask(mask).encoded_bytes < 200


def test_a_record_can_be_read_again() -> None:
    again = msgspec.json.decode(msgspec.json.encode(record()), type=Segmentation)
    assert again == record()
    check_segmentation(again, 3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda m: replace(m, height=7),
        lambda m: replace(m, height=1 << 40, width=1 << 40),
        lambda m: replace(m, lengths=pack([47, 1])),
        lambda m: replace(m, lengths=pack(np.array([2**64 - 1, 49], np.uint64)), values=pack([1, 2])),
        lambda m: replace(m, lengths=pack(np.array([2**63, 2**63, 48], np.uint64)), values=pack([1, 2, 3])),
        lambda m: replace(m, values=pack([1 << 16])),
        lambda m: replace(m, lengths=msgspec.structs.replace(m.lengths, length=1 << 24)),
    ],
)
def test_damaged_masks_are_refused_without_allocating_their_claimed_size(
    damage: Callable[[StoredMask], StoredMask],
) -> None:
    bad = damage(stored_mask(np.zeros((6, 8), np.uint16)))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"."):
            unpacked_mask(bad)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def with_cells(**columns: list[int]) -> Segmentation:
    whole = record()
    assert whole.cells is not None
    return replace(whole, cells=replace(whole.cells, **{name: pack(values) for name, values in columns.items()}))


@pytest.mark.parametrize(
    "bad",
    [
        replace(record(), masks=[]),
        replace(record(), classes=70_000),
        with_cells(images=[0, 1]),
        with_cells(images=[0, 1, 3]),
        with_cells(images=[0, 2, 1]),
        with_cells(images=[0, 0, 1], truth=[1, 1, 2], predicted=[0, 0, 1]),
        with_cells(truth=[0, 1, 4]),
        with_cells(predicted=[0, 1, 5]),
        with_cells(pixels=[0, 48, 48]),
        with_cells(pixels=[1 << 60, 48, 48]),
    ],
)
def test_inconsistent_records_are_refused(bad: Segmentation) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_segmentation(bad, 3)


def test_masks_that_take_too_much_together_are_refused() -> None:
    large = stored_mask(np.zeros((4096, 4096), np.uint16))
    check_segmentation(Segmentation(classes=1, images=16, masks=[large] * 16), 16)
    with pytest.raises(ValueError, match="pixels"):
        check_segmentation(Segmentation(classes=1, images=17, masks=[large] * 17), 17)
    noise = stored_mask(np.random.default_rng(1).integers(0, 60_000, (1000, 1000)).astype(np.uint16))
    count = MAX_MASK_BYTES // noise.encoded_bytes + 1
    with pytest.raises(ValueError, match="bytes"):
        check_segmentation(Segmentation(classes=60_000, images=count, masks=[noise] * count), count)


def test_images_with_cells_of_a_later_image_only_are_valid() -> None:
    recorder = SegmentationRecorder(2)
    recorder.add(np.zeros((2, 2), np.uint16))
    recorder.add(np.zeros((2, 2), np.uint16), np.zeros((2, 2), np.uint16))
    check_segmentation(recorder.record(), 2)
