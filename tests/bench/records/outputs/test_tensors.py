"""Stored outputs: refused if they are damaged."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.tensors import (
    OutputRecord,
    PackedValues,
    check_output,
    pack_values,
    unpack_values,
)
from edge_bench.bench.tasks.tensors.recorder import Output, TensorRecorder


def record() -> OutputRecord:
    recorder = TensorRecorder([Output("a", TensorSpec(dtype="float32", shape=[1, 2, 2]))])
    for number in range(3):
        recorder.add([np.full((2, 2), number, np.float32)])
    return recorder.records()[0]


def test_a_record_can_be_read_again() -> None:
    again = msgspec.json.decode(msgspec.json.encode(record()), type=OutputRecord)
    assert again == record()
    check_output(again, 3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda r: replace(r, checksums=pack([1, 2])),
        lambda r: replace(r, checksums=pack(np.array([1, 2, 1 << 33]))),
        lambda r: replace(r, shape_numbers=pack([0, 0, 0, 0])),
        lambda r: replace(r, shape_numbers=pack([0, 0, 1])),
        lambda r: replace(r, shapes=[[2, 3]]),
        lambda r: replace(r, shapes=[[1 << 62, 1 << 62]]),
        lambda r: replace(r, most_values=3),
        lambda r: replace(r, values=pack_values(np.zeros(12))),
        lambda r: replace(r, values=pack_values(np.zeros(11, np.float32))),
        lambda r: replace(r, spec=TensorSpec(dtype="object", shape=[1])),
        lambda r: replace(r, spec=TensorSpec(dtype="float32", shape=[1], scale=float("inf"))),
    ],
)
def test_inconsistent_records_are_refused(damage: Callable[[OutputRecord], OutputRecord]) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_output(damage(record()), 3)


@pytest.mark.parametrize(
    "packed",
    [
        PackedValues("object", pack([1])),
        PackedValues("float32; import os", pack([1])),
        PackedValues("complex64", pack([1])),
        PackedValues("float16", pack([1 << 20])),
        PackedValues("bool", pack([2])),
    ],
)
def test_values_of_other_types_are_refused(packed: PackedValues) -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack_values(packed)


def test_only_numbers_are_packed() -> None:
    for values in (np.array(["a"]), np.zeros((2, 2)), np.array([1j])):
        with pytest.raises(ValueError, match="packed"):
            pack_values(values)
    assert unpack_values(pack_values(np.array([1.5, -0.0], ">f4"))).tolist() == [1.5, 0.0]
