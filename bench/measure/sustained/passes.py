"""The longest pass of a sustained load."""

from edge_bench.bench.analysis.sustained.bins import bin_seconds
from edge_bench.bench.progress import about, duration_text
from edge_bench.bench.records.run import Failure
from edge_bench.bench.records.settings.settings import Sustained
from edge_bench.bench.worker.process import WorkerFailed

__all__ = ["require_short_pass"]

#: Fewest trials in a bin, so that one disturbed trial does not decide about it.
_TRIALS_PER_BIN = 3


def require_short_pass(pass_seconds: float, load: Sustained | None) -> None:
    """Raise WorkerFailed if a pass is too long for the bins of a sustained load."""
    if load is not None and pass_seconds > (longest := bin_seconds(load.duration_s) / _TRIALS_PER_BIN):
        raise WorkerFailed(
            Failure(
                kind="too slow",
                message=f"a pass takes {about(pass_seconds)}, and for --duration {duration_text(load.duration_s)} it "
                f"may take {longest:.2g} s",
                remedy="use a smaller --limit, or a longer --duration",
            )
        )
