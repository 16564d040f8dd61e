"""How a command that made a Run ends: where the Run is, and the exit code that its state asks for."""

from pathlib import Path
from typing import Any

from edge_bench.bench.errors import EdgeBenchError, Interrupted, NotTrusted

__all__ = ["conclude"]


def conclude(measured: Any, path: Path | None, *, strict: bool) -> None:
    """Says where the Run is, then ends with the exit code that its state asks for."""
    from edge_bench.app.cli import console

    if path:
        console.note(f"written: {path}")
    if not measured.complete:
        if measured.stopped:
            raise EdgeBenchError(
                f"stopped: {measured.stopped}", "put that right, then the same command with --resume goes on"
            )
        raise Interrupted(
            "interrupted; what was measured is kept", "the same command with --resume goes on" if path else ""
        )
    if not measured.measured:
        raise EdgeBenchError("no configuration could be measured", "the reasons are below the table")
    if strict and not measured.trusted:
        spoiled = [finding.what for finding in measured.findings if finding.spoils] or ["this Run does not say"]
        raise NotTrusted(f"measured, but not to be trusted: {'; '.join(spoiled)}", "see the notes below the table")
