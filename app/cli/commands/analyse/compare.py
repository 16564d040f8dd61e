"""The command ``compare``: a comparison of Runs, or a gate against an older one."""

from pathlib import Path
from typing import Any

from edge_bench.app.cli import parsing
from edge_bench.app.cli.options.analyse import Baseline, FailIfAccuracyDrops, FailIfSlower
from edge_bench.app.cli.options.shared import OutputFormat, RunFiles
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import BadInput, GateNotMet

__all__ = ["compare"]


def compare(
    runs: RunFiles,
    baseline: Baseline = None,
    fail_if_slower: FailIfSlower = None,
    fail_if_accuracy_drops: FailIfAccuracyDrops = None,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Compare every configuration of one or more Runs with a baseline, or a Run with an older one as a gate."""
    from edge_bench.app.cli import console
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs
    from edge_bench.bench.analysis.gate.regression_gate import Limits
    from edge_bench.bench.analysis.labels.same_images import image_difference
    from edge_bench.bench.measure.stored_runs import model_difference, read_runs

    limits = Limits(slower=parsing.share(fail_if_slower, "--fail-if-slower"), accuracy_drop=fail_if_accuracy_drops)
    progress = console.progress()
    if baseline and parsing.is_file(baseline):
        _gate(read_runs(runs, progress, other_than=model_difference), Path(baseline), limits, output_format)
    elif limits:
        raise BadInput("a gate needs an older Run to compare with", "name its file: --baseline old.json")
    else:
        comparison = compare_runs(read_runs(runs, progress, other_than=image_difference), baseline)
        console.note_unless_shown(comparison.notes, output_format)
        console.print_tables(console.comparison_tables(comparison), output_format)


def _gate(runs: list[Any], baseline: Path, limits: Any, output_format: Format) -> None:
    from edge_bench.app.cli import console
    from edge_bench.app.tables.runs.gate import changes_table, failures
    from edge_bench.bench.analysis.gate.pairing import pair_runs
    from edge_bench.bench.analysis.gate.regression_gate import changes, judge
    from edge_bench.bench.records.run_files import read_run

    pairing = pair_runs(runs, read_run(baseline))
    found = changes(pairing)
    judgements = judge(found, limits)
    console.note_unless_shown(pairing.notes, output_format)
    console.print_table(changes_table(found, judgements, baseline.name, pairing.notes), output_format)
    if failed := failures(judgements):
        raise GateNotMet(f"the gate is not met: {len(failed)} of {len(judgements)} limits", failed[0])
