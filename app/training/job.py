"""What `train` does: from a data set's name to a whole bundle, or to a paused training that can go on elsewhere."""

import contextlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_bench.app.conversion.tensorflow_output import native_output_to, silence_tensorflow
from edge_bench.app.training.data.datasets import DATASETS, load_dataset
from edge_bench.app.training.distributed.cluster import Cluster
from edge_bench.app.training.distributed.worker_group import WorkerGroup, worker_group
from edge_bench.app.training.fit.architectures import trainable
from edge_bench.app.training.fit.checkpoints import TrainingSettings, read_state, training_folder
from edge_bench.bench.errors import BadInput, BundleError, EdgeBenchError, MissingDependency
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import only_writer
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle, refuse_links

if TYPE_CHECKING:
    from edge_bench.app.training.distributed.data_parallel import WorkerSummary

__all__ = ["Paused", "bundle_holder", "train_bundle"]

#: Seconds that a worker waits for the others.
WAIT = 300.0


@dataclass(frozen=True)
class Paused:
    """A training that ended early on purpose."""

    folder: Path
    epochs_done: int
    epochs: int


def train_bundle(
    folder: Path,
    settings: TrainingSettings,
    progress: Progress,
    *,
    data_dir: Path | None = None,
    resume: bool = False,
    stop_after: int | None = None,
    overwrite: bool = False,
    explicit_options: Collection[str] | None = None,
    cluster: Cluster | int | None = None,
    wait: float = WAIT,
) -> "Bundle | Paused | WorkerSummary":
    """Trains and exports into ``folder``; with ``resume`` a finished bundle with the same settings is the answer.

    ``cluster`` says who trains together: workers at these addresses, or so many processes here. Only the first of
    them touches ``folder``. ``explicit_options`` names the settings that a person stated (None: all); with ``resume``
    the others are those of the training or bundle that is there. Raises BadInput where the folder holds something that
    neither ``resume`` nor ``overwrite`` covers.
    """
    source = Path(settings.dataset) if settings.dataset not in DATASETS and Path(settings.dataset).is_dir() else None
    if source:  # a bundle knows a folder by its name, wherever it lies
        settings = _named(settings, source.resolve().name)
    if not trainable(settings.model).dropout:
        settings = msgspec.structs.replace(settings, dropout=0.0)
    data = _Data(source, data_dir)
    if isinstance(cluster, Cluster) and not cluster.is_chief:
        return _run_worker(cluster, settings, explicit_options, data, wait, progress)
    if resume and not overwrite and explicit_options is not None:
        settings = _as_begun(folder, settings, explicit_options)
    # needs no lock, so it may be being measured; workers elsewhere, though, wait for a word
    if resume and not overwrite and not isinstance(cluster, Cluster) and not training_folder(folder).exists():
        finished = _look_at(folder, settings, resume=True, overwrite=False)
        if finished is not None:
            return _nothing_to_do(finished, progress)
    with bundle_holder(folder), worker_group(cluster, wait, progress) as others:
        try:
            return _train(folder, settings, data, others, progress, stop_after, resume=resume, overwrite=overwrite)
        except OSError as cause:
            raise EdgeBenchError(
                f"{cause.filename or folder}: {cause.strerror or cause}",
                "put that right, then the same command with --resume goes on from the last epoch",
            ) from None


@dataclass(frozen=True)
class _Data:
    """Where the data set is: a folder of images that is the data set, and a folder to look for known ones."""

    source: Path | None
    folder: Path | None

    def options(self) -> list[str]:
        """The same for another `edge-bench train`."""
        return [
            *(["--dataset", str(self.source.resolve())] if self.source else []),
            *(["--data-dir", str(self.folder.resolve())] if self.folder else []),
        ]


@contextlib.contextmanager
def bundle_holder(folder: Path) -> Iterator[None]:
    """Makes the folder and holds it alone; BadInput where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # now rather than after an epoch
            pass
    except OSError as cause:
        raise BadInput(
            f"{folder}: cannot be written: {cause.strerror}", "name a folder you may write with --bundle"
        ) from None
    with only_writer(folder):
        for place in (folder, *(path for path in folder.iterdir() if path.is_dir())):
            remove_leftovers(place)
        yield


def _train(
    folder: Path,
    settings: TrainingSettings,
    data: _Data,
    others: WorkerGroup | None,
    progress: Progress,
    stop_after: int | None,
    *,
    resume: bool,
    overwrite: bool,
) -> Bundle | Paused:
    finished = _look_at(folder, settings, resume=resume, overwrite=overwrite)
    if finished is not None:
        shutil.rmtree(training_folder(folder), ignore_errors=True)  # a kill came just before it was removed
        if others and not others.here:
            _send_home(others, settings)
        return _nothing_to_do(finished, progress)
    _import_tensorflow()
    from edge_bench.app.training.distributed.data_parallel import Chief
    from edge_bench.app.training.export import export_bundle
    from edge_bench.app.training.fit.epochs import train_epochs

    dataset = load_dataset(settings.dataset if data.source is None else str(data.source), data.folder, progress)
    settings = _named(settings, dataset.info.name)
    progress.say(f"{dataset.info.name}: {len(dataset.train_labels):,} images to train on, from {dataset.source}")
    chief = Chief(others.connect(data.options())) if others else None
    training = train_epochs(folder, dataset, settings, stop_after, progress, chief)
    ended: Bundle | Paused = Paused(folder, len(training.history.loss), settings.epochs)
    if training.complete:
        ended = export_bundle(folder, training, dataset, progress)
    if chief:
        chief.finish()
    return ended


def _import_tensorflow() -> None:
    silence_tensorflow()
    try:
        # its C++ part greets at every import, whatever its log level
        with tempfile.TemporaryFile() as log, native_output_to(log):
            import tensorflow  # noqa: F401
    except ImportError:
        raise MissingDependency(
            "training needs TensorFlow, which is not installed",
            "pip install 'edge-bench[host]', or use the host image",
        ) from None


def _run_worker(
    cluster: Cluster,
    settings: TrainingSettings,
    explicit_options: Collection[str] | None,
    data: _Data,
    wait: float,
    progress: Progress,
) -> "WorkerSummary":
    with worker_group(cluster, wait, progress) as others:
        if others is None:
            raise AssertionError("a cluster has company")
        _import_tensorflow()
        from edge_bench.app.training.distributed.data_parallel import run_worker

        source = None if data.source is None else str(data.source)
        return run_worker(others.connect([]), settings, explicit_options, source, data.folder, progress)


def _send_home(others: WorkerGroup, settings: TrainingSettings) -> None:
    """The other workers wait for a training that is done: they are told so, where they are there."""
    _import_tensorflow()
    from edge_bench.app.training.distributed.data_parallel import nothing_to_do

    with contextlib.suppress(EdgeBenchError):
        nothing_to_do(others.connect([]), settings)


def _nothing_to_do(bundle: Bundle, progress: Progress) -> Bundle:
    epochs = bundle.manifest.hyper_parameters.get("epochs")
    progress.say(f"{bundle.folder} is complete: {epochs} epochs, nothing to do")
    return bundle


def _as_begun(folder: Path, settings: TrainingSettings, explicit_options: Collection[str]) -> TrainingSettings:
    """What was not stated is as it was when the training in ``folder`` began."""
    begun: dict[str, object] = {}
    if (folder / MANIFEST).exists():
        begun = _settings_of(Bundle.open(folder))
    elif state := read_state(folder):
        begun = msgspec.structs.asdict(state.settings)
    names = [name for name in settings.__struct_fields__ if name in begun and name not in explicit_options]
    return msgspec.structs.replace(settings, **{name: begun[name] for name in names})


def _named(settings: TrainingSettings, dataset: str) -> TrainingSettings:
    return msgspec.structs.replace(settings, dataset=dataset)


def _look_at(folder: Path, settings: TrainingSettings, *, resume: bool, overwrite: bool) -> Bundle | None:
    """Prepares the folder; the bundle that is there already, if it is what was asked for."""
    refuse_links(folder)
    if overwrite:
        (folder / MANIFEST).unlink(missing_ok=True)  # first: without it the rest is no bundle
        shutil.rmtree(training_folder(folder), ignore_errors=True)
        return None
    if (folder / MANIFEST).exists():
        if not resume:
            raise BadInput(f"{folder}: a bundle is there already", "use it, name another --bundle, or --overwrite it")
        bundle = Bundle.open(folder)
        _same_settings(bundle, settings)
        return bundle
    if read_state(folder) is not None and not resume:
        raise BadInput(f"{folder}: an unfinished training is there", "go on with --resume, or --overwrite it")
    return None


def _same_settings(bundle: Bundle, settings: TrainingSettings) -> None:
    there = _settings_of(bundle)
    for name in settings.__struct_fields__:
        asked = getattr(settings, name)
        if asked not in (there.get(name), "auto"):
            raise BundleError(
                f"{bundle.folder}: the bundle there was trained with {name} {there.get(name)}, not {asked}",
                "use the same settings, name another --bundle, or --overwrite it",
            )


def _settings_of(bundle: Bundle) -> dict[str, object]:
    manifest = bundle.manifest
    return {
        **manifest.hyper_parameters,
        "seed": manifest.seed,
        "model": manifest.model.name,
        "dataset": manifest.dataset.name,
    }
