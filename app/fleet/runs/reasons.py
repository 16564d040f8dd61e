"""The reason and the remedy in the row of an engine without a Run."""

from edge_bench.app.fleet.docker.container import KILLED, ContainerExit
from edge_bench.bench.errors import EdgeBenchError, ResultsError

__all__ = ["reason_of_error", "reason_of_exit"]


def reason_of_error(cause: OSError | EdgeBenchError, *, left_behind: bool) -> tuple[str, str]:
    """Return the reason and the remedy of an error; ``left_behind``: whether the work is still on the engine.

    An error of this machine, such as a full disk, must not cost what the engine has measured.
    """
    if isinstance(cause, EdgeBenchError) and not (left_behind and isinstance(cause, ResultsError)):
        return cause.problem, cause.remedy
    remedy = "fix this on this machine, then continue with --resume"
    if isinstance(cause, OSError):  # an engine's errors are EngineTrouble
        return f"{cause.filename or 'this machine'}: {cause.strerror or cause}", remedy
    return cause.problem, remedy


def reason_of_exit(status: ContainerExit) -> tuple[str, str]:
    """Return the reason and the remedy of a benchmark that has failed."""
    if status.out_of_memory:
        return (
            "out of memory: the machine stopped the benchmark",
            "use a smaller --limit or --batch-size, or more `memory` for the engine",
        )
    if "No such command" in status.message:
        return "its image is older than this edge-bench, and has no such command", "build the image again"
    if status.code == KILLED:
        return "the benchmark was killed", "continue with --resume"
    return status.message or f"the benchmark ended with exit code {status.code}", ""
