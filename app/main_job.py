"""The main job: train, run, compare on one machine, each step skipped where its result is there already."""

from dataclasses import dataclass
from pathlib import Path

from app import console
from app.measuring import measure
from app.questions import about_bundle
from app.training.checkpoints import TrainingSettings
from app.training.job import train_bundle
from bench.bundle import Bundle
from bench.plan import Selection
from bench.progress import Progress
from bench.results import Run, Settings
from bench.results_folder import writable_folder

__all__ = ["MainJob", "main_job"]


@dataclass(frozen=True)
class MainJob:
    """What the main job made."""

    bundle: Path
    run: Run
    path: Path


def main_job(
    folder: Path,
    training: TrainingSettings,
    data_dir: Path | None,
    settings: Settings,
    results: Path,
    progress: Progress,
    *,
    fresh: bool,
) -> MainJob:
    """Trains (or goes on, or finds it done), then measures (or finds that done)."""
    writable_folder(results)
    bundle = train_bundle(folder, training, progress, data_dir=data_dir, resume=True)
    if not isinstance(bundle, Bundle):
        raise AssertionError("without stop_after a training ends in a bundle")
    if bundle.manifest.dataset.note:
        console.banner(bundle.manifest.dataset.note)
    question = about_bundle(folder, Selection(), settings, progress)
    return MainJob(folder, *measure(question, results, progress, once=not fresh))
