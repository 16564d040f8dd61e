"""One training on several machines in turn: each trains some epochs and passes the checkpoint to the next.

The folder that `train` writes, with its checkpoint, is sent from machine to machine through this one. Checksums are
verified after every transfer. Each machine only runs `train --stop-after … --resume`, so the weights are the same as
after a training on one machine, if the machines compute identical results.
"""

import contextlib
import os
import re
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_bench.app.fleet.docker.container import KILLED, ContainerExit
from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble
from edge_bench.app.fleet.docker.images import ImageSource, ensure_image
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.docker.transfer import megabytes
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs.spec import parse_progress
from edge_bench.app.render.text.terminal import UNWRAPPED
from edge_bench.app.training.fit.checkpoints import TrainingSettings, TrainingState, checkpoint_path, read_state
from edge_bench.app.training.job import lock_bundle_folder
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.wording import counted

__all__ = ["Share", "TrainingJobSpec", "shares", "train_in_turn"]

#: Full names in the fetched archive of all files that `train` writes.
_FILES = re.compile(
    r"bundle/(training/(epoch-\d{4}\.keras|state\.json)|manifest\.json|model\.keras|history\.json"
    r"|variants/[a-z0-9]+\.tflite|test/(images|labels)\.npy|plots/training\.png)"
)
#: Files that are moved into the bundle's folder last, because they make the other files valid.
_LAST_FILES = ("state.json", MANIFEST)
#: The largest bundle, with its test set: 4 GiB.
_MAX_BYTES = 4 << 30
#: The bundle is in the results' volume, because the image's user may write there.
_BUNDLE, _DATA = "/results/bundle", "/artifacts/data"


@dataclass(frozen=True)
class Share:
    """The epochs of one machine: those after ``begin``, up to and including ``end``."""

    engine: EngineSetting
    begin: int
    end: int


@dataclass(frozen=True)
class TrainingJobSpec:
    """The training, its image and its data."""

    folder: Path  # of the bundle on this machine
    settings: TrainingSettings
    source: ImageSource
    data: Path | None = None  # a folder that is sent to every machine; None: each downloads the data set
    timeout: float = 30  # timeout of an engine's response, in seconds
    remove_image: bool = False


def shares(engines: Sequence[EngineSetting], epochs: int, ends: Sequence[int] | None) -> list[Share]:
    """Divide the epochs among the engines, evenly or at the last epochs ``ends`` of all engines but the last.

    Raise BadInput if an engine would have no epoch.
    """
    count = len(engines)
    stops = list(ends) if ends is not None else [round(epochs * (n + 1) / count) for n in range(count - 1)]
    if len(stops) != count - 1:
        raise BadInput(
            f"--stop-after has {counted(len(stops), 'epoch')}, but {counted(count, 'machine')} need {count - 1}",
            "give one epoch for each machine but the last, for example --stop-after 30,60 for three machines",
        )
    begins, finals = [0, *stops], [*stops, epochs]
    if any(begin >= end for begin, end in zip(begins, finals, strict=True)):
        raise BadInput(
            f"{counted(count, 'machine')} cannot share {counted(epochs, 'epoch')} as {', '.join(map(str, finals))}",
            "each machine needs at least one: use more --epochs or another --stop-after",
        )
    return [Share(*share) for share in zip(engines, begins, finals, strict=True)]


def train_in_turn(spec: TrainingJobSpec, plan: Sequence[Share], progress: Progress, *, resume: bool) -> Bundle:
    """Train the shares one after the other, and return the finished and checked bundle.

    With ``resume``, completed epochs are skipped. Without it, raise BadInput if the folder has a bundle or a training.
    If a machine fails, its last completed epoch is fetched if possible, and ``resume`` continues after that epoch.
    """
    with lock_bundle_folder(spec.folder):
        done = _epochs_done(spec, resume=resume)
        for share in plan:
            if done < share.end:
                _train_share(spec, share, done, progress)
                done = share.end
        return _checked_bundle(Bundle.open(spec.folder), spec.settings)


def _epochs_done(spec: TrainingJobSpec, *, resume: bool) -> int:
    state = read_state(spec.folder)
    finished = (spec.folder / MANIFEST).exists()
    if (state or finished) and not resume:
        raise BadInput(
            f"{spec.folder}: contains a bundle or a training already", "use --resume, or choose another BUNDLE"
        )
    if finished:
        _checked_bundle(Bundle.open(spec.folder), spec.settings)
        return spec.settings.epochs
    return _checked_state(spec.folder, spec.settings).epochs_done if state else 0


def _train_share(spec: TrainingJobSpec, share: Share, done: int, progress: Progress) -> None:
    name = share.engine.name
    progress.start(f"{name}: epochs {done + 1} to {share.end}", share.end - done)
    with Engine(share.engine, spec.timeout) as engine:
        workspace = Workspace(engine, uuid.uuid4().hex[:8], "")
        try:
            workspace.image, sent = ensure_image(engine, spec.source, lambda _: None)
            if sent:
                progress.say(f"{name}: image sent, {megabytes(sent)}")
            sent = _send(spec, workspace, done)
            progress.say(f"{name}: {megabytes(sent, 1)} sent")
            status = _train(spec, workspace, share, done, progress)
            failed = status is None or status.code
            with contextlib.suppress(EngineTrouble) if failed else contextlib.nullcontext():
                _fetch(spec, workspace)
        except EngineLost as lost:
            raise EngineLost(
                f"{name}: {lost.problem}",
                "run `edge-bench fleet clean` when it is reachable again; continue with --resume",
            ) from lost
        except BaseException:
            with contextlib.suppress(EngineTrouble):
                workspace.clean_up(remove_image=spec.remove_image)
            raise
        workspace.clean_up(remove_image=spec.remove_image)
    if status is None:
        raise KeyboardInterrupt
    if status.code:
        reason = "it was killed" if status.code == KILLED else status.message
        reason = "out of memory" if status.out_of_memory else reason
        raise EngineTrouble(
            f"{name}: its training ended early: {reason}", "continue after its last complete epoch with --resume"
        )
    progress.finish()


def _send(spec: TrainingJobSpec, workspace: Workspace, done: int) -> int:
    """Send the folder with its checkpoint, and the data. Return the number of bytes sent."""
    total = 0
    if done:
        total, _ = workspace.copy_in(spec.folder, "results", "bundle", lambda _: None)
    if spec.data:
        sent, _ = workspace.copy_in(spec.data, "artifacts", "data", lambda _: None)
        total += sent
    return total


def _train(
    spec: TrainingJobSpec, workspace: Workspace, share: Share, done: int, progress: Progress
) -> ContainerExit | None:
    """Train in a container and return its exit status, None if the user interrupted it."""
    container = workspace.start(
        "train",
        train_command(spec, share),
        volumes={"artifacts": "ro", "results": "rw"},
        environment=UNWRAPPED | {"EDGE_BENCH_CACHE": "/tmp/cache"},  # noqa: S108 - in the container's memory
        network="none" if spec.data or spec.settings.dataset == "digits" else "bridge",
    )
    reported = done

    def on_line(line: str) -> None:
        nonlocal reported
        if (parsed := parse_progress(line)) and parsed[0] == "training":
            _, epochs, _, note = parsed
            progress.advance(max(0, epochs - reported), note)
            reported = max(reported, epochs)

    try:
        return workspace.follow(container, on_line)
    except KeyboardInterrupt:
        progress.say(f"{share.engine.name}: stopping and fetching completed epochs")
        workspace.stop(container)
        return None


def train_command(spec: TrainingJobSpec, share: Share) -> list[str]:
    """Return the container's command."""
    settings = spec.settings
    return [
        "train", "--bundle", _BUNDLE, "--resume", "--stop-after", str(share.end),
        "--dataset", settings.dataset, "--model", settings.model, "--epochs", str(settings.epochs),
        "--batch-size", str(settings.batch_size), "--learning-rate", repr(settings.learning_rate),
        "--dropout", repr(settings.dropout), "--seed", str(settings.seed),
        *(["--data-dir", _DATA] if spec.data else []),
    ]  # fmt: skip


def _fetch(spec: TrainingJobSpec, workspace: Workspace) -> None:
    """Fetch the machine's files, and move them into the bundle's folder if all of them are valid."""
    with tempfile.TemporaryDirectory(dir=spec.folder.parent, prefix=".edge-bench-fetched-") as temporary:
        files = workspace.fetch("results", "bundle", Path(temporary), _FILES, _MAX_BYTES, lambda _: None)
        fetched = Path(temporary) / "bundle"
        if (fetched / MANIFEST).exists():
            _checked_bundle(Bundle.open(fetched), spec.settings)
        else:
            _checked_state(fetched, spec.settings)
        for path in sorted(files, key=lambda path: path.name in _LAST_FILES):
            target = spec.folder / path.relative_to(fetched)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    _remove_old_checkpoints(spec.folder)


def _remove_old_checkpoints(folder: Path) -> None:
    """Remove checkpoints that the state does not name, and the training's folder if the bundle is finished."""
    state = None if (folder / MANIFEST).exists() else read_state(folder)
    for path in (folder / "training").glob("*"):
        if state is None or path.name not in ("state.json", state.checkpoint.file):
            path.unlink()
    if state is None:
        with contextlib.suppress(OSError):
            (folder / "training").rmdir()


def _checked_state(folder: Path, settings: TrainingSettings) -> TrainingState:
    """Return the state of an unfinished training.

    Raise BadInput if it has other settings, EngineTrouble if it is missing or its checkpoint is altered.
    """
    state = read_state(folder)
    if state is None:
        raise EngineTrouble("it ended before its first epoch was complete", "start again with --resume")
    if state.settings != settings:
        raise BadInput(
            f"{folder}: contains a training with other settings", "use the same settings, or choose another BUNDLE"
        )
    path = checkpoint_path(folder, state)
    if not path.is_file() or sha256_of(path) != state.checkpoint.sha256:
        raise EngineTrouble(f"{path.name}: the checkpoint is missing or altered", "fetch it again with --resume")
    return state


def _checked_bundle(bundle: Bundle, settings: TrainingSettings) -> Bundle:
    """Return the bundle. Raise BundleError if a file is altered, BadInput if it is from another training."""
    manifest = bundle.manifest
    for variant in bundle.variants:
        bundle.checked(variant)
    if manifest.history:
        bundle.checked(manifest.history)
    trained = (manifest.dataset.name, manifest.model.name, manifest.seed, manifest.hyper_parameters.get("epochs"))
    if trained != (settings.dataset, settings.model, settings.seed, settings.epochs):
        raise BadInput(f"{bundle.folder}: contains the bundle of another training", "choose another BUNDLE")
    return bundle


def data_folder(settings: TrainingSettings, folder: Path | None) -> Path | None:
    """Return the local folder with the data set: ``folder``, or the one below EDGE_BENCH_DATA if it exists.

    Return None if neither is given: each machine then downloads the data set.
    """
    if folder is not None:
        if not folder.is_dir():
            raise EdgeBenchError(f"{folder}: no such folder", "use the folder that contains the data set")
        return folder
    parent = os.environ.get("EDGE_BENCH_DATA")
    default = Path(parent) / settings.dataset if parent else None
    return default if default and default.is_dir() else None
