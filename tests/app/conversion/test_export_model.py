"""`export` and what else can be trained: anyone's model becomes a bundle."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.training.fit.architectures import resnet20
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine, assert_refused
from tests.models import CIFAR_JPEGS


@pytest.mark.slow
def test_a_keras_model_becomes_a_bundle_as_good_as_the_one_it_came_from(
    edge_bench: CommandLine, digits_bundle: Bundle, digit_images: Path, tmp_path: Path
) -> None:
    source = digits_bundle.folder / "model.keras"
    done = edge_bench(
        "export", source, "--bundle", "mine", "--data", digit_images, "--calibration", digit_images,
        "--preprocess", "unit",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    mine = Bundle.open(tmp_path / "mine")
    assert [each.name for each in mine.variants] == ["keras", "float32", "float16", "dynamic", "int8"]
    assert mine.manifest.model.parameters == 128_266
    quick = ("--runtime", "litert", "--trials", 2, "--processes", 1, "--format", "json")
    ours, theirs = (json.loads(edge_bench("run", folder, *quick).stdout) for folder in ("mine", digits_bundle.folder))
    for one, other in zip(ours, theirs, strict=True):
        assert one["variant"] == other["variant"]
        assert abs(one["accuracy"] - other["accuracy"]) <= 0.02
    assert_refused(edge_bench("export", source, "--bundle", "mine"), "mine", "--overwrite")


@pytest.mark.slow
def test_a_saved_model_is_exported_and_int8_needs_calibration(
    edge_bench: CommandLine, digits_bundle: Bundle, digit_images: Path, tmp_path: Path
) -> None:
    import keras

    keras.models.load_model(digits_bundle.folder / "model.keras", compile=False).export(
        str(tmp_path / "saved"), verbose=False
    )
    done = edge_bench("export", "saved", "--bundle", "mine", "--data", digit_images, "--preprocess", "unit")
    assert done.returncode == 0, done.stderr
    assert "no int8 variant" in done.stderr
    assert [each.name for each in Bundle.open(tmp_path / "mine").variants] == ["float32", "float16", "dynamic"]


@pytest.mark.slow
def test_what_cannot_be_exported_is_refused(edge_bench: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bad.keras").write_bytes(b"PK nothing")
    assert_refused(edge_bench("export", "resnet99", "--bundle", "b"), "resnet99", "mobilenetv2")
    assert_refused(edge_bench("export", "bad.keras", "--bundle", "b"), "bad.keras", "cannot load")
    assert_refused(edge_bench("export", "resnet50", "--weights", "no.h5", "--bundle", "b"), "no.h5")
    assert not (tmp_path / "b" / "manifest.json").exists()


@pytest.mark.slow
def test_imagenet_weights_that_cannot_be_had_name_the_way_out(edge_bench: CommandLine, tmp_path: Path) -> None:
    done = edge_bench("export", "mobilenetv2", "--bundle", "b", KERAS_HOME=str(tmp_path / "keras"))
    if done.returncode == 0:
        pytest.skip("this machine has a network, and the weights were downloaded")
    assert_refused(done, "could not be downloaded", "--weights none", code=1)


@pytest.mark.slow
def test_mobilenetv2_with_random_weights_in_all_variants_for_speed_only(
    edge_bench: CommandLine, tmp_path: Path
) -> None:
    done = edge_bench("export", "mobilenetv2", "--weights", "none", "--bundle", "big", "--limit", 8, timeout=600)
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "big")
    assert [each.name for each in bundle.variants] == ["keras", "float32", "float16", "dynamic", "int8"]
    assert bundle.manifest.preprocessing.name == "imagenet-tf"
    assert bundle.test_set()[1] is None
    ran = edge_bench("run", "big", "--variant", "dynamic,int8", "--trials", 2, "--processes", 1, timeout=600)
    assert ran.returncode == 0, ran.stderr
    assert "RANDOM INPUTS" in ran.stdout
    page = edge_bench("report", "results", "--bundle", "big", "-o", "page.html")
    assert page.returncode == 0, page.stderr


def test_resnet20_is_he_et_als(tmp_path: Path) -> None:
    model = resnet20((32, 32, 3), 10, 0.0)
    # table 6 of He et al. 2016: 0.27 M; by hand: 267,696 in convolutions, 1,376 in their normalizations, 650 dense
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable == 267_696 + 1_376 + 650
    assert sum(type(layer).__name__ == "Conv2D" for layer in model.layers) == 19
    model.save(tmp_path / "r.keras")
    import keras

    again = keras.models.load_model(tmp_path / "r.keras", safe_mode=True)
    image = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(again(image), model(image), atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(not CIFAR_JPEGS, reason="needs EDGE_BENCH_DATA")
def test_resnet20_trains_on_a_folder_of_images_and_goes_on(edge_bench: CommandLine, tmp_path: Path) -> None:
    command = ("train", "--model", "resnet20", "--dataset", CIFAR_JPEGS, "--epochs", 2, "--batch-size", 32)
    first = edge_bench(*command, "--bundle", "b", "--stop-after", 1)
    assert first.returncode == 0, first.stderr
    done = edge_bench(*command, "--bundle", "b", "--resume")
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "b")
    assert bundle.manifest.dataset.classes[0] == "airplane"
    assert (bundle.manifest.split.train, bundle.manifest.split.test) == (720, 200)
    assert bundle.manifest.hyper_parameters["dropout"] == 0
    again = edge_bench(*command, "--bundle", "b", "--resume")
    assert "nothing to do" in again.stderr


@pytest.mark.slow
def test_cifar10_is_read_from_its_binary_form_and_checked(edge_bench: CommandLine, tmp_path: Path) -> None:
    from edge_bench.app.training.data.cifar10 import BATCHES
    from edge_bench.app.training.data.datasets import load_dataset

    folder = tmp_path / "data" / "cifar10"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name in BATCHES:
        records = generator.integers(0, 256, (10_000, 3073), np.uint8)
        records[:, 0] %= 10
        records[0, :5] = [7, 1, 2, 3, 4]
        records.tofile(folder / name)
    dataset = load_dataset("cifar10", tmp_path / "data")
    assert (len(dataset.train_labels), len(dataset.validation_labels), len(dataset.test_labels)) == (
        45_000,
        5_000,
        10_000,
    )
    assert dataset.test_labels[0] == 7
    assert dataset.test_images[0, 0, :4, 0].tolist() == [1, 2, 3, 4]  # the red plane comes first, row by row
    (folder / "test_batch.bin").write_bytes(b"short")
    bad = edge_bench("train", "--dataset", "cifar10", "--data-dir", "data", "--bundle", "b")
    assert_refused(bad, "test_batch.bin", "bytes")
