"""Known operators of releases, and models that a release cannot load."""

import importlib.metadata
import itertools
from pathlib import Path

import pytest

from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.models.operator_support import (
    EXPORT_AGAIN,
    FLEX,
    Release,
    known_refusal,
    known_releases,
    unknown_operators,
    unsupported,
)
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import Operator
from tests.bench.messages import numbers_in

DENSE_12 = [Operator(name="CONV_2D", version=3, count=1), Operator(name="FULLY_CONNECTED", version=12, count=2)]


@pytest.fixture(scope="module")
def per_channel_dense(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits model as TensorFlow writes it by default, with per-channel dense layers."""
    import keras
    import tensorflow as tf

    from edge_bench.app.conversion.tensorflow_output import native_output_to

    path = tmp_path_factory.mktemp("model") / "per_channel.tflite"
    converter = tf.lite.TFLiteConverter.from_keras_model(
        keras.models.load_model(digits_bundle.folder / "model.keras", compile=False)
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with (path.parent / "log").open("wb") as log, native_output_to(log):
        path.write_bytes(converter.convert())
    return path


def test_the_papers_failure_is_predicted_with_its_remedy() -> None:
    refusal = known_refusal(DENSE_12, "tflite-runtime", "2.14.0")
    assert refusal is not None
    assert "FULLY_CONNECTED" in refusal.problem
    assert 12 in numbers_in(refusal.problem)
    assert "tflite-runtime" in refusal.problem
    assert "2.14.0" in refusal.problem
    assert "CONV_2D" not in refusal.problem
    assert "litert" in refusal.remedy
    assert EXPORT_AGAIN["FULLY_CONNECTED"] in refusal.remedy


def test_models_that_may_load_are_not_refused() -> None:
    newest = [release for release in known_releases() if release.runtime == "litert"][-1]
    assert known_refusal(DENSE_12, "litert", newest.version) is None
    assert known_refusal(DENSE_12, "tflite-runtime", "99.0") is None
    assert known_refusal([Operator(name="CUSTOM Mine", version=1, count=1)], "tflite-runtime", "2.14.0") is None


def test_custom_operators_not_tested_with_a_release_are_unknown() -> None:
    asked, unasked = (
        Release(runtime="r", version=version, operators={"ADD": 1}, custom=custom)
        for version, custom in (("1", {"Here": 1, "Gone": 0, FLEX: 0}), ("2", {}))
    )
    names = ("ADD", "CUSTOM Here", "CUSTOM Gone", "CUSTOM FlexErf", "CUSTOM Mine", "CUSTOM")
    operators = [Operator(name=name, version=1, count=1) for name in names]
    lacking = [each.operator for each in unsupported(operators, asked)]
    assert lacking == ["CUSTOM Gone", "CUSTOM FlexErf", "CUSTOM"]
    assert unknown_operators(operators, asked) == ["CUSTOM Mine"]
    assert [each.operator for each in unsupported(operators, unasked)] == ["CUSTOM"]
    assert unknown_operators(operators, unasked) == sorted(names[1:5])
    newer = [Operator(name="CUSTOM Here", version=2, count=1)]
    assert [each.has for each in unsupported(newer, asked)] == [1]


def test_the_wheels_have_the_detection_operator_and_no_flex_delegate() -> None:
    for runtime, version in (("tflite-runtime", "2.14.0"), ("litert", "2.3.0")):
        (release,) = [each for each in known_releases() if (each.runtime, each.version) == (runtime, version)]
        assert release.custom["TFLite_Detection_PostProcess"] == 1
        assert release.custom[FLEX] == 0


def test_no_release_loses_an_operator() -> None:
    for runtime in ("tflite-runtime", "litert"):
        releases = [release for release in known_releases() if release.runtime == runtime]
        assert releases
        for older, newer in itertools.pairwise(releases):
            asked = [Operator(name=name, version=top, count=1) for name, top in older.operators.items()]
            assert unsupported(asked, newer) == [], f"{newer.version} lacks what {older.version} has"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runtime", "distribution"), [("tflite-runtime", "tflite-runtime"), ("litert", "ai-edge-litert")]
)
def test_the_known_operators_match_the_installed_release(
    digits_bundle: Bundle, per_channel_dense: Path, runtime: str, distribution: str
) -> None:
    """The table refuses exactly the models that the library itself refuses."""
    from edge_bench.app.conversion.inspect import inspect_model
    from edge_bench.bench.progress import Silent

    version = importlib.metadata.version(distribution)
    if not any((each.runtime, each.version) == (runtime, version) for each in known_releases()):
        pytest.skip(f"{runtime} {version} was not probed: make releases")
    good = digits_bundle.folder / "variants" / "dynamic.tflite"
    for file in (good, per_channel_dense):
        found = inspect_model(file, 60, Silent())
        known = next(each.missing for each in found.known if (each.runtime, each.release) == (runtime, version))
        tried = next(each.refusal for each in found.tried if each.runtime == runtime)
        assert bool(known) == bool(tried), (known, tried)
        if runtime == "tflite-runtime" and file != good:
            assert "FULLY_CONNECTED" in tried


@pytest.mark.slow
def test_a_plan_refuses_a_model_that_the_runtime_cannot_load(per_channel_dense: Path) -> None:
    planned = plan(ModelFiles.open([per_channel_dense], 60), Selection(runtimes=["tflite-runtime"]))
    if planned[0].failure and planned[0].failure.kind == "not installed":
        pytest.skip("tflite-runtime is not installed")
    assert planned[0].failure is not None
    assert planned[0].failure.kind == "cannot load"
    assert "FULLY_CONNECTED" in planned[0].failure.message
    assert planned[0].failure.remedy
