"""Notes on unusual properties of the compared Runs."""

from collections.abc import Sequence

from edge_bench.bench.analysis.labels.same_images import differing_pixels, pixels_of
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.records.run import Run
from edge_bench.bench.wording import counted

__all__ = ["notes_on_runs", "nothing_measured"]


def notes_on_runs(runs: Sequence[Run], base: Run) -> list[str]:
    """Return notes on unusual Runs, then on those that had other pixels than ``base``."""
    parts = {(run.images.indices.length, run.images.total_images) for run in runs}
    return _run_notes(runs, parts_differ=len(parts) > 1) + _pixel_notes(runs, base)


def nothing_measured(runs: Sequence[Run]) -> ResultsError:
    """Return the error that none of these Runs measured anything, with the most frequent reason and its remedy."""
    stopped = next((run.stopped for run in runs if run.stopped), "")
    if any(map(_interrupted, runs)):
        reason = f"the run {'stopped' if stopped else 'was interrupted'} before its first trial ended"
        return ResultsError(
            f"nothing was measured: {reason}{f': {stopped}' if stopped else ''}",
            "repeat the command that measured, with --resume",
        )
    failures = [result.failure for run in runs for result in run.results if result.failure]
    if not failures:
        return ResultsError("nothing was measured: there was no configuration to measure")
    reasons = [(each.kind, each.message, each.remedy) for each in failures]
    kind, message, remedy = max(dict.fromkeys(reasons), key=reasons.count)
    which = "the only configuration" if len(failures) == 1 else f"all {len(failures)} configurations"
    return ResultsError(f"nothing was measured: {which} failed; {kind}: {message}", remedy)


def _interrupted(run: Run) -> bool:
    """Return whether the Run ended before each of its configurations had a trial or a failure."""
    return not run.complete and not all(result.trials or result.failure for result in run.results)


def _pixel_notes(runs: Sequence[Run], base: Run) -> list[str]:
    return [
        f"{counted(count, 'image')} had other pixels on {run.machine.label} than on "
        f"{base.machine.label} (another version of "
        "Pillow, or other files?): different labels there may not be caused by the machine"
        for run in runs
        if (count := differing_pixels(pixels_of(run), pixels_of(base)))
    ]


def _run_notes(runs: Sequence[Run], *, parts_differ: bool) -> list[str]:
    """Return notes on unusual Runs, each for all Runs that it applies to."""
    emulated = {run.machine.label: run.machine.valid_for for run in runs if run.emulated}
    named: dict[str, list[str]] = {}
    for run in runs:
        for text in _remarks(run, parts_differ=parts_differ):
            named.setdefault(text, []).append(run.run_id[:8])
    return [
        *(f"{label}: accuracy and agreement are valid{boards}, times are not" for label, boards in emulated.items()),
        *(f"run{'' if len(ids) == 1 else 's'} {', '.join(ids)} {text}" for text, ids in named.items()),
    ]


def _remarks(run: Run, *, parts_differ: bool) -> list[str]:
    remarks = []
    measured = bool(run.results_with_trials)
    if not run.complete and measured:
        remarks.append(f"on {run.machine.label}: interrupted, only the trials before the interruption are included")
    if not measured:
        why = "it was interrupted before its first trial" if _interrupted(run) else "every configuration failed"
        remarks.append(f"on {run.machine.label} measured nothing: {why}")
    if run.accuracy_assumed:
        remarks.append(f"on {run.machine.label}: the accuracy is assumed (--assume)")
    if parts_differ and run.images.indices.length < run.images.total_images:
        remarks.append(f"classified {run.images.indices.length:,} of the {run.images.total_images:,} test images")
    if run.settings.resample:
        remarks.append(f"drew {counted(run.images_per_pass, 'image')} for each trial")
    return remarks
