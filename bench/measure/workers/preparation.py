"""The request that prepares a worker for one configuration."""

from pathlib import Path
from typing import Any

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.records.run import Settings
from edge_bench.bench.worker.graphs.messages import GraphPrepared, PrepareGraph
from edge_bench.bench.worker.messages import Prepare, Prepared

__all__ = ["files_for", "preparation"]


def files_for(workload: Workload, planned: Planned) -> list[Path]:
    """Return the files that a worker reads: the model and its examples."""
    return [*([planned.file] if planned.file else []), *workload.files_of(planned.configuration.variant)]


def preparation(workload: Workload, planned: Planned, settings: Settings) -> tuple[Prepare | PrepareGraph, type[Any]]:
    """Return the request, and the type of its answer."""
    if workload.graphs:
        return _graph_preparation(workload, planned, settings), GraphPrepared
    own = workload.input_of(planned.configuration.variant)
    request = Prepare(
        configuration=planned.configuration,
        file=planned.file or Path(),
        images=own.pixels,
        rows=own.rows.tolist(),
        preprocessing=own.preprocessing,
        input_shape=None if own.input_shape is None else list(own.input_shape),
        threshold=own.score_threshold,
        class_of_output=own.class_of_output,
        stateful=settings.stateful,
        delegate_library=planned.delegate_file,
    )
    return request, Prepared


def _graph_preparation(workload: Workload, planned: Planned, settings: Settings) -> PrepareGraph:
    own = workload.graphs[planned.configuration.variant]
    return PrepareGraph(
        configuration=planned.configuration,
        file=planned.file or Path(),
        inputs=list(own.inputs),
        rows=own.rows.tolist(),
        decoding=own.decoding,
        signature=own.signature,
        shapes={name: list(shape) for name, shape in own.shapes.items()},
        stateful=settings.stateful,
        with_postprocess=settings.with_postprocess,
        delegate_library=planned.delegate_file,
    )
