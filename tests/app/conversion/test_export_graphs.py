"""`export` of models with several inputs and outputs: every file gives the Keras model's outputs, by name."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.app.conversion.graph_files import graph_file, quantization
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.outputs.decoding import ScoreDecoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.tensors import unpack_values
from tests.bundles import cached_drawings
from tests.command_line import CommandLine, Refuses
from tests.made.graph.drawings import KINDS, DrawnFiles
from tests.made.keras import embedding_keras, saved_model_of_signatures

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("convert_here")]

Arrays = dict[str, npt.NDArray[Any]]
ALL_VARIANTS = ["keras", "float32", "float16", "dynamic", "int8"]
RUNTIMES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
#: Largest difference from the Keras model. Of int8, about two steps of a range of 1, as a layer rounds twice.
TOLERANCES = {"float32": 1e-5, "float16": 5e-3, "dynamic": 0.05, "int8": 0.1}


PLAIN_LOOP = """
import sys, importlib
import numpy as np
module, model, inputs, outputs = sys.argv[1:]
given = dict(np.load(inputs))
runner = importlib.import_module(module).Interpreter(model).get_signature_runner()
count = len(next(iter(given.values())))
rows = [runner(**{name: each[row:row + 1] for name, each in given.items()}) for row in range(count)]
np.savez(outputs, **{name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
"""


def plain_loop(runtime: str, path: Path, inputs: Arrays, folder: Path) -> Arrays:
    """Return the outputs of a file's only signature, by name, for examples that are given one at a time.

    Each runtime has a process of its own, as the libraries of two of them disturb each other in one.
    """
    np.savez(folder / "in.npz", **inputs)
    command = [
        sys.executable,
        "-c",
        PLAIN_LOOP,
        RUNTIMES[runtime],
        str(path),
        *map(str, (folder / "in.npz", folder / "out.npz")),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return dict(np.load(folder / "out.npz"))


def keras_outputs(path: Path, inputs: Arrays) -> Arrays:
    import keras

    model = keras.models.load_model(path, compile=False)
    outputs = model([inputs[each.name] for each in model.inputs], training=False)
    return dict(zip(model.output_names, (np.asarray(each) for each in outputs), strict=True))


@pytest.fixture(scope="module")
def exported() -> Bundle:
    """The drawings' model in all variants, for its output ``value``."""
    return Bundle.open(cached_drawings()[1])


def test_the_trained_model_has_learnt_all_three_outputs(drawn: DrawnFiles) -> None:
    tests = dict(np.load(drawn.tests))
    outputs = keras_outputs(drawn.model, {name: tests[name] for name in ("image", "number")})
    kinds, truth = outputs["class"].argmax(axis=1), tests["class"].argmax(axis=1)
    assert np.mean(kinds == truth) > 2 / len(KINDS)
    for name in ("value", "box"):
        error, spread = np.abs(outputs[name] - tests[name]).mean(), tests[name].std()
        assert error < spread / 2


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_variant_gives_the_outputs_of_the_keras_model_by_name(
    runtime: str, exported: Bundle, drawn: DrawnFiles, tmp_path: Path
) -> None:
    inputs = {name: np.load(path) for name, path in exported.test_inputs().items()}
    expected = keras_outputs(drawn.model, inputs)
    assert list(expected) == ["class", "value", "box"]
    assert [each.name for each in exported.variants] == ALL_VARIANTS
    for variant in exported.variants[1:]:
        outputs = plain_loop(runtime, exported.checked(variant), inputs, tmp_path)
        assert outputs.keys() == expected.keys()
        for name, values in outputs.items():
            assert values.dtype == np.float32
            difference = float(np.abs(values - expected[name]).max())
            assert difference <= TOLERANCES[variant.name], (variant.name, name)


def test_a_bundle_has_inputs_by_name_task_decodings_and_true_values(exported: Bundle, drawn: DrawnFiles) -> None:
    manifest, tests = exported.manifest, dict(np.load(drawn.tests))
    assert (manifest.task, manifest.split.test, manifest.test_images) == ("regress", 100, None)
    for name, path in exported.test_inputs().items():
        assert np.array_equal(np.load(path), tests[name])
    truth = exported.truth()
    assert isinstance(truth, ValueTruth)
    assert np.array_equal(unpack_values(truth.values), tests["value"].ravel())
    assert manifest.decodings == {name: ScoreDecoding(output=1) for name in ALL_VARIANTS}
    for variant in exported.variants:
        assert [each.name for each in variant.all_inputs] == ["image", "number"]
        assert [each.name for each in variant.all_outputs] == ["class", "value", "box"]
        assert {each.dtype for each in variant.all_inputs + variant.all_outputs} == {"float32"}
    assert "image number" in str(manifest.hyper_parameters["int8"])


@pytest.mark.nightly
def test_true_flags_of_one_output_and_a_limit(edge_bench_here: CommandLine, drawn: DrawnFiles, tmp_path: Path) -> None:
    done = edge_bench_here(
        "export", drawn.model, "--bundle", "b", "--data", drawn.tests, "--labels", drawn.tests,
        "--task", "multilabel", "--output", "class", "--limit", 10,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "b")
    truth, inputs = bundle.truth(), bundle.test_inputs()
    assert isinstance(truth, FlagTruth)
    tests = dict(np.load(drawn.tests))
    images = np.load(inputs["image"])
    rows = [int(np.flatnonzero((tests["image"] == image).all(axis=(1, 2, 3)))[0]) for image in images]
    assert len(set(rows)) == 10
    assert np.array_equal(unpack(truth.flags).reshape(10, 4), tests["class"][rows])
    assert [each.name for each in bundle.variants] == ALL_VARIANTS[:-1]  # nothing calibrates int8


def test_random_inputs_are_seeded_and_need_a_range_for_tokens(
    edge_bench_here: CommandLine, refuses: Refuses, tmp_path: Path
) -> None:
    embedding_keras().save(tmp_path / "m.keras")
    refused = refuses("export", "m.keras", "--bundle", "b")
    assert "--range tokens=" in refused.remedy
    done = edge_bench_here("export", "m.keras", "--bundle", "b", "--range", "tokens=0..49", "--limit", 5, "--seed", 3)
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "b")
    assert bundle.manifest.dataset.note
    tokens = np.load(bundle.test_inputs()["tokens"])
    assert tokens.shape == (5, 6)
    assert 0 <= tokens.min() <= tokens.max() <= 49


def test_int8_keeps_integer_inputs_and_calibrates_each_input_by_name(
    edge_bench_here: CommandLine, tmp_path: Path
) -> None:
    """Inputs of the same shape, in another order than in the file, have ranges of 1 and 1,000."""
    embedding_keras().save(tmp_path / "m.keras")
    draw = np.random.default_rng(0)
    inputs: Arrays = {
        "tokens": draw.integers(0, 50, (40, 6)).astype(np.int32),
        "small": draw.random((40, 3)).astype(np.float32),
        "large": draw.random((40, 3)).astype(np.float32) * 1000,
    }
    np.savez(tmp_path / "x.npz", **inputs)
    done = edge_bench_here("export", "m.keras", "--bundle", "b", "--data", "x.npz", "--calibration", "x.npz")
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "b")
    assert bundle.manifest.task == "tensor"
    assert set(bundle.manifest.decodings.values()) == {TensorDecoding()}
    int8 = bundle.variant("int8")
    assert {each.name: each.dtype for each in int8.all_inputs} == {
        "tokens": "int32", "large": "float32", "small": "float32",
    }  # fmt: skip
    content = bundle.checked(int8).read_bytes()
    found = quantization(graph_file(content, "m", int8))
    assert sorted(found.quantized["inputs"]) == ["large", "small"]
    assert found.others["inputs"] == ["tokens (int32)"]
    file = read_tflite(bundle.checked(int8))
    numbers = {tensor.number: name for name, tensor in file.signatures[0].inputs}
    scales = {
        numbers[node.inputs[0]]: file.tensors[node.outputs[0]].scale
        for node in file.nodes
        if node.name == "QUANTIZE" and node.inputs[0] in numbers
    }
    assert scales["small"] == pytest.approx(1 / 255, rel=0.1)
    assert scales["large"] == pytest.approx(1000 / 255, rel=0.1)
    expected = plain_loop("litert", bundle.checked(bundle.variant("float32")), inputs, tmp_path)
    for name, values in plain_loop("litert", bundle.checked(int8), inputs, tmp_path).items():
        assert np.abs(values - expected[name]).max() <= 0.05 * np.ptp(expected[name])


def test_a_signature_of_a_saved_model_is_chosen_and_keeps_its_names(
    edge_bench_here: CommandLine, refuses: Refuses, tmp_path: Path
) -> None:
    saved_model_of_signatures(tmp_path / "saved")
    several = refuses("export", "saved", "--bundle", "b")
    assert "--signature" in several.remedy
    unknown = refuses("export", "saved", "--bundle", "b", "--signature", "none")
    assert "affine" in unknown.remedy
    text = refuses("export", "saved", "--bundle", "b", "--signature", "length")
    assert "text" in text.problem
    lacking = refuses("export", "saved", "--bundle", "b", "--signature", "lacking", kind=EdgeBenchError)
    assert "tf.Betainc" in lacking.problem
    assert not (tmp_path / "b" / "manifest.json").exists()
    done = edge_bench_here("export", "saved", "--bundle", "b", "--signature", "affine", "--range", "shift=0..5")
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "b")
    assert [each.name for each in bundle.variants] == ALL_VARIANTS[1:]
    inputs: Arrays = {name: np.load(path) for name, path in bundle.test_inputs().items()}
    outputs = plain_loop("litert", bundle.checked(bundle.variant("float32")), inputs, tmp_path)
    assert np.allclose(outputs["doubled"], inputs["x"] * 2)
    assert np.array_equal(outputs["shifted"], inputs["shift"] + 1)


def test_data_that_does_not_fit_and_options_of_images_are_refused(
    refuses: Refuses, drawn: DrawnFiles, tmp_path: Path
) -> None:
    np.savez(tmp_path / "lacking.npz", image=np.load(drawn.tests)["image"])
    for arguments, mention in (
        (("--data", "lacking.npz"), "number"),
        (("--data", drawn.tests, "--task", "regress"), "--output"),
        (("--data", drawn.tests, "--task", "classify"), "2 inputs"),
        (("--data", drawn.tests, "--preprocess", "unit"), "--preprocess"),
    ):
        refused = refuses("export", drawn.model, "--bundle", "b", *arguments, kind=BadInput)
        assert mention in f"{refused.problem} {refused.remedy}"
    assert not (tmp_path / "b" / "manifest.json").exists()
