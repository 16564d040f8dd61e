"""Outputs of a configuration, recorded by a worker in an untimed pass in its first processes."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.io.record_codec import PackedArray, pack, unpack
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal.entries import OutputsRecorded
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding, MaskDecoding
from edge_bench.bench.records.outputs.masks import unpacked_mask
from edge_bench.bench.records.outputs.union import TaskOutputs
from edge_bench.bench.records.run import Failure
from edge_bench.bench.tasks.segmentation.recorder import SegmentationRecorder
from edge_bench.bench.worker.graphs.messages import Record, Recorded
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["RECORDED_PROCESSES", "record_outputs", "stored_decodings"]

#: Processes of a configuration whose outputs are recorded. The second shows whether outputs are deterministic.
RECORDED_PROCESSES = 2
#: Examples per request, few enough that each is answered well within the time limit of a trial.
_EXAMPLES_AT_A_TIME = 16


def stored_decodings(workload: Workload) -> dict[str, Decoding]:
    """Return how the outputs of each variant are read, as a Run stores it: without the sizes of the images."""
    return {
        name: msgspec.structs.replace(own.decoding, sizes=None)
        if isinstance(own.decoding, BoxDecoding)
        else own.decoding
        for name, own in workload.graphs.items()
    }


def record_outputs(
    worker: WorkerProcess,
    workload: Workload,
    number: int,
    variant: str,
    process: int,
    timeout: float,
    progress: Progress,
) -> OutputsRecorded:
    """Run all examples once, untimed, in a prepared worker; return the recorded outputs.

    Memory does not grow with the outputs: the worker keeps only what a Run stores, the parent one mask at a time. Raise
    WorkerFailed if the answers do not fit the examples.
    """
    total = len(workload.indices)
    collector = _Collector(workload, variant)
    for first in range(0, total, _EXAMPLES_AT_A_TIME):
        count = min(_EXAMPLES_AT_A_TIME, total - first)
        request = Record(first=first, count=count, last=first + count == total)
        collector.add(worker.ask(request, Recorded, timeout), first, count)
        progress.advance(0, f"recording outputs of {variant}: {first + count:,} of {total:,}")
    return collector.entry(number, process)


class _Collector:
    """Takes the answers of a worker in the order of the examples."""

    def __init__(self, workload: Workload, variant: str) -> None:
        decoding = workload.graphs[variant].decoding
        self._masks = SegmentationRecorder(decoding.classes) if isinstance(decoding, MaskDecoding) else None
        self._true_masks, self._sizes = workload.true_masks, workload.sizes
        self._categories = workload.graphs[variant].categories
        self._checksums: list[npt.NDArray[Any]] = []
        self._postprocess_ns: list[int] = []
        self._outputs: TaskOutputs | None = None

    def add(self, recorded: Recorded, first: int, count: int) -> None:
        checksums = unpack(recorded.checksums)
        masks = count if self._masks is not None else 0
        if len(checksums) != count or len(recorded.masks) != masks or len(recorded.postprocess_ns) not in (0, count):
            raise _unfit()
        self._checksums.append(checksums)
        self._postprocess_ns += recorded.postprocess_ns
        self._outputs = recorded.outputs or self._outputs
        if self._masks is None:
            return
        for position, stored in enumerate(recorded.masks, first):
            try:
                mask = unpacked_mask(stored)
                self._masks.add(mask, self._truth(position))
            except ValueError as cause:
                raise WorkerFailed(Failure(kind="failed", message=str(cause))) from None

    def entry(self, number: int, process: int) -> OutputsRecorded:
        outputs = self._outputs if self._masks is None else self._masks.record()
        if outputs is None:
            raise _unfit()
        if isinstance(outputs, Detections):
            categories = None if self._categories is None else list(self._categories)
            outputs = msgspec.structs.replace(outputs, categories=categories)
        return OutputsRecorded(
            number=number,
            process=process,
            outputs=outputs,
            checksums=pack(np.concatenate(self._checksums)),
            postprocess=_packed(self._postprocess_ns),
        )

    def _truth(self, position: int) -> npt.NDArray[np.uint16] | None:
        if self._true_masks is None or self._sizes is None:
            return None
        width, height = self._sizes[position].tolist()
        return self._true_masks.read(position, (height, width))


def _packed(values: list[int]) -> PackedArray | None:
    return pack(values) if values else None


def _unfit() -> WorkerFailed:
    return WorkerFailed(Failure(kind="failed", message="the worker returned outputs of other examples"))
