"""Training: the paper's model, the same weights from the same seed, and resumed trainings."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.app.training.fit.architectures import paper_cnn
from edge_bench.app.training.fit.checkpoints import TrainingSettings, read_state, save_checkpoint
from edge_bench.app.training.job import Paused, train_bundle
from edge_bench.bench.errors import BadInput, BundleError, DatasetError
from edge_bench.bench.io.locks import only_writer, reading
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import History
from edge_bench.bench.records.run import Settings
from tests.app.cli.named import assert_names
from tests.app.training.weights import SHORT, assert_same_weights
from tests.command_line import Refuses
from tests.factories import measure_bundle

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_papers_cnn_has_exactly_128266_parameters(dropout: float) -> None:
    model = paper_cnn((28, 28, 1), 10, dropout)
    assert model.count_params() == 128_266
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 128_266
    kinds = [type(layer).__name__ for layer in model.layers]
    without = ["Conv2D", "MaxPooling2D"] * 3 + ["Flatten", "Dense", "Dense"]
    assert kinds == ([*without[:6], "Dropout", *without[6:]] if dropout else without)


def test_another_seed_gives_other_weights(digits_bundle: Bundle, tmp_path: Path) -> None:
    """That the same seed gives the same weights is tested below, with a training that is interrupted in between."""
    other = msgspec.structs.replace(SHORT, seed=1)
    assert train_bundle(tmp_path / "other", other, Silent(), stop_after=1) == Paused(tmp_path / "other", 1, 3)
    state, history = read_state(tmp_path / "other"), digits_bundle.history()
    assert state is not None
    assert history is not None
    assert state.history.loss[0] != history.loss[0]


def test_a_training_resumed_on_another_machine_has_the_same_weights(digits_bundle: Bundle, tmp_path: Path) -> None:
    paused = train_bundle(tmp_path / "here", SHORT, Silent(), stop_after=2)
    assert paused == Paused(tmp_path / "here", 2, 3)
    (tmp_path / "here").rename(tmp_path / "there")  # as if copied to another machine
    bundle = train_bundle(tmp_path / "there", SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    assert_same_weights(bundle.folder, digits_bundle.folder)
    history = msgspec.json.decode((bundle.folder / "history.json").read_bytes(), type=History)
    whole = msgspec.json.decode((digits_bundle.folder / "history.json").read_bytes(), type=History)
    assert history.loss == whole.loss
    assert len(history.seconds) == 3
    assert not (bundle.folder / "training").exists()


def test_the_history_has_every_epoch_and_its_figure_is_drawn(digits_bundle: Bundle) -> None:
    history = msgspec.json.decode((digits_bundle.folder / "history.json").read_bytes(), type=History)
    for values in (history.loss, history.accuracy, history.val_loss, history.val_accuracy, history.seconds):
        assert len(values) == 3
    assert history.loss[-1] < history.loss[0]
    assert (digits_bundle.folder / "plots" / "training.png").read_bytes().startswith(b"\x89PNG")


def test_an_existing_bundle_is_replaced_only_on_request(bundle_copy: Path) -> None:
    before = Bundle.open(bundle_copy)
    with pytest.raises(BadInput) as caught:
        train_bundle(bundle_copy, SHORT, Silent())
    assert_names(caught.value, str(bundle_copy), "--overwrite")
    with pytest.raises(BundleError) as differs:
        train_bundle(bundle_copy, msgspec.structs.replace(SHORT, epochs=9), Silent(), resume=True)
    assert_names(differs.value, str(bundle_copy), "3", "9")  # epochs
    bundle = train_bundle(bundle_copy, SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    assert bundle.digest == before.digest


def test_resume_keeps_the_settings_that_are_not_explicit(digits_bundle: Bundle, tmp_path: Path) -> None:
    standard = TrainingSettings()  # 100 epochs of Fashion-MNIST, unlike the existing training
    done = train_bundle(digits_bundle.folder, standard, Silent(), resume=True, explicit_options={"bundle", "resume"})
    assert isinstance(done, Bundle)
    with pytest.raises(BundleError) as caught:
        train_bundle(digits_bundle.folder, standard, Silent(), resume=True, explicit_options={"epochs"})
    assert_names(caught.value, "3", "100")  # epochs
    train_bundle(tmp_path, SHORT, Silent(), stop_after=1)
    assert train_bundle(tmp_path, standard, Silent(), resume=True, stop_after=1, explicit_options=()) == Paused(
        tmp_path, 1, 3
    )


@pytest.mark.parametrize(("explicit", "epochs"), [((), 30), (("epochs",), 5), (None, 5)])
def test_digits_have_defaults_of_their_own(tmp_path: Path, explicit: tuple[str, ...] | None, epochs: int) -> None:
    settings = TrainingSettings(dataset="digits", epochs=5)
    paused = train_bundle(tmp_path, settings, Silent(), stop_after=1, explicit_options=explicit)
    assert paused == Paused(tmp_path, 1, epochs)
    state = read_state(tmp_path)
    assert state is not None
    assert (state.settings.learning_rate == settings.learning_rate) == (epochs == 5)
    # a training that goes on keeps the settings with which it began
    again = train_bundle(tmp_path, settings, Silent(), resume=True, stop_after=1, explicit_options=explicit)
    assert again == paused


def test_an_unknown_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        train_bundle(tmp_path, TrainingSettings(dataset="nope"), Silent())
    assert_names(caught.value, "nope", "digits", "fashion-mnist")


def unfinished(folder: Path) -> None:
    history = History(loss=[1.0], accuracy=[0.5], val_loss=[1.0], val_accuracy=[0.5], seconds=[1.0])
    save_checkpoint(folder, paper_cnn((28, 28, 1), 10, 0.5), SHORT, "another data set", history)


def test_an_unfinished_training_is_resumed_only_on_request_with_the_same_settings_and_data(tmp_path: Path) -> None:
    unfinished(tmp_path)
    before = read_state(tmp_path)
    with pytest.raises(BadInput) as caught:
        train_bundle(tmp_path, SHORT, Silent())
    assert_names(caught.value, str(tmp_path), "--resume", "--overwrite")
    with pytest.raises(BadInput) as differs:
        train_bundle(tmp_path, msgspec.structs.replace(SHORT, learning_rate=0.5), Silent(), resume=True)
    assert_names(differs.value, "0.5", "0.001")
    with pytest.raises(BadInput) as other_data:
        train_bundle(tmp_path, SHORT, Silent(), resume=True)
    assert_names(other_data.value, str(tmp_path), "digits")
    assert read_state(tmp_path) == before


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    unfinished(tmp_path)
    state = read_state(tmp_path)
    assert state is not None
    changed = msgspec.structs.replace(state, dataset_sha256=data_checksum())
    (tmp_path / "training" / "state.json").write_bytes(msgspec.json.encode(changed))
    (tmp_path / "training" / state.checkpoint.file).write_bytes(b"half")
    with pytest.raises(BundleError) as caught:
        train_bundle(tmp_path, SHORT, Silent(), resume=True)
    assert Path(state.checkpoint.file).name in caught.value.problem


def data_checksum() -> str:
    from edge_bench.app.training.data.datasets import load_dataset

    return load_dataset("digits").info.sha256


def test_two_trainings_in_one_folder_are_refused(refuses: Refuses, tmp_path: Path) -> None:
    """A lock ends with its process, so nothing has to be removed afterwards."""
    (tmp_path / "b").mkdir()
    with only_writer(tmp_path / "b"):
        assert_names(refuses("train", "--dataset", "digits", "--epochs", 1, "--bundle", "b"), "b")
    assert list((tmp_path / "b").iterdir()) == []
    with only_writer(tmp_path / "b"):
        pass


def test_a_bundle_is_not_overwritten_while_it_is_measured(bundle_copy: Path) -> None:
    """Workers open the model's file several times during a run; the content must stay the same."""
    before = Bundle.open(bundle_copy)
    with reading(bundle_copy), reading(bundle_copy):
        with pytest.raises(BadInput) as caught:
            train_bundle(bundle_copy, SHORT, Silent(), overwrite=True)
        assert_names(caught.value, str(bundle_copy))
        # a complete bundle needs no lock
        assert isinstance(train_bundle(bundle_copy, SHORT, Silent(), resume=True), Bundle)
    assert Bundle.open(bundle_copy).digest == before.digest
    with only_writer(bundle_copy), pytest.raises(BadInput) as refused, reading(bundle_copy):
        raise AssertionError("read while it is written")
    assert_names(refused.value, str(bundle_copy))


def test_a_run_locks_the_bundle_that_it_measures(bundle_copy: Path, tmp_path: Path) -> None:
    class Overwrites(Silent):
        refused = ""

        def advance(self, steps: int = 1, note: str = "") -> None:
            if steps and not self.refused:
                with pytest.raises(BadInput) as caught, only_writer(bundle_copy):
                    raise AssertionError("written while it is measured")
                self.refused = caught.value.problem

    overwrites = Overwrites()
    measure_bundle(
        bundle_copy, Selection(variants=["dynamic"], runtimes=["litert"]), Settings(trials=1, processes=1, limit=20),
        tmp_path / "results", overwrites,
    )  # fmt: skip
    assert str(bundle_copy) in overwrites.refused
