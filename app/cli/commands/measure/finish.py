"""The end of a command that made a Run: its path, and the exit code."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_bench.bench.errors import EdgeBenchError, Interrupted, NotTrusted

if TYPE_CHECKING:
    from edge_bench.bench.system.machine import Finding

__all__ = ["finish_run", "not_trusted"]


def finish_run(run: Any, path: Path | None, *, strict: bool) -> None:
    """Print the Run's path; raise the error that its state calls for."""
    from edge_bench.app.cli import console

    if path:
        console.note(f"written: {path}")
    if not run.complete:
        if run.stopped:
            raise EdgeBenchError(
                f"stopped: {run.stopped}", "put that right, then the same command with --resume goes on"
            )
        raise Interrupted(
            "interrupted; what was measured is kept", "the same command with --resume goes on" if path else ""
        )
    if not run.results_with_trials:
        raise EdgeBenchError("no configuration could be measured", "the reasons are below the table")
    if strict and not run.trusted:
        raise not_trusted(run.findings)


def not_trusted(findings: "Sequence[Finding]") -> NotTrusted:
    """Return the error for --strict, with every finding that spoils the measurement."""
    reasons = [finding.what for finding in findings if finding.spoils] or ["this Run does not say"]
    return NotTrusted(f"measured, but not to be trusted: {'; '.join(reasons)}", "see the notes below the table")
