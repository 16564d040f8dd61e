"""Comparison of Runs."""

from collections.abc import Iterable

from edge_bench.api.frames import Frame, frame_of_records
from edge_bench.api.runs import Run
from edge_bench.bench.analysis.comparison import comparison
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.errors import BadInput
from edge_bench.bench.wording import counted

__all__ = ["Comparison", "compare"]


class Comparison:
    """Every configuration of one or more Runs, compared with a baseline.

    record: the data of ``edge-bench compare``; rows and frame are in its order
    """

    def __init__(self, record: comparison.Comparison) -> None:
        self.record = record

    def __repr__(self) -> str:
        count = len(self.record.rows)
        return (
            f"<Comparison of {counted(count, 'configuration')} with {self.record.baseline} on "
            f"{self.record.baseline_machine}>"
        )

    @property
    def rows(self) -> list[Row]:
        """One record per configuration: ratio of times with its interval, verdict, differences of quality."""
        return self.record.rows

    @property
    def notes(self) -> list[str]:
        """Notes on the Runs and the choice of the baseline."""
        return self.record.notes

    def to_frame(self) -> Frame:
        """Return one row per configuration. The columns are the single values of ``compare --format json``."""
        from edge_bench.app.tables.runs.comparison import comparison_table

        return frame_of_records(comparison_table(self.record).records)


def compare(runs: Run | Iterable[Run], baseline: str | None = None, history: Run | Iterable[Run] = ()) -> Comparison:
    """Compare every configuration of one or more Runs of the same images with one of them.

    baseline: ``VARIANT[/RUNTIME[/THREADS[/BATCH[/DELEGATE]]]]``; by default the original model, or the most similar one
    history: earlier Runs, which are not compared. They show how much the machine varies from run to run
    Raise BadInput if no configuration matches the baseline or there is no Run. Raise ResultsError if Runs are of
    different tasks or images. Raise TypeError for anything that is not a Run, such as a path.
    """
    if baseline is not None and not isinstance(baseline, str):
        raise TypeError(f"baseline is a text such as 'dynamic/litert', not {type(baseline).__name__}")
    compared = [run.record for run in _list_of(runs)]
    if not compared:
        raise BadInput("no Runs to compare", "pass the Runs that edge_bench.load() returns")
    earlier = [run.record for run in _list_of(history)]
    return Comparison(comparison.compare(compared, baseline, earlier))


def _list_of(runs: Run | Iterable[Run]) -> list[Run]:
    listed = [runs] if isinstance(runs, Run) else list(runs)
    for each in listed:
        if not isinstance(each, Run):
            raise TypeError(f"compare() takes Runs, not {type(each).__name__}: use edge_bench.load(PATH)")
    return listed
