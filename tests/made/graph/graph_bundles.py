"""Bundles of a tiny model with two inputs and three outputs."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import sha256_of, write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import (
    DatasetInfo,
    File,
    Manifest,
    ModelInfo,
    Preprocessing,
    Split,
    TensorSpec,
    Variant,
)
from tests.made.graph.graphs import mixed_tflite

__all__ = ["MIXED_OUTPUTS", "mixed_bundle", "mixed_inputs", "mixed_results"]

#: Outputs of `mixed_tflite` and their types.
MIXED_OUTPUTS = {"sums": "float32", "above": "bool", "floats": "float32"}
Arrays = dict[str, npt.NDArray[Any]]


def mixed_inputs(count: int, seed: int = 0) -> Arrays:
    """Return seeded examples of `mixed_tflite`: values [count, 3] float32 and ids [count, 2] int64."""
    draw = np.random.default_rng(seed)
    return {
        "values": draw.normal(1, 1, (count, 3)).astype(np.float32),
        "ids": draw.integers(-(1 << 40), 1 << 40, (count, 2)),
    }


def mixed_results(model: Path, inputs: Arrays) -> Arrays:
    """Return what a plain interpreter gives for each example, by the names of the signature."""
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(model)).get_signature_runner("serving_default")
    rows = [run(**{name: each[at : at + 1] for name, each in inputs.items()}) for at in range(len(inputs["ids"]))]
    return {name: np.concatenate([row[name] for row in rows]) for name in MIXED_OUTPUTS}


def mixed_bundle(folder: Path, examples: int = 12, *, open_batch: bool = True) -> Bundle:
    """Write a bundle whose variant ``dynamic`` is `mixed_tflite`."""
    (folder / "variants").mkdir(parents=True)
    (folder / "test").mkdir()
    mixed_tflite(folder / "variants/dynamic.tflite", open_batch=open_batch, signature="serving_default")
    inputs = mixed_inputs(examples)
    for name, values in inputs.items():
        np.save(folder / f"test/{name}.npy", values)
    rows = -1 if open_batch else 1
    specs = [
        TensorSpec(name="values", dtype="float32", shape=[rows, 3]),
        TensorSpec(name="ids", dtype="int64", shape=[rows, 2]),
    ]
    outputs = [
        TensorSpec(name=name, dtype=dtype, shape=[rows, 2 if name == "floats" else 3])
        for name, dtype in MIXED_OUTPUTS.items()
    ]
    variant = Variant(
        name="dynamic", precision="float32", input=specs[0], output=outputs[0], inputs=specs, outputs=outputs,
        signature="serving_default", **_entry(folder, "variants/dynamic.tflite"),
    )  # fmt: skip
    manifest = Manifest(
        created="2026-01-01T00:00:00+00:00",
        dataset=DatasetInfo(name="numbers", sha256="0" * 64, classes=[]),
        split=Split(train=0, validation=0, test=examples),
        seed=1,
        model=ModelInfo(name="mixed", parameters=1),
        hyper_parameters={},
        preprocessing=Preprocessing(scale=1.0, offset=0.0),
        versions={},
        variants=[variant],
        task="tensor",
        test_inputs={name: File(**_entry(folder, f"test/{name}.npy")) for name in inputs},
    )
    write_atomically(folder / MANIFEST, encode_record(manifest))
    return Bundle.open(folder)


def _entry(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    return {"file": name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
