"""The end of a command that made Runs: paths and exit code."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import EdgeBenchError, Interrupted, NotTrusted
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
    from edge_bench.bench.measure.repeats import Repeats
    from edge_bench.bench.system.machine import Finding

__all__ = ["finish_repeats", "finish_run", "not_trusted"]


def finish_run(run: Any, path: Path | None, *, strict: bool, form: Format = Format.TABLE) -> None:
    """Print the Run's path and the next command; raise an error if it is incomplete or not reliable (--strict)."""
    from edge_bench.app.cli.answers import print_saved

    if path:
        print_saved(path, form)
    if not run.complete:
        if run.stopped:
            raise _stopped(run)
        raise Interrupted(
            "interrupted; measurements so far are kept",
            "rerun the same command with --resume to continue" if path else "",
        )
    if not run.results_with_trials:
        raise EdgeBenchError("no configuration could be measured", "see the reasons above")
    if strict and not run.trusted:
        raise not_trusted(run.findings)


def finish_repeats(repeats: "Repeats", *, strict: bool) -> None:
    """Print the path of each Run; raise an error if any is missing, incomplete or not reliable (--strict)."""
    import msgspec

    from edge_bench.app.cli import console
    from edge_bench.app.cli.answers import makes_reports, report_command

    for run, path in repeats.stored:
        state = "" if run.complete else ", incomplete"
        console.note(f"run {run.repeat} of {repeats.count}{state}: {path}")
    if makes_reports():
        console.note(f"next: {report_command([repeats.stored[-1][1].parent])}")
    last, finished = repeats.stored[-1][0], repeats.finished
    if repeats.error:
        raise repeats.error
    if last.stopped:
        raise _stopped(last)
    if repeats.interrupted:
        raise Interrupted(
            f"interrupted; {len(finished)} of {counted(repeats.count, 'run')} finished and kept",
            "rerun the same command with --resume for the others" if len(finished) < repeats.count else "",
        )
    if empty := [str(run.repeat) for run in finished if not run.results_with_trials]:
        raise EdgeBenchError(f"no configuration could be measured in run {', '.join(empty)}", "see the reasons above")
    if strict and not all(run.trusted for run in finished):
        raise not_trusted(
            [
                msgspec.structs.replace(each, what=f"run {run.repeat}: {each.what}")
                for run in finished
                for each in run.findings
            ]
        )


def _stopped(run: Any) -> EdgeBenchError:
    return EdgeBenchError(f"stopped: {run.stopped}", "fix this, then rerun with --resume")


def not_trusted(findings: "Sequence[Finding]") -> NotTrusted:
    """Return the error for --strict, with all findings that make measurements unreliable."""
    reasons = [finding.what for finding in findings if finding.spoils] or ["this Run has no findings about it"]
    return NotTrusted(f"measurements are not reliable: {'; '.join(reasons)}", "see the notes below the table")
