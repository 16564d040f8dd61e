"""What releases are known to have, and so what they cannot load."""

import importlib.metadata
import itertools
from pathlib import Path

import pytest

from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.models.operator_support import known_refusal, known_releases, unsupported
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import Operator

DENSE_12 = [Operator(name="CONV_2D", version=3, count=1), Operator(name="FULLY_CONNECTED", version=12, count=2)]


def test_the_papers_failure_is_known_beforehand_with_its_remedy() -> None:
    refusal = known_refusal(DENSE_12, "tflite-runtime", "2.14.0")
    assert refusal is not None
    assert "FULLY_CONNECTED version 12" in refusal.problem
    assert "tflite-runtime 2.14.0" in refusal.problem
    assert "litert" in refusal.remedy
    assert "per-tensor" in refusal.remedy


def test_litert_has_it_and_unknown_releases_are_left_to_the_trial() -> None:
    newest = [release for release in known_releases() if release.runtime == "litert"][-1]
    assert known_refusal(DENSE_12, "litert", newest.version) is None
    assert known_refusal(DENSE_12, "tflite-runtime", "99.0") is None
    assert known_refusal([Operator(name="CUSTOM Mine", version=1, count=1)], "tflite-runtime", "2.14.0") is None


def test_operators_are_never_lost_from_release_to_release() -> None:
    for runtime in ("tflite-runtime", "litert"):
        releases = [release for release in known_releases() if release.runtime == runtime]
        assert releases
        for older, newer in itertools.pairwise(releases):
            asked = [Operator(name=name, version=top, count=1) for name, top in older.operators.items()]
            assert unsupported(asked, newer) == [], f"{newer.version} lacks what {older.version} has"


@pytest.mark.parametrize(
    ("runtime", "distribution"), [("tflite-runtime", "tflite-runtime"), ("litert", "ai-edge-litert")]
)
def test_what_is_known_is_what_the_installed_release_does(
    digits_bundle: Bundle, tmp_path: Path, runtime: str, distribution: str
) -> None:
    """The table says yes to what loads, and no to what the library itself refuses."""
    from edge_bench.app.conversion.inspect import inspect_model
    from edge_bench.bench.progress import Silent

    version = importlib.metadata.version(distribution)
    if not any((each.runtime, each.version) == (runtime, version) for each in known_releases()):
        pytest.skip(f"{runtime} {version} has not been asked: make releases")
    good = digits_bundle.folder / "variants" / "dynamic.tflite"
    for file in (good, per_channel_dense(digits_bundle, tmp_path / "per_channel.tflite")):
        found = inspect_model(file, 60, Silent())
        known = next(lacking for name, release, lacking in found.known if (name, release) == (runtime, version))
        tried = next(each.refusal for each in found.tried if each.runtime == runtime)
        assert bool(known) == bool(tried), (known, tried)
        if runtime == "tflite-runtime" and file != good:
            assert "FULLY_CONNECTED" in tried


def test_run_refuses_beforehand_and_says_what_to_do(digits_bundle: Bundle, tmp_path: Path) -> None:
    path = per_channel_dense(digits_bundle, tmp_path / "per_channel.tflite")
    planned = plan(ModelFiles.open([path], 60), Selection(runtimes=["tflite-runtime"]))
    if planned[0].failure and planned[0].failure.kind == "not installed":
        pytest.skip("tflite-runtime is not installed")
    assert planned[0].failure is not None
    assert "FULLY_CONNECTED version 12" in planned[0].failure.message


def per_channel_dense(bundle: Bundle, path: Path) -> Path:
    """The digits model as a current TensorFlow writes it where nobody asks for per-tensor dense layers."""
    import keras
    import tensorflow as tf

    from edge_bench.app.conversion.tensorflow_output import native_output_to

    converter = tf.lite.TFLiteConverter.from_keras_model(
        keras.models.load_model(bundle.folder / "model.keras", compile=False)
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with (path.parent / "log").open("wb") as log, native_output_to(log):
        path.write_bytes(converter.convert())
    return path
