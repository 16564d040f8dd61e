"""True values of an exported model's output, and which output they are of."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.app.conversion.graphs.true_values import decoding_of, true_values
from edge_bench.app.conversion.tensorflow_output import why_not_converted
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.decoding import ScoreDecoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.tensors import unpack_values

OUTPUTS = [
    TensorSpec(dtype="float32", shape=[-1, 4], name="class"),
    TensorSpec(dtype="float32", shape=[-1, 1], name="value"),
]
CLASS, VALUE = OUTPUTS
ROWS = np.array([2, 0])


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("task", "name", "decoding"),
    [
        ("tensor", None, TensorDecoding()),
        ("regress", "class", ScoreDecoding(output=0)),
        ("regress", "value", ScoreDecoding(output=1)),
        ("binary", "value", ScoreDecoding(output=1)),
        ("multilabel", "class", ScoreDecoding(output=0)),
    ],
)
def test_the_output_that_is_named_is_read(task: str, name: str | None, decoding: object) -> None:
    assert decoding_of(task, OUTPUTS, name) == decoding


def test_the_only_output_needs_no_name() -> None:
    assert decoding_of("regress", [CLASS], None) == ScoreDecoding(output=0)


@pytest.mark.parametrize(
    ("task", "name"),
    [("regress", None), ("regress", "box"), ("tensor", "value"), ("binary", "class"), ("multilabel", "value")],
)
def test_an_output_that_is_unknown_or_does_not_fit_the_task_is_refused(task: str, name: str | None) -> None:
    with pytest.raises(BadInput):
        decoding_of(task, OUTPUTS, name)


def test_true_values_are_of_the_drawn_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "y.npz", value=np.array([1, 2, 3]), other=np.zeros(1))
    truth = true_values("regress", VALUE, tmp_path / "y.npz", ROWS, 3, None)
    assert isinstance(truth, ValueTruth)
    assert unpack_values(truth.values).tolist() == [3.0, 1.0]


def test_true_flags_keep_the_threshold(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.eye(4)[[0, 1, 3]])
    truth = true_values("multilabel", CLASS, tmp_path / "y.npy", ROWS, 3, 0.3)
    assert isinstance(truth, FlagTruth)
    assert (truth.columns, truth.threshold) == (4, 0.3)
    assert unpack(truth.flags).tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("task", "arrays"),
    [
        ("regress", {"value": np.zeros(2)}),
        ("regress", {"value": np.zeros((3, 2))}),
        ("regress", {"value": np.array([1, 2, np.nan])}),
        ("regress", {"value": np.array(["a", "b", "c"])}),
        ("regress", {"value": np.float32(1)}),
        ("regress", {"a": np.zeros(3), "b": np.zeros(3)}),
        ("regress", {}),
        ("binary", {"value": np.array([0, 1, 2])}),
    ],
)
def test_true_values_that_do_not_fit_are_refused(
    tmp_path: Path, task: str, arrays: dict[str, npt.NDArray[Any]]
) -> None:
    np.savez(tmp_path / "y.npz", **arrays)
    with pytest.raises(DatasetError):
        true_values(task, VALUE, tmp_path / "y.npz", ROWS, 3, None)


def test_files_that_are_no_arrays_are_refused(tmp_path: Path) -> None:
    (tmp_path / "y.npz").write_bytes(b"no archive")
    (tmp_path / "y.npy").write_bytes(b"no array")
    for name in ("y.npz", "y.npy", "missing.npy", "missing.npz"):
        with pytest.raises(DatasetError) as caught:
            true_values("regress", VALUE, tmp_path / name, ROWS, 3, None)
        assert name in caught.value.problem


def test_the_reason_of_a_failed_conversion_is_the_missing_operators_or_the_first_line() -> None:
    message = (
        "loc: 'tf.Svd' op is neither a custom op nor a flex op\n'tf.Lgamma' op is neither a custom op nor a flex op"
    )
    assert why_not_converted(message).endswith("tf.Svd, tf.Lgamma")
    assert why_not_converted("Some ops\nFlex ops: A, B\n").endswith("tf.A, tf.B")
    assert why_not_converted("\n\n  first  \nsecond") == "first"
    assert why_not_converted("") == ""
