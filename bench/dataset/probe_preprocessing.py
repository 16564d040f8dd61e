"""Which preprocessing a model was trained with, found by trying: where its file says nothing, its answers do."""

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

#: Labelled images that candidates are tried on. Chance and the best of five stay far apart on so many.
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
    """The preset with the most right answers on the first images, and the scores; None where nothing can be said."""
    runtime = next(
        (each for each in RUNTIMES.values() if variant.file.endswith(each.formats) and installed_version(each)), None
    )
    grey = variant.input.shape[-1] == 1
    candidates = [each for each in PRESETS.values() if not (grey and isinstance(each.offset, list))]
    if runtime is None or not len(rows):
        return None
    right: dict[str, int] = {}
    progress.start("finding the preprocessing", len(candidates))
    for preset in candidates:
        request = Prepare(
            configuration=Configuration(variant=variant.name, runtime=runtime.name, threads=1, batch_size=1),
            file=str(models.checked(variant).absolute()),
            images=str(pixels),
            rows=list(rows),
            preprocessing=preset.preprocessing(),
            input_shape=None if input_shape is None else list(input_shape),
        )
        try:
            right[preset.name] = int(np.count_nonzero(_answers(request, timeout) == labels))
        except WorkerFailed:
            progress.finish()
            return None  # the run itself will say why
        progress.advance(1, preset.name)
    progress.finish()
    best = max(right, key=lambda name: right[name])
    others = ", ".join(f"{name} {count}" for name, count in right.items() if name != best)
    return PRESETS[best], f"it gets {right[best]} of {len(rows)} images right with it ({others})"


def _answers(request: Prepare, timeout: float) -> npt.NDArray[np.int64]:
    """The labels that one pass in a worker of its own gives."""
    with WorkerProcess(request.configuration.runtime) as worker:
        worker.wait_for(Ready, timeout)
        worker.ask(request, Prepared, timeout)
        return np.array(worker.ask(Time(passes=1), Timed, timeout).labels, np.int64)
