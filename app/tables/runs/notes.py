"""Notes on a Run: what its numbers are, its findings, failures and warnings."""

from collections.abc import Sequence

from edge_bench.app.render.units import counted
from edge_bench.app.tables.delegates import delegate_notes
from edge_bench.app.tables.energy import energy_notes
from edge_bench.app.tables.profiles.sentences import profile_answer
from edge_bench.app.tables.runs.quality import unscored_notes
from edge_bench.app.tables.runs.tails import postprocess_notes, tail_notes
from edge_bench.app.tables.shared import failure_notes, finding_notes
from edge_bench.bench.records.run import CLASSIFY, Run

__all__ = ["run_notes"]


def run_notes(run: Run, on_percentiles: Sequence[str] = ()) -> list[str]:
    """Return the notes on a Run; ``on_percentiles`` are those on the percentile column, if shown."""
    notes = [f"NOTE: {run.bundle.note}"] if run.bundle.note else []
    notes += [f"- {note}" for note in run.images.notes]
    if run.images.indices.length < run.images.total_images:
        evenly = ", sampled evenly over classes" if run.task == CLASSIFY else ""
        notes.append(f"{run.images.indices.length:,} of {counted(run.images.total_images, 'test image')}{evenly}")
    if run.settings.resample:
        notes.append(
            f"each trial used its own sample of {counted(run.images_per_pass, 'image')}. ±: standard "
            f"deviation of the accuracy "
            "over trials, not a standard error. [95 %]: interval of the accuracy on all sampled images"
        )
    if run.trusted is not None and run.results_with_trials:
        notes.append("times are reliable" if run.trusted else "times are not reliable: see the notes marked !")
    notes += unscored_notes(run)
    if not run.complete:
        notes.append("! INTERRUPTED: only the trials before the interruption are included")
    notes += [*on_percentiles, *tail_notes(run), *postprocess_notes(run), *energy_notes(run)]
    for result in run.results:
        notes += [f"- {result.configuration}: {profile_answer(result.profile)}"] if result.profile else []
    notes += finding_notes(run.findings)
    notes += [*failure_notes(run), *delegate_notes(run)]
    for result in run.results:
        notes += [f"- {result.configuration}: {warning}" for warning in result.warnings]
    return notes
