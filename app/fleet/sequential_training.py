"""One training on several machines in turn: each does its share of the epochs, and the bundle's folder travels.

What goes from machine to machine goes by way of this one: the folder that `train` wrote, with its checkpoint, checked
by checksum on every way. Each machine runs `train --stop-after … --resume`, and nothing else, so the weights are those
of one machine where the machines compute alike.
"""

import contextlib
import os
import re
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_bench.app.fleet.docker.container import ContainerExit
from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble
from edge_bench.app.fleet.docker.images import ImageSource, ensure_image
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs.spec import PROGRESS
from edge_bench.app.training.fit.checkpoints import TrainingSettings, TrainingState, checkpoint_path, read_state
from edge_bench.app.training.job import bundle_holder
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle

__all__ = ["Share", "TrainingJobSpec", "shares", "train_in_turn"]

#: All that `train` writes, by its whole name in the archive; the file that makes it count comes last.
FILES = re.compile(
    r"bundle/(training/(epoch-\d{4}\.keras|state\.json)|manifest\.json|model\.keras|history\.json"
    r"|variants/[a-z0-9]+\.tflite|test/(images|labels)\.npy|plots/training\.png)"
)
LAST = ("state.json", MANIFEST)
#: As large as a bundle with its data set may be.
MOST_BYTES = 4 << 30
_KILLED = 137  # 128 + SIGKILL
#: The results' volume is what the image's user may write to.
BUNDLE, DATA = "/results/bundle", "/artifacts/data"


@dataclass(frozen=True)
class Share:
    """Epochs of one machine: from ``begin`` (done before) to ``end``."""

    engine: EngineSetting
    begin: int
    end: int


@dataclass(frozen=True)
class TrainingJobSpec:
    """What is trained, and from where."""

    folder: Path  # of the bundle, here
    settings: TrainingSettings
    source: ImageSource
    data: Path | None = None  # a folder that is sent to every machine; None: each gets the data set itself
    timeout: float = 30  # seconds for an answer
    remove_image: bool = False


def shares(engines: Sequence[EngineSetting], epochs: int, ends: Sequence[int] | None) -> list[Share]:
    """Who does which epochs: evenly, or until the epochs ``ends`` of all machines but the last.

    BadInput where that leaves a machine without any.
    """
    count = len(engines)
    stops = list(ends) if ends is not None else [round(epochs * (n + 1) / count) for n in range(count - 1)]
    if len(stops) != count - 1:
        raise BadInput(
            f"--stop-after names {len(stops)} epochs, and {count - 1} of the {count} machines hand over",
            "an epoch for each machine but the last, such as --stop-after 30,60 for three",
        )
    begins, finals = [0, *stops], [*stops, epochs]
    if any(begin >= end for begin, end in zip(begins, finals, strict=True)):
        raise BadInput(
            f"{count} machines cannot share {epochs} epochs as {', '.join(map(str, finals))}",
            "every machine has to do at least one: more --epochs, or another --stop-after",
        )
    return [Share(*share) for share in zip(engines, begins, finals, strict=True)]


def train_in_turn(spec: TrainingJobSpec, plan: Sequence[Share], progress: Progress, *, resume: bool) -> Bundle:
    """Each machine's share, one after another; the finished bundle, checked, in the order's folder.

    What is done already is not done again with ``resume``; without it BadInput where anything is there. Where a
    machine fails, the last whole epoch that could be fetched from it is in the folder, and ``resume`` goes on there.
    """
    with bundle_holder(spec.folder):
        done = _epochs_done(spec, resume=resume)
        for share in plan:
            if done < share.end:
                _one_share(spec, share, done, progress)
                done = share.end
        return _checked_bundle(spec)


def _epochs_done(spec: TrainingJobSpec, *, resume: bool) -> int:
    state = read_state(spec.folder)
    finished = (spec.folder / MANIFEST).exists()
    if (state or finished) and not resume:
        raise BadInput(f"{spec.folder}: a bundle or a training is there already", "--resume, or name another BUNDLE")
    if finished:
        _checked_bundle(spec)
        return spec.settings.epochs
    return _checked_state(spec.folder, spec.settings).epochs_done if state else 0


def _one_share(spec: TrainingJobSpec, share: Share, done: int, progress: Progress) -> None:
    name = share.engine.name
    progress.start(f"{name}: epochs {done + 1} to {share.end}", share.end - done)
    with Engine(share.engine, spec.timeout) as engine:
        workspace = Workspace(engine, uuid.uuid4().hex[:8], "")
        try:
            workspace.image, sent = ensure_image(engine, spec.source, lambda _: None)
            if sent:
                progress.say(f"{name}: the image was sent, {sent / 1e6:.0f} MB")
            sent = _send(spec, workspace, done)
            progress.say(f"{name}: {sent / 1e6:.1f} MB sent")
            ended = _train(spec, workspace, share, done, progress)
            with contextlib.suppress(EngineTrouble) if ended is None or ended.code else contextlib.nullcontext():
                _fetch(spec, workspace)
        except EngineLost as lost:
            raise EngineLost(
                f"{name}: {lost.problem}",
                "`edge-bench fleet clean` when it is back; --resume goes on from what is here",
            ) from lost
        except BaseException:
            with contextlib.suppress(EngineTrouble):
                workspace.clean_up(remove_image=spec.remove_image)
            raise
        workspace.clean_up(remove_image=spec.remove_image)
    if ended is None:
        raise KeyboardInterrupt
    if ended.code:
        why = "out of memory" if ended.out_of_memory else "it was killed" if ended.code == _KILLED else ended.last_words
        raise EngineTrouble(f"{name}: its training ended early: {why}", "--resume goes on after its last whole epoch")
    progress.finish()


def _send(spec: TrainingJobSpec, workspace: Workspace, done: int) -> int:
    """The folder with its checkpoint, and the data. The bytes sent."""
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
    """How it ended; None where the person interrupted it, and it ended in good order."""
    container = workspace.start(
        "train",
        train_command(spec, share),
        volumes={"artifacts": "ro", "results": "rw"},
        environment={"EDGE_BENCH_CACHE": "/tmp/cache"},  # noqa: S108 - the container's own, in memory
        network="none" if spec.data or spec.settings.dataset == "digits" else "bridge",
    )
    at = done

    def on_line(line: str) -> None:
        nonlocal at
        if (found := PROGRESS.match(line)) and found["what"] == "training":
            progress.advance(max(0, int(found["done"]) - at), found["note"].lstrip(", "))
            at = max(at, int(found["done"]))

    try:
        return workspace.follow(container, on_line)
    except KeyboardInterrupt:
        progress.say(f"{share.engine.name}: stopping; what it has done is fetched")
        workspace.stop(container)
        return None


def train_command(spec: TrainingJobSpec, share: Share) -> list[str]:
    """What is called in the container."""
    settings = spec.settings
    return [
        "train", "--bundle", BUNDLE, "--resume", "--stop-after", str(share.end),
        "--dataset", settings.dataset, "--model", settings.model, "--epochs", str(settings.epochs),
        "--batch-size", str(settings.batch_size), "--learning-rate", repr(settings.learning_rate),
        "--dropout", repr(settings.dropout), "--seed", str(settings.seed),
        *(["--data-dir", DATA] if spec.data else []),
    ]  # fmt: skip


def _fetch(spec: TrainingJobSpec, workspace: Workspace) -> None:
    """What the machine has made, into the folder here when all of it is right."""
    with tempfile.TemporaryDirectory(dir=spec.folder.parent, prefix=".edge-bench-fetched-") as temporary:
        files = workspace.fetch("results", "bundle", Path(temporary), FILES, MOST_BYTES, lambda _: None)
        came = Path(temporary) / "bundle"
        if (came / MANIFEST).exists():
            _whole(Bundle.open(came), spec.settings)
        else:
            _checked_state(came, spec.settings)
        for path in sorted(files, key=lambda path: path.name in LAST):
            to = spec.folder / path.relative_to(came)
            to.parent.mkdir(parents=True, exist_ok=True)
            path.replace(to)
    _without_leftovers(spec.folder)


def _without_leftovers(folder: Path) -> None:
    """Checkpoints that the state no longer names; all of them where the bundle is whole."""
    state = None if (folder / MANIFEST).exists() else read_state(folder)
    for path in (folder / "training").glob("*"):
        if state is None or path.name not in ("state.json", state.checkpoint.file):
            path.unlink()
    if state is None:
        with contextlib.suppress(OSError):
            (folder / "training").rmdir()


def _checked_state(folder: Path, settings: TrainingSettings) -> TrainingState:
    """The unfinished training there; EngineTrouble or BundleError unless it is of these settings and undamaged."""
    state = read_state(folder)
    if state is None:
        raise EngineTrouble("it ended before its first epoch was whole", "--resume begins again")
    if state.settings != settings:
        raise BadInput(f"{folder}: the training there has other settings", "use the same, or name another BUNDLE")
    path = checkpoint_path(folder, state)
    if not path.is_file() or sha256_of(path) != state.checkpoint.sha256:
        raise EngineTrouble(f"{path.name}: the checkpoint is missing or altered", "--resume fetches it again")
    return state


def _checked_bundle(spec: TrainingJobSpec) -> Bundle:
    return _whole(Bundle.open(spec.folder), spec.settings)


def _whole(bundle: Bundle, settings: TrainingSettings) -> Bundle:
    """The bundle when every file of it is right, and it is what was asked for."""
    manifest = bundle.manifest
    for variant in bundle.variants:
        bundle.checked(variant)
    if manifest.history:
        bundle.checked(manifest.history)
    there = (manifest.dataset.name, manifest.model.name, manifest.seed, manifest.hyper_parameters.get("epochs"))
    if there != (settings.dataset, settings.model, settings.seed, settings.epochs):
        raise BadInput(f"{bundle.folder}: a bundle of another training", "name another BUNDLE")
    return bundle


def data_folder(settings: TrainingSettings, stated: Path | None) -> Path | None:
    """The folder with the data set on this machine, where one is named; None where each machine gets it itself."""
    if stated is not None:
        if not stated.is_dir():
            raise EdgeBenchError(f"{stated}: no such folder", "name the one that holds the data set")
        return stated
    named = os.environ.get("EDGE_BENCH_DATA")
    found = Path(named) / settings.dataset if named else None
    return found if found and found.is_dir() else None
