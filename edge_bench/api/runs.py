"""Runs for Python callers."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from edge_bench.api.columns import Columns, latency_columns, prediction_columns, quality_records, trial_columns
from edge_bench.api.frames import Frame, frame, frame_of_records, joined
from edge_bench.api.outputs import Boxes, Mask, Outputs, Truth, outputs_of, truth_of
from edge_bench.bench.analysis.comparison.comparison import matches
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records import run as records
from edge_bench.bench.records.run import CLASSIFY, Configuration, Result
from edge_bench.bench.wording import counted

__all__ = ["Run", "Runs"]


class Run:
    """The measurements of a run on one machine.

    Methods with the parameter ``configuration`` take ``VARIANT[/RUNTIME[/THREADS[/BATCH[/DELEGATE]]]]``, such as
    ``int8/litert``, and raise BadInput if no configuration with trials matches. Without it, tables have all of them.
    """

    def __init__(self, record: records.Run, path: Path | None = None) -> None:
        self.record = record
        self.path = path

    def __repr__(self) -> str:
        record = self.record
        count = counted(len(record.results), "configuration")
        state = "" if record.complete else ", incomplete"
        return f"<Run {record.run_id[:8]}: {record.bundle.model} on {record.bundle.dataset}, {count}{state}>"

    @property
    def task(self) -> str:
        """Meaning of the outputs: classify, detect, segment, regress, binary, multilabel or tensor."""
        return self.record.task

    @property
    def machine(self) -> str:
        """Name and processor of the machine."""
        return self.record.machine.label

    @property
    def complete(self) -> bool:
        """Whether every configuration has all its trials or a failure."""
        return self.record.complete

    @property
    def trusted(self) -> bool | None:
        """Whether the Run is complete and its times are reliable; None if unknown, for an old Run."""
        return self.record.trusted

    @property
    def findings(self) -> list[str]:
        """Causes that make, or may make, the times unreliable, each with its remedy."""
        return [f"{each.what}; {each.remedy}" if each.remedy else each.what for each in self.record.findings]

    @property
    def configurations(self) -> list[str]:
        """The configurations, each as ``VARIANT/RUNTIME/THREADS/BATCH``."""
        return [_selector(result.configuration) for result in self.record.results]

    @property
    def failures(self) -> dict[str, str]:
        """Reasons why configurations have no trials, or not all, by configuration."""
        return {
            _selector(result.configuration): result.failure.message for result in self.record.results if result.failure
        }

    @property
    def examples(self) -> npt.NDArray[np.int64]:
        """Positions of the measured examples in the data, in the order of outputs and true values, shape [examples]."""
        return unpack(self.record.images.indices).astype(np.int64)

    def to_frame(self) -> Frame:
        """Return one row per configuration.

        The columns are the fields of ``edge-bench run --format json`` that are single values. Further columns:
        median_ms is the median pass divided by its images or inferences, with its 95 % interval. quality_measure,
        quality, quality_low and quality_high are the first measure of the task.
        """
        return frame_of_records(self._rows())

    def trials(self, configuration: str | None = None) -> Frame:
        """Return one row per trial: its process, duration and CPU times in s, and mean_ms per image or inference.

        power_w is the mean power of the metered part of the machine in W; NaN without a power meter.

        A trial is one timed pass over the examples, or several if one is shorter than 200 ms.
        """
        return self._table(lambda result: trial_columns(self.record, result), configuration)

    def latencies(self, configuration: str | None = None) -> Frame:
        """Return one row per timed invocation: its duration in ms, and latency_ms per image or inference."""
        return self._table(latency_columns, configuration)

    def predictions(self, configuration: str | None = None) -> Frame:
        """Return one row per configuration and image: predicted and true class. Raise BadInput for other tasks."""
        if self.task != CLASSIFY:
            raise BadInput(f"a Run of task {self.task} has outputs, not predicted classes", "call outputs()")
        return self._table(lambda result: prediction_columns(self.record, result), configuration)

    def quality(self, configuration: str | None = None) -> Frame:
        """Return one row per configuration and measure, with a 95 % interval. Fractions are from 0 to 1."""
        return frame_of_records(
            [row for result in self._measured(configuration) for row in quality_records(self.record, result)]
        )

    def outputs(self, configuration: str | None = None) -> Outputs:
        """Return the outputs of one configuration, one entry per example.

        detect: `Boxes`; segment: class masks, as `masks`; regress, binary and multilabel: numbers, as `numbers`;
        tensor: all outputs by name, as `tensors`. Raise BadInput for task classify, if several configurations match,
        and if the configuration has no outputs.
        """
        if self.task == CLASSIFY:
            raise BadInput("a Run of task classify has predicted classes, not outputs", "call predictions()")
        result = self._only(configuration)
        outputs = outputs_of(self.record, result)
        if outputs is None:
            raise BadInput(f"{_selector(result.configuration)} has no outputs", "name another configuration")
        return outputs

    def boxes(self, configuration: str | None = None) -> list[Boxes]:
        """Return the boxes that one configuration predicted in each image; raise BadInput for other tasks."""
        return self._of_task(configuration, "detect")  # type: ignore[no-any-return]

    def masks(self, configuration: str | None = None) -> list[Mask | None]:
        """Return the class of each pixel of each image, [height, width] of the model's output; None: not stored.

        Raise BadInput for tasks other than segment.
        """
        return self._of_task(configuration, "segment")  # type: ignore[no-any-return]

    def numbers(self, configuration: str | None = None) -> npt.NDArray[np.float64]:
        """Return the values of each example, shape [examples, values].

        Raise BadInput for tasks other than regress, binary and multilabel.
        """
        return self._of_task(configuration, "regress", "binary", "multilabel")  # type: ignore[no-any-return]

    def tensors(self, configuration: str | None = None) -> list[dict[str, npt.NDArray[Any]]]:
        """Return all outputs of the first examples, which a Run stores, by name.

        An output too large to be stored is a flat sample of its values. Raise BadInput for tasks other than tensor.
        """
        return self._of_task(configuration, "tensor")  # type: ignore[no-any-return]

    def truth(self) -> Truth:
        """Return the true values, one entry per example: labels, `Boxes` or numbers.

        None if they are unknown, and for masks, of which a Run stores only the comparison with the predicted masks.
        """
        return truth_of(self.record)

    def _rows(self) -> list[dict[str, Any]]:
        from edge_bench.app.tables.runs.run import run_table

        about = {"run": self.record.run_id, "began": self.record.began}
        return [
            about | record | _per_example(record) | _first_measure(record) for record in run_table(self.record).records
        ]

    def _table(self, columns: Callable[[Result], Columns], configuration: str | None) -> Frame:
        return frame(joined([columns(result) for result in self._measured(configuration)]))

    def _measured(self, configuration: str | None) -> list[Result]:
        """Return the results with trials that match; raise BadInput if none does."""
        measured = self.record.results_with_trials
        found = [each for each in measured if configuration is None or matches(each.configuration, configuration)]
        if not found:
            known = ", ".join(_selector(each.configuration) for each in measured)
            what = (
                "configuration was measured"
                if configuration is None
                else f"measured configuration is {configuration!r}"
            )
            raise BadInput(f"no {what}", f"choose from {known}" if known else "see the reasons in Run.failures")
        return found

    def _only(self, configuration: str | None) -> Result:
        found = self._measured(configuration)
        if len(found) > 1:
            known = ", ".join(_selector(each.configuration) for each in found)
            raise BadInput("several configurations have outputs", f"choose one: {known}")
        return found[0]

    def _of_task(self, configuration: str | None, *tasks: str) -> Any:
        if self.task not in tasks:
            raise BadInput(
                f"this is a Run of task {self.task}, not {' or '.join(tasks)}", "call Run.outputs() for its outputs"
            )
        return self.outputs(configuration)


class Runs(Sequence[Run]):
    """Several Runs, as a list that does not change."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = list(runs)

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, key: int) -> Run: ...
    @overload
    def __getitem__(self, key: slice) -> "Runs": ...
    def __getitem__(self, key: int | slice) -> "Run | Runs":
        """Return a Run, or those of a slice."""
        return Runs(self._runs[key]) if isinstance(key, slice) else self._runs[key]

    def __repr__(self) -> str:
        return f"<Runs: {self._runs}>"

    def to_frame(self) -> Frame:
        """Return one row per Run and configuration, with the columns of `Run.to_frame`."""
        return frame_of_records([row for run in self._runs for row in run._rows()])


def _selector(configuration: Configuration) -> str:
    parts = [configuration.variant, configuration.runtime, configuration.threads, configuration.batch_size]
    return "/".join(map(str, [*parts, configuration.delegate] if configuration.delegate else parts))


def _per_example(record: dict[str, Any]) -> dict[str, float | None]:
    """Return the median pass with its interval in ms per image or inference."""
    names = {"median_ms": "pass_median_s", "median_low_ms": "pass_median_low_s", "median_high_ms": "pass_median_high_s"}
    examples = record["images"]
    return {
        name: None if record[field] is None or not examples else 1e3 * record[field] / examples
        for name, field in names.items()
    }


def _first_measure(record: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = next(iter(record["quality"]), {})
    interval = first.get("interval") or {}
    return {
        "quality_measure": first.get("name"),
        "quality": first.get("value"),
        "quality_low": interval.get("low"),
        "quality_high": interval.get("high"),
    }
