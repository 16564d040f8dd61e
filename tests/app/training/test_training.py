"""Training: the paper's model, the same weights from the same seed, and nothing lost by an interruption."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.app.training.fit.architectures import paper_cnn
from edge_bench.app.training.fit.checkpoints import TrainingSettings, read_state, save_checkpoint
from edge_bench.app.training.job import Paused, train_bundle
from edge_bench.bench.errors import BadInput, BundleError
from edge_bench.bench.io.locks import only_writer, reading
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import History
from edge_bench.bench.records.run import Settings
from tests.app.training.weights import SHORT, assert_same_weights, weights
from tests.command_line import CommandLine, assert_refused
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


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(digits_bundle: Bundle, tmp_path: Path) -> None:
    train_bundle(tmp_path / "again", SHORT, Silent())
    assert_same_weights(tmp_path / "again", digits_bundle.folder)
    train_bundle(tmp_path / "other", msgspec.structs.replace(SHORT, seed=1, epochs=1), Silent())
    assert not np.array_equal(weights(tmp_path / "other")[0], weights(digits_bundle.folder)[0])


def test_training_on_two_machines_ends_as_on_one(digits_bundle: Bundle, tmp_path: Path) -> None:
    paused = train_bundle(tmp_path / "here", SHORT, Silent(), stop_after=2)
    assert paused == Paused(tmp_path / "here", 2, 3)
    (tmp_path / "here").rename(tmp_path / "there")  # the folder travels
    bundle = train_bundle(tmp_path / "there", SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    assert_same_weights(bundle.folder, digits_bundle.folder)
    history = msgspec.json.decode((bundle.folder / "history.json").read_bytes(), type=History)
    whole = msgspec.json.decode((digits_bundle.folder / "history.json").read_bytes(), type=History)
    assert history.loss == whole.loss
    assert len(history.seconds) == 3
    assert not (bundle.folder / "training").exists()


def test_the_history_has_every_epoch_and_the_picture_is_drawn(digits_bundle: Bundle) -> None:
    history = msgspec.json.decode((digits_bundle.folder / "history.json").read_bytes(), type=History)
    for values in (history.loss, history.accuracy, history.val_loss, history.val_accuracy, history.seconds):
        assert len(values) == 3
    assert history.loss[-1] < history.loss[0]
    assert (digits_bundle.folder / "plots" / "training.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_there_already_is_never_replaced_unasked(bundle_copy: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="already") as caught:
        train_bundle(bundle_copy, SHORT, Silent())
    assert "--overwrite" in caught.value.remedy
    with pytest.raises(BadInput, match="epochs"):
        train_bundle(bundle_copy, msgspec.structs.replace(SHORT, epochs=9), Silent(), resume=True)
    bundle = train_bundle(bundle_copy, SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)


def test_resume_takes_over_what_was_not_stated(digits_bundle: Bundle, tmp_path: Path) -> None:
    standard = TrainingSettings()  # 100 epochs of Fashion-MNIST: nothing of what is there
    done = train_bundle(digits_bundle.folder, standard, Silent(), resume=True, explicit_options={"bundle", "resume"})
    assert isinstance(done, Bundle)
    with pytest.raises(BadInput, match="epochs"):
        train_bundle(digits_bundle.folder, standard, Silent(), resume=True, explicit_options={"epochs"})
    train_bundle(tmp_path, SHORT, Silent(), stop_after=1)
    assert train_bundle(tmp_path, standard, Silent(), resume=True, stop_after=1, explicit_options=()) == Paused(
        tmp_path, 1, 3
    )


def unfinished(folder: Path) -> None:
    history = History(loss=[1.0], accuracy=[0.5], val_loss=[1.0], val_accuracy=[0.5], seconds=[1.0])
    save_checkpoint(folder, paper_cnn((28, 28, 1), 10, 0.5), SHORT, "another data set", history)


def test_an_unfinished_training_goes_on_only_when_asked_and_only_with_its_own_settings_and_data(tmp_path: Path) -> None:
    unfinished(tmp_path)
    with pytest.raises(BadInput, match="unfinished"):
        train_bundle(tmp_path, SHORT, Silent())
    with pytest.raises(BadInput, match="learning_rate"):
        train_bundle(tmp_path, msgspec.structs.replace(SHORT, learning_rate=0.5), Silent(), resume=True)
    with pytest.raises(BadInput, match="other data"):
        train_bundle(tmp_path, SHORT, Silent(), resume=True)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    unfinished(tmp_path)
    state = read_state(tmp_path)
    assert state is not None
    changed = msgspec.structs.replace(state, dataset_sha256=data_checksum())
    (tmp_path / "training" / "state.json").write_bytes(msgspec.json.encode(changed))
    (tmp_path / "training" / state.checkpoint.file).write_bytes(b"half")
    with pytest.raises(BundleError, match="missing or altered"):
        train_bundle(tmp_path, SHORT, Silent(), resume=True)


def data_checksum() -> str:
    from edge_bench.app.training.data.datasets import load_dataset

    return load_dataset("digits").info.sha256


def test_two_at_once_on_one_folder_are_told_apart(edge_bench: CommandLine, tmp_path: Path) -> None:
    """The second is refused in a line; a lock ends with its process, so nothing has to be cleared away."""
    (tmp_path / "b").mkdir()
    with only_writer(tmp_path / "b"):
        done = edge_bench("train", "--dataset", "digits", "--epochs", 1, "--bundle", "b")
        assert_refused(done, "b: another edge-bench is writing there")
    assert list((tmp_path / "b").iterdir()) == []
    with only_writer(tmp_path / "b"):
        pass


def test_a_bundle_that_is_being_measured_is_not_written_anew(bundle_copy: Path) -> None:
    """Workers open the model's file several times in the course of a run: all must find the same."""
    with reading(bundle_copy), reading(bundle_copy):
        with pytest.raises(BadInput, match="measuring it"):
            train_bundle(bundle_copy, SHORT, Silent(), overwrite=True)
        assert isinstance(train_bundle(bundle_copy, SHORT, Silent(), resume=True), Bundle)  # nothing to do, no lock
    with only_writer(bundle_copy), pytest.raises(BadInput, match="writing there"), reading(bundle_copy):
        raise AssertionError("read while it is written")


def test_run_holds_the_bundle_that_it_measures(bundle_copy: Path, tmp_path: Path) -> None:
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
