"""Training on a folder of images, and the ResNet-20 that is made for such images."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.app.training.fit.architectures import resnet20
from edge_bench.app.training.fit.checkpoints import TrainingSettings, read_state
from edge_bench.app.training.job import Paused, train_bundle
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine
from tests.models import CIFAR_JPEGS

pytestmark = pytest.mark.slow


def test_resnet20_has_the_published_layers_and_parameters(tmp_path: Path) -> None:
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


def test_a_training_on_a_folder_of_images_is_resumed(digit_images: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(dataset=str(digit_images), epochs=2, batch_size=32)
    paused = train_bundle(tmp_path / "b", settings, Silent(), stop_after=1)
    assert paused == Paused(tmp_path / "b", 1, 2)
    bundle = train_bundle(tmp_path / "b", settings, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    assert bundle.manifest.dataset.name == "digits"
    assert bundle.manifest.dataset.classes == [str(digit) for digit in range(10)]
    split = bundle.manifest.split
    assert split.train + split.validation + split.test == 300
    assert (split.test, split.validation) == pytest.approx((60, 24), abs=5)  # a fifth, and a tenth of the rest
    history = bundle.history()
    assert history is not None
    assert len(history.loss) == 2


@pytest.mark.nightly
def test_resnet20_trains_without_dropout(digit_images: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(dataset=str(digit_images), model="resnet20", epochs=2, batch_size=128, dropout=0.5)
    assert train_bundle(tmp_path / "b", settings, Silent(), stop_after=1) == Paused(tmp_path / "b", 1, 2)
    state = read_state(tmp_path / "b")
    assert state is not None
    assert state.settings == msgspec.structs.replace(settings, dataset="digits", dropout=0.0)


@pytest.mark.nightly
@pytest.mark.skipif(not CIFAR_JPEGS, reason="needs EDGE_BENCH_DATA")
def test_resnet20_trains_on_cifar_images_and_is_exported(edge_bench: CommandLine, tmp_path: Path) -> None:
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
    assert again.returncode == 0, again.stderr
    assert Bundle.open(tmp_path / "b").digest == bundle.digest
