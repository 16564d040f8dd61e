"""`export`: a Keras model or a SavedModel becomes a bundle."""

import json
from pathlib import Path

import pytest

from edge_bench.app.conversion.convertible import open_convertible
from edge_bench.bench.interpretation.files_workload import RANDOM_NOTE
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine, Refuses, assert_refused

pytestmark = pytest.mark.slow

ALL_VARIANTS = ["keras", "float32", "float16", "dynamic", "int8"]


def names(bundle: Bundle) -> list[str]:
    return [variant.name for variant in bundle.variants]


@pytest.mark.usefixtures("measure_here")
def test_an_exported_keras_model_is_as_accurate_as_the_original(
    edge_bench: CommandLine,
    edge_bench_here: CommandLine,
    refuses: Refuses,
    digits_bundle: Bundle,
    digit_images: Path,
    tmp_path: Path,
) -> None:
    source = digits_bundle.folder / "model.keras"
    done = edge_bench(
        "export", source, "--bundle", "mine", "--data", digit_images, "--calibration", digit_images,
        "--preprocess", "unit",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    mine = Bundle.open(tmp_path / "mine")
    assert names(mine) == ALL_VARIANTS
    assert mine.manifest.model.parameters == 128_266
    quick = ("--variant", "float32,int8", "--runtime", "litert", "--trials", 1, "--processes", 1, "--format", "json")
    ours, theirs = (
        json.loads(edge_bench_here("run", folder, *quick).stdout) for folder in ("mine", digits_bundle.folder)
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one["variant"] == other["variant"]
        assert abs(one["accuracy"] - other["accuracy"]) <= 0.02
    refused = refuses("export", source, "--bundle", "mine")
    assert "mine" in refused.problem
    assert "--overwrite" in refused.remedy
    assert Bundle.open(tmp_path / "mine").digest == mine.digest


@pytest.mark.usefixtures("convert_here")
def test_a_saved_model_without_calibration_images_has_no_int8_variant(
    edge_bench_here: CommandLine, digits_bundle: Bundle, digit_images: Path, tmp_path: Path
) -> None:
    import keras

    keras.models.load_model(digits_bundle.folder / "model.keras", compile=False).export(
        str(tmp_path / "saved"), verbose=False
    )
    done = edge_bench_here("export", "saved", "--bundle", "mine", "--data", digit_images, "--preprocess", "unit")
    assert done.returncode == 0, done.stderr
    assert "--calibration" in done.stderr
    assert names(Bundle.open(tmp_path / "mine")) == ["float32", "float16", "dynamic"]


@pytest.mark.usefixtures("convert_here")
def test_a_model_that_cannot_be_exported_is_refused(refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "bad.keras").write_bytes(b"PK nothing")
    unknown = refuses("export", "resnet99", "--bundle", "b")
    assert "resnet99" in unknown.problem
    assert "mobilenetv2" in unknown.remedy
    assert "bad.keras" in refuses("export", "bad.keras", "--bundle", "b").problem
    assert "no.h5" in refuses("export", "resnet50", "--weights", "no.h5", "--bundle", "b").problem
    assert not (tmp_path / "b" / "manifest.json").exists()


def test_a_failed_download_of_imagenet_weights_names_the_alternative(edge_bench: CommandLine, tmp_path: Path) -> None:
    done = edge_bench("export", "mobilenetv2", "--bundle", "b", KERAS_HOME=str(tmp_path / "keras"))
    if done.returncode == 0:
        pytest.skip("this machine has a network, and the weights were downloaded")
    assert_refused(done, "mobilenetv2", "--weights none", code=1)


@pytest.mark.usefixtures("convert_here", "measure_here")
def test_an_export_without_data_is_measured_for_speed_only(
    edge_bench_here: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    source = digits_bundle.folder / "model.keras"
    done = edge_bench_here("export", source, "--bundle", "mine", "--preprocess", "unit", "--limit", 8)
    assert done.returncode == 0, done.stderr
    assert_speed_only(edge_bench_here, tmp_path / "mine")


@pytest.mark.usefixtures("convert_here")
def test_a_model_of_keras_applications_is_loaded_with_its_preprocessing() -> None:
    with open_convertible("mobilenetv2", "none", 120) as model:
        assert (model.name, model.preprocess, model.parameters) == ("mobilenetv2", "imagenet-tf", 3_538_984)


@pytest.mark.nightly
def test_mobilenetv2_with_random_weights_is_exported_in_all_variants(
    edge_bench: CommandLine, edge_bench_here: CommandLine, tmp_path: Path
) -> None:
    done = edge_bench("export", "mobilenetv2", "--weights", "none", "--bundle", "big", "--limit", 8, timeout=600)
    assert done.returncode == 0, done.stderr
    assert Bundle.open(tmp_path / "big").manifest.preprocessing.name == "imagenet-tf"
    assert_speed_only(edge_bench_here, tmp_path / "big")


def assert_speed_only(edge_bench_here: CommandLine, folder: Path) -> None:
    """Assert that a bundle has all variants and no labels, and that it can be measured and reported."""
    bundle = Bundle.open(folder)
    assert names(bundle) == ALL_VARIANTS
    assert bundle.test_set()[1] is None
    ran = edge_bench_here(
        "run", folder, "--variant", "dynamic,int8", "--runtime", "litert", "--trials", 1, "--processes", 1
    )
    assert ran.returncode == 0, ran.stderr
    assert RANDOM_NOTE in " ".join(ran.stdout.split())
    page = edge_bench_here("report", "results", "--bundle", folder, "-o", "page.html")
    assert page.returncode == 0, page.stderr
