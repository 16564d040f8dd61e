"""The work of `train`: from the name of a data set to a bundle, or to a paused training that can be resumed."""

import contextlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_bench.app.conversion.ncnn.variant import NCNN, NcnnConversion
from edge_bench.app.training.data.datasets import DATASETS, DIGITS, load_dataset
from edge_bench.app.training.distributed.cluster import Cluster
from edge_bench.app.training.distributed.worker_group import WorkerGroup, worker_group
from edge_bench.app.training.fit.architectures import trainable
from edge_bench.app.training.fit.checkpoints import TrainingSettings, read_state, training_folder
from edge_bench.app.training.tensorflow import load_tensorflow, require_tensorflow
from edge_bench.bench.errors import BadInput, BundleError, EdgeBenchError
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import only_writer
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle, refuse_links
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
    from edge_bench.app.training.distributed.data_parallel import WorkerSummary

__all__ = ["Paused", "lock_bundle_folder", "train_bundle"]

#: Limit of each step of the conversion to ncnn.
NCNN_SECONDS = 600.0
#: Longest wait of a worker for the others, in seconds.
WAIT = 300.0
#: Defaults for digits, which needs more epochs: it has a tenth of the images of other data sets.
_DIGITS = {"epochs": 30, "learning_rate": 3e-3}


@dataclass(frozen=True)
class Paused:
    """A training that was stopped by ``stop_after``."""

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
    formats: Sequence[str] = (),
) -> "Bundle | Paused | WorkerSummary":
    """Train and export into ``folder``. With ``resume``, return an existing bundle that has the same settings.

    ``cluster`` is the workers' addresses or a number of local processes. Only the chief writes ``folder``.
    ``explicit_options`` names the settings that the user passed (None: all). With ``resume``, the others are taken from
    the existing training or bundle. A new training on digits uses its own defaults for epochs and learning rate,
    unless one of them was passed. ``formats`` are other formats than .tflite to write, such as ncnn. Raise BadInput if
    the folder contains a bundle or an unfinished training and neither ``resume`` nor ``overwrite`` is set.
    """
    source = Path(settings.dataset) if settings.dataset not in DATASETS and Path(settings.dataset).is_dir() else None
    if source:  # records contain only the folder's name, so that they do not depend on its location
        settings = msgspec.structs.replace(settings, dataset=source.resolve().name)
    if not trainable(settings.model).dropout:
        settings = msgspec.structs.replace(settings, dropout=0.0)
    data = _DataLocation(source, data_dir)
    if isinstance(cluster, Cluster) and not cluster.is_chief:
        return _run_worker(cluster, settings, explicit_options, data, wait, progress)
    if resume and not overwrite and explicit_options is not None:
        restored = _restore_settings(folder, settings, explicit_options)
        explicit_options = None if restored is not None else explicit_options
        settings = restored or settings
    # A complete bundle needs no lock, so another process may be measuring it. Remote workers must still be told.
    if resume and not overwrite and not isinstance(cluster, Cluster) and not training_folder(folder).exists():
        bundle = _prepare_folder(folder, settings, resume=True, overwrite=False)
        if bundle is not None:
            return _report_complete(bundle, formats, progress)
    require_tensorflow(folder)
    ncnn = NcnnConversion.prepared(formats, progress, NCNN_SECONDS)  # before hours of training
    with lock_bundle_folder(folder), worker_group(cluster, wait, progress) as workers:
        try:
            return _train(
                folder, settings, data, workers, progress, stop_after, explicit_options, ncnn,
                resume=resume, overwrite=overwrite,
            )  # fmt: skip
        except OSError as cause:
            raise EdgeBenchError(
                f"{cause.filename or folder}: {cause.strerror or cause}",
                "fix this, then rerun with --resume to continue after the last epoch",
            ) from None


@dataclass(frozen=True)
class _DataLocation:
    """The location of the data set."""

    source: Path | None  # a folder of images that is the data set
    folder: Path | None  # to search for known data sets

    def options(self) -> list[str]:
        """Return the options that pass this location to another `edge-bench train`."""
        return [
            *(["--dataset", str(self.source.resolve())] if self.source else []),
            *(["--data-dir", str(self.folder.resolve())] if self.folder else []),
        ]


@contextlib.contextmanager
def lock_bundle_folder(folder: Path) -> Iterator[None]:
    """Create the folder and lock it for writing. Raise BadInput if that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # fail now rather than after the first epoch
            pass
    except OSError as cause:
        raise unwritable(folder, cause, "set --bundle to a writable folder", BadInput) from None
    with only_writer(folder):
        for parent in (folder, *(path for path in folder.iterdir() if path.is_dir())):
            remove_leftovers(parent)
        yield


def _train(
    folder: Path,
    settings: TrainingSettings,
    data: _DataLocation,
    workers: WorkerGroup | None,
    progress: Progress,
    stop_after: int | None,
    explicit_options: Collection[str] | None,
    ncnn: NcnnConversion | None,
    *,
    resume: bool,
    overwrite: bool,
) -> Bundle | Paused:
    bundle = _prepare_folder(folder, settings, resume=resume, overwrite=overwrite)
    if bundle is not None:
        shutil.rmtree(training_folder(folder), ignore_errors=True)  # left by a kill after the export
        if workers and not workers.local:
            _dismiss_workers(workers, settings)
        return _report_complete(bundle, [NCNN] if ncnn else [], progress)
    load_tensorflow()
    from edge_bench.app.training.distributed.data_parallel import Chief
    from edge_bench.app.training.export import export_bundle
    from edge_bench.app.training.fit.epochs import train_epochs

    dataset = load_dataset(settings.dataset if data.source is None else str(data.source), data.folder, progress)
    settings = _with_digits_defaults(
        msgspec.structs.replace(settings, dataset=dataset.info.name), explicit_options, progress
    )
    progress.say(f"{dataset.info.name}: {counted(len(dataset.train_labels), 'training image')} from {dataset.source}")
    chief = Chief(workers.connect(data.options())) if workers else None
    trained = train_epochs(folder, dataset, settings, stop_after, progress, chief)
    result: Bundle | Paused = Paused(folder, len(trained.history.loss), settings.epochs)
    if trained.complete:
        result = export_bundle(folder, trained, dataset, progress, ncnn)
    if chief:
        chief.finish()
    return result


def _with_digits_defaults(
    settings: TrainingSettings, explicit_options: Collection[str] | None, progress: Progress
) -> TrainingSettings:
    """Return the settings with the defaults of digits, if it is the data set and neither of them was passed."""
    if settings.dataset != DIGITS or explicit_options is None or _DIGITS.keys() & set(explicit_options):
        return settings
    suited = msgspec.structs.replace(settings, **_DIGITS)
    progress.say(
        f"{DIGITS} is small: training {counted(suited.epochs, 'epoch')} with learning rate {suited.learning_rate:g}; "
        "change this with --epochs"
    )
    return suited


def _run_worker(
    cluster: Cluster,
    settings: TrainingSettings,
    explicit_options: Collection[str] | None,
    data: _DataLocation,
    wait: float,
    progress: Progress,
) -> "WorkerSummary":
    with worker_group(cluster, wait, progress) as workers:
        if workers is None:
            raise AssertionError("a cluster has other workers")
        load_tensorflow()
        from edge_bench.app.training.distributed.data_parallel import run_worker

        source = None if data.source is None else str(data.source)
        return run_worker(workers.connect([]), settings, explicit_options, source, data.folder, progress)


def _dismiss_workers(workers: WorkerGroup, settings: TrainingSettings) -> None:
    """Tell the other workers that the training is complete. Missing workers are ignored."""
    load_tensorflow()
    from edge_bench.app.training.distributed.data_parallel import dismiss_workers

    with contextlib.suppress(EdgeBenchError):
        dismiss_workers(workers.connect([]), settings)


def _report_complete(bundle: Bundle, formats: Sequence[str], progress: Progress) -> Bundle:
    """Return the bundle; raise BundleError if it lacks a format, because adding a file would make it another bundle."""
    if missing := [each for each in formats if all(each != variant.name for variant in bundle.variants)]:
        raise BundleError(
            f"{bundle.folder}: its complete bundle has no variant {missing[0][:40]}",
            "train it again with --overwrite, or omit --to",
        )
    epochs = bundle.manifest.hyper_parameters.get("epochs")
    progress.say(f"{bundle.folder} is already complete: {epochs} epochs")
    return bundle


def _restore_settings(
    folder: Path, settings: TrainingSettings, explicit_options: Collection[str]
) -> TrainingSettings | None:
    """Replace settings that are not explicit with those of the bundle or unfinished training in ``folder``.

    Return None if there is neither.
    """
    saved: dict[str, object] = {}
    if (folder / MANIFEST).exists():
        saved = _bundle_settings(Bundle.open(folder))
    elif state := read_state(folder):
        saved = msgspec.structs.asdict(state.settings)
    if not saved:
        return None
    names = [name for name in settings.__struct_fields__ if name in saved and name not in explicit_options]
    return msgspec.structs.replace(settings, **{name: saved[name] for name in names})


def _prepare_folder(folder: Path, settings: TrainingSettings, *, resume: bool, overwrite: bool) -> Bundle | None:
    """Return the folder's complete bundle, if any. With ``overwrite``, remove it and an unfinished training instead.

    Raise BadInput if the folder contains either without ``resume``, BundleError if the bundle has other settings.
    """
    refuse_links(folder)
    if overwrite:
        (folder / MANIFEST).unlink(missing_ok=True)  # removed first: a folder without a manifest is no bundle
        for old in (training_folder(folder), folder / "variants"):
            shutil.rmtree(old, ignore_errors=True)
        return None
    if (folder / MANIFEST).exists():
        if not resume:
            raise BadInput(
                f"{folder}: contains a bundle already", "use it, choose another --bundle, or use --overwrite"
            )
        bundle = Bundle.open(folder)
        _check_settings(bundle, settings)
        return bundle
    if read_state(folder) is not None and not resume:
        raise BadInput(
            f"{folder}: contains an unfinished training", "continue with --resume, or start again with --overwrite"
        )
    return None


def _check_settings(bundle: Bundle, settings: TrainingSettings) -> None:
    existing = _bundle_settings(bundle)
    for name in settings.__struct_fields__:
        requested = getattr(settings, name)
        if requested not in (existing.get(name), "auto"):
            raise BundleError(
                f"{bundle.folder}: its bundle was trained with {name} {existing.get(name)}, not {requested}",
                "use the same settings, choose another --bundle, or use --overwrite",
            )


def _bundle_settings(bundle: Bundle) -> dict[str, object]:
    manifest = bundle.manifest
    return {
        **manifest.hyper_parameters,
        "seed": manifest.seed,
        "model": manifest.model.name,
        "dataset": manifest.dataset.name,
    }
