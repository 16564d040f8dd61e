"""Search for the preprocessing that a model was trained with: the preset with the highest accuracy."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.models.model_files import Models
from edge_bench.bench.preprocessing.presets import PRESETS, Preset
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.worker.messages import Prepare, Prepared, Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["PROBED", "probe_candidates"]

#: Labelled images per candidate: enough to tell the best of five presets from chance.
PROBED = 100


def probe_candidates(
    models: Models,
    variant: Variant,
    pixels: Path,
    rows: Sequence[int],
    labels: npt.NDArray[np.int64],
    input_shape: tuple[int, ...] | None,
    timeout: float,
    progress: Progress,
) -> tuple[Preset, str] | None:
    """Return the preset that classifies most images correctly, and the counts as text.

    Return None if there are no images, no installed runtime for the model, or if the worker fails.
    """
    runtime = next(
        (item for item in RUNTIMES.values() if variant.file.endswith(item.formats) and installed_version(item)), None
    )
    greyscale = variant.input.shape[-1] == 1
    candidates = [candidate for candidate in PRESETS.values() if not (greyscale and isinstance(candidate.offset, list))]
    if runtime is None or not len(rows):
        return None
    correct: dict[str, int] = {}
    progress.start("finding the preprocessing", len(candidates))
    for preset in candidates:
        request = Prepare(
            configuration=Configuration(variant=variant.name, runtime=runtime.name, threads=1, batch_size=1),
            file=models.checked(variant).absolute(),
            images=pixels,
            rows=list(rows),
            preprocessing=preset.preprocessing(),
            input_shape=None if input_shape is None else list(input_shape),
        )
        try:
            correct[preset.name] = int(np.count_nonzero(_predicted_labels(request, timeout) == labels))
        except WorkerFailed:
            progress.finish()
            return None  # the run will report the failure
        progress.advance(1, preset.name)
    progress.finish()
    best_name = max(correct, key=lambda name: correct[name])
    others = ", ".join(f"{name} {count}" for name, count in correct.items() if name != best_name)
    return PRESETS[best_name], f"it gets {correct[best_name]} of {len(rows)} images right with it ({others})"


def _predicted_labels(request: Prepare, timeout: float) -> npt.NDArray[np.int64]:
    """Return the labels that one pass in a new worker predicts."""
    with WorkerProcess(request.configuration.runtime) as worker:
        worker.wait_for(Ready, timeout)
        worker.ask(request, Prepared, timeout)
        return np.array(worker.ask(Time(passes=1), Timed, timeout).labels, np.int64)
